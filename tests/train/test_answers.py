"""While it trains, a model is asked: the right questions, its own greedy answers, true scores."""

import json
import random
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coalm import models
from coalm.bench.multiwoz.state import compare
from coalm.corpora.snips import answer as snips_answer
from coalm.corpora.states import Slot, state_request, write_state
from coalm.engines import Sampling
from coalm.engines.generation import generate
from coalm.engines.transformers import open_transformers
from coalm.formats import format_of
from coalm.formats.tokens import open_tokenizer
from coalm.train.looks.answers import Answers, as_it_answers, batches, generated
from coalm.train.looks.asked import Asked, Question, choose, kind_of
from coalm.train.looks.looking import undisturbed
from coalm.train.looks.scored import METRICS, scores
from coalm.train.rows.encoding import Encoding
from coalm.types import Assistant, Dialogue, Observation, Sample, ToolCall, ToolSpec, User
from tests.tiny import tiny_model

pytestmark = pytest.mark.slow

TOOL = ToolSpec("find", "Finds.", {"type": "object", "properties": {"to": {"type": "string"}}})
CHAT = format_of("chatml", "json")


def calling(number: int, words: str = "") -> Sample:
    said = Assistant(calls=(ToolCall("find", {"to": f"town {number}"}),))
    turns = (User(f"a train to town {number} {words}"), said, Observation("TR9", "find"))
    return Sample(f"c/{number}", "c", Dialogue((*turns, Assistant("It is TR9.")), (TOOL,)))


def tracking(number: int) -> Sample:
    asked = state_request([Slot("train-to", "where to")], [("", f"to town {number}")])
    said = Assistant(write_state({"train-to": f"town {number}"}))
    return Sample(f"s/{number}", "sgd-dst", asked.then(said))


def bytes_(longest: int = 4096) -> Encoding:
    return Encoding(None, "chatml", "json", rows=False, longest=longest)


# --- which questions ----------------------------------------------------------------------


def test_questions_are_of_every_kind_and_the_same_whatever_the_order() -> None:
    samples = [*map(calling, range(40)), *map(tracking, range(40))]
    asked = choose(samples, bytes_(), 12, 100)
    assert asked.counts == {"call": 4, "no call": 4, "state": 4}
    shuffled = random.Random(0).sample(samples, len(samples))
    assert choose(shuffled, bytes_(), 12, 100) == asked
    fewer = choose(samples, bytes_(), 6, 100)
    assert {q.name for q in fewer.questions} < {q.name for q in asked.questions}
    other = choose([replace(s, id=f"x{s.id}") for s in samples], bytes_(), 12, 100)
    assert [q.name[1:] for q in other.questions] != [q.name for q in asked.questions]


def test_where_one_kind_is_scarce_the_others_are_asked_more() -> None:
    asked = choose([*map(calling, range(40)), tracking(1)], bytes_(), 12, 100)
    assert asked.counts["state"] == 1
    assert len(asked.questions) == 12


def test_a_question_is_the_row_before_the_turn_and_nothing_of_it() -> None:
    how = bytes_()
    asked = choose([calling(7)], how, 9, 100)
    shown = {q.kind: how.opened.decode(q.prompt) for q in asked.questions}  # type: ignore[attr-defined]
    assert "town 7" in shown["call"]
    assert "TR9" not in shown["call"]
    assert shown["no call"].count("TR9") == 1
    assert all(text.endswith("assistant\n") for text in shown.values())


def test_what_is_too_long_for_a_row_or_an_answer_is_passed_over_and_counted() -> None:
    samples = [calling(1), calling(2, "please " * 200)]
    assert choose(samples, bytes_(), 9, 100).too_long == 0
    cut = choose(samples, bytes_(longest=1000), 9, 100)
    assert {q.name for q in cut.questions} == {"c/1#1", "c/1#3"}
    assert cut.too_long == 2
    short = choose(samples, bytes_(), 9, 20)
    assert short.counts == {"no call": 2}
    assert short.too_long == 2
    assert "2 too long" in short.describe()
    assert choose(samples, bytes_(longest=30), 9, 20).describe().startswith("0 questions (none")


def test_what_a_turn_is_asked_for() -> None:
    def kind(turn: Assistant, *tools: ToolSpec, calls: bool = True) -> str | None:
        return kind_of(Sample("x", "x", Dialogue((User("u"), turn), tools)), turn, calls=calls)

    words, state = Assistant("Hello."), Assistant('{"train-to": "ely"}')
    call = Assistant(calls=(ToolCall("find", {}),))
    assert kind(call) == kind(call, TOOL) == "call"
    assert kind(words, TOOL) == "no call"
    assert kind(words) is None  # no tool, no call anywhere: nothing to refrain from
    assert kind(words, TOOL, calls=False) is None
    assert kind(state) == kind(Assistant("{}")) == kind(state, calls=False) == "state"
    assert kind(Assistant(snips_answer("Book", {"a": "b"}))) == "state"
    assert kind(state, TOOL) == "no call"
    for text in ('{"name": "find", "arguments": {"to": "ely"}}', '{"a": "b"} it is', '{"a": [1]}'):
        assert kind(Assistant(text)) is None


# --- scores -------------------------------------------------------------------------------


def question(gold: Assistant, kind: Any, dialect: str = "json") -> Question:
    return Question("q", kind, format_of("chatml", dialect), (1,), gold)


def called(*calls: ToolCall) -> Question:
    return question(Assistant(calls=calls), "call")


def all_questions() -> tuple[Question, ...]:
    samples = [*map(calling, range(6)), *map(tracking, range(6))]
    return choose(samples, bytes_(), 9, 100).questions


def gold_texts(questions: Sequence[Question]) -> list[str]:
    return [q.fmt.dialect.write(q.gold) for q in questions]


def test_gold_is_perfect_and_silence_and_garbage_are_worth_nothing() -> None:
    asked = all_questions()
    assert scores(asked, gold_texts(asked)) == dict.fromkeys(METRICS, 1.0) | {"unreadable": 0.0}
    silent = scores(asked, [""] * len(asked))
    assert {name: silent[name] for name in METRICS} == dict.fromkeys(METRICS, 0.0)
    for text in ('[{"name": "find", "arg', "{" * 5000, '[{"name": 5}]', "\ud800", "<tool_call>"):
        found = scores(asked, [text] * len(asked))
        assert found["call_arguments"] == found["state"] == found["state_slots"] == 0.0
        assert 0 < found["unreadable"] <= 1


def test_only_what_is_asked_for_is_measured() -> None:
    assert set(scores([called(ToolCall("f", {}))], [""])) == {
        "call_name",
        "call_arguments",
        "unreadable",
    }
    assert scores([], []) == {}


def test_calls_are_a_multiset_and_their_arguments_json() -> None:
    f1, f2, g = ToolCall("f", {"a": 1, "b": [True]}), ToolCall("f", {"a": 2}), ToolCall("g", {})

    def mark(gold: Sequence[ToolCall], *said: ToolCall) -> tuple[float, float]:
        found = scores([called(*gold)], [CHAT.dialect.write(Assistant(calls=said))])
        return found["call_name"], found["call_arguments"]

    assert mark([f1, g], g, ToolCall("f", {"b": [True], "a": 1})) == (1, 1)
    assert mark([f1, f2], f1) == mark([f1], f1, f1) == mark([f1], g) == (0, 0)
    assert mark([f1, f2], f1, f1) == (1, 0)
    others: tuple[dict[str, Any], ...] = (
        {"a": 1},
        {"a": 1.0, "b": [True]},
        {"a": "1", "b": [True]},
        {"a": 1, "b": [1]},
    )
    for other in others:
        assert mark([f1], ToolCall("f", other)) == (1, 0)


def test_words_where_words_are_due_and_a_call_there_is_wrong() -> None:
    asked = [question(Assistant("Hello."), "no call")] * 4
    said = ["Anything at all.", '[{"name": "f", "arguments": {}}]', "", "<think>hm</think>"]
    assert scores(asked, said)["no_call"] == 0.25


def test_states_are_compared_as_the_benchmark_compares_them() -> None:
    gold = {"train-to": "Ely  North", "train-day": "dontcare", "hotel-name": "none"}
    answers: list[dict[str, str]] = [
        gold,
        {"train-to": "ely north", "train-day": "don't care"},
        {"TRAIN-TO": "ely north", "train-day": "dontcare", "taxi-to": ""},
        {"train-to": "ely north"},
        {"train-to": "ely", "train-day": "dontcare"},
        {"train-to": "ely north", "train-day": "dontcare", "hotel-name": "x"},
        {},
    ]
    asked = question(Assistant(write_state(gold)), "state")
    for said in answers:
        theirs = compare(gold, said)
        counts = (len(theirs.right), len(theirs.extra), len(theirs.missing))
        mine = scores([asked], [f"Here it is: {write_state(said)}."])
        assert mine["state"] == theirs.joint
        assert mine["state_slots"] == pytest.approx(
            2 * counts[0] / (2 * counts[0] + counts[1] + counts[2])
        )


def test_the_nested_state_of_snips_is_compared_slot_by_slot() -> None:
    asked = [question(Assistant(snips_answer("Book", {"city": "ely", "day": "may"})), "state")]
    found = scores(asked, [snips_answer("Book", {"day": "May", "city": "York"})])
    assert found == {"state": 0.0, "state_slots": pytest.approx(2 / 3), "unreadable": 0.0}
    assert scores(asked, [snips_answer("Book", {"day": "May", "city": "Ely"})])["state"] == 1.0


# --- answers ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny", tied=False)


def asked_of(folder: Path, dialect: str = "json", wanted: int = 7) -> Asked:
    how = Encoding(folder, "chatml", dialect, rows=False, longest=4096)
    samples = [calling(n, "please " * (n * 5 % 13)) for n in range(6)] + list(
        map(tracking, range(6))
    )
    return choose(samples, how, wanted, 200)


def engine_answers(folder: Path, asked: Asked, tokens: int) -> list[str]:
    engine = open_transformers(str(folder), dtype="fp32", device="cpu")
    fmt = asked.questions[0].fmt
    sampling = Sampling(tokens, end=fmt.layout.stop, stops=fmt.stops)
    rows = [q.prompt for q in asked.questions]
    return [generate(engine.model, engine.tokenizer, [row], sampling)[0].text for row in rows]


@pytest.fixture(scope="module")
def net(folder: Path) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return models.load(AutoModelForCausalLM, folder, torch.float32)


def test_answers_are_the_engines_greedy_ones(folder: Path, net: Any) -> None:
    from transformers import GenerationConfig

    tokenizer = open_tokenizer(folder)
    asked = asked_of(folder)
    wanted = engine_answers(folder, asked, 24)
    assert len(set(wanted)) > 3  # they depend on the question
    net.train()
    own = net.generation_config = GenerationConfig(  # type: ignore[no-untyped-call, unused-ignore]
        do_sample=True, temperature=5.0, repetition_penalty=3.0
    )
    with as_it_answers(net) as model:
        assert not model.training
        assert generated(model, tokenizer, asked.questions, 24) == wanted
    assert net.training
    assert net.generation_config is own


def test_an_answer_ends_at_its_stop_string_or_marker(folder: Path, net: Any) -> None:
    tokenizer = open_tokenizer(folder)
    asked = asked_of(folder, wanted=4)
    with as_it_answers(net) as model:
        free = generated(model, tokenizer, asked.questions, 24)
        found = [(n, hit) for n, t in enumerate(free) if (hit := re.search("(?<=.)[!-~]{2}", t))]
        which, hit = min(found, key=lambda one: one[1].start())
        stop: tuple[str, ...] = (hit.group(),)
        fmt: Any = SimpleNamespace(layout=asked.questions[0].fmt.layout, stops=stop)
        stopping = [replace(question, fmt=fmt) for question in asked.questions]
        steps: list[int] = []
        hook = model.register_forward_hook(lambda *_: steps.append(1))
        alone = generated(model, tokenizer, [stopping[which]], 24)
        hook.remove()
        together = generated(model, tokenizer, stopping, 24)
        mixed = generated(model, tokenizer, [*asked.questions[:2], *stopping[2:]], 24)
    assert alone == [free[which][: hit.start()]]
    assert len(steps) < 20
    assert together == [text.partition(stop[0])[0] for text in free]
    assert mixed == free[:2] + together[2:]  # each by its own


def test_an_adapter_answers_as_it_does_when_merged(folder: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    tokenizer = open_tokenizer(folder)
    asked = asked_of(folder)
    with models.quiet():
        base = models.load(AutoModelForCausalLM, folder, torch.float32)
        plain = generated(base.eval(), tokenizer, asked.questions, 16)
        adapted = get_peft_model(
            base, LoraConfig(r=4, target_modules="all-linear", lora_dropout=0.5)
        )
        torch.manual_seed(0)
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.3)
        adapted.train()
        with as_it_answers(adapted) as model:
            found = generated(model, tokenizer, asked.questions, 16)
        assert adapted.training
        merged = generated(adapted.merge_and_unload().eval(), tokenizer, asked.questions, 16)
    assert found == merged != plain


def test_looking_draws_no_random_number() -> None:
    import numpy as np
    import torch

    def draws() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    def seed() -> None:
        random.seed(1)
        np.random.seed(1)
        torch.manual_seed(1)

    seed()
    wanted = draws()
    seed()
    with undisturbed():
        draws()
    assert draws() == wanted


def test_a_batch_fits_and_leaves_some_for_each_process() -> None:
    asked = [Question("q", "call", CHAT, (1,) * n, Assistant()) for n in (25, 90, 50, 45, 90)]
    assert batches(asked, 10_000, 10) == [[1, 4, 2, 3], [0]]  # 25 would be padding for the most
    assert batches(asked, 200, 10) == [[1, 4], [2, 3, 0]]
    assert batches(asked, 1, 10) == [[1], [4], [2], [3], [0]]
    assert batches(asked, 10_000, 10, processes=2) == [[1, 4, 2], [3, 0]]


SHARED = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
import torch
from accelerate import Accelerator
from transformers import AutoModelForCausalLM
sys.path.insert(0, sys.argv[1])
from tests.train.test_answers import asked_of
from coalm.formats.tokens import open_tokenizer
from coalm.train.looks.answers import Answers
folder = Path(sys.argv[2])
machine = Accelerator(cpu=True)
net = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
calls = []
plain = net.generate
def counted(**given):
    calls.append(len(given["input_ids"]))
    return plain(**given)
net.generate = counted
answers = Answers(asked_of(folder), open_tokenizer(folder), 12, 10_000)
texts = answers.texts(SimpleNamespace(accelerator=machine, model=net))
out = Path(sys.argv[3]) / f"{machine.num_processes}-{machine.process_index}.json"
out.write_text(json.dumps({"texts": texts, "calls": len(calls)}))
torch.distributed.barrier()
torch.distributed.destroy_process_group()  # its threads must not outlive the interpreter
"""


def test_two_processes_share_the_questions_and_know_all_the_answers(
    folder: Path, net: Any, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SHARED)
    root = str(Path(__file__).parents[2])
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [sys.executable, *launch, str(script), root, str(folder), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    one, other = (json.loads((tmp_path / f"2-{n}.json").read_text()) for n in (0, 1))
    assert one == other
    trainer = SimpleNamespace(accelerator=_alone(), model=net)
    alone = Answers(asked_of(folder), open_tokenizer(folder), 12, 10_000).texts(trainer)
    assert one["texts"] == alone
    assert len(set(alone)) > 3


def _alone() -> Any:
    from contextlib import nullcontext

    return SimpleNamespace(process_index=0, num_processes=1, autocast=nullcontext)


def test_idle_processes_take_part_in_every_batch(
    folder: Path, net: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[list[tuple[int, str]]] = []

    def gather(mine: list[tuple[int, str]]) -> list[tuple[int, str]]:
        given.append(mine)
        return everything

    monkeypatch.setattr("accelerate.utils.gather_object", gather)
    everything = [(number, "") for number in range(5)]
    asked = asked_of(folder, wanted=5)
    for rank in range(3):
        machine = _alone()
        machine.process_index, machine.num_processes = rank, 3
        steps = counting(net)
        Answers(asked, open_tokenizer(folder), 4, 10_000).texts(
            SimpleNamespace(accelerator=machine, model=net)
        )
        assert steps() == 1  # as many in each, though the batches are of 2, 2 and 1
    assert sorted(number for part in given for number, _ in part) == [0, 1, 2, 3, 4]


def counting(net: Any) -> Callable[[], int]:
    """How often the model is asked to generate from now on."""
    calls: list[int] = []
    plain = type(net).generate

    def counted(**told: Any) -> Any:
        calls.append(1)
        return plain(net, **told)

    net.generate = counted
    return lambda: len(calls)
