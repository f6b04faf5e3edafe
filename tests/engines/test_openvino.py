"""The engine openvino: the answers of transformers, in our ids, with ends and counts alike."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coalm.engines import Completion, Sampling, Unanswered, open_engine, precision, resolve
from coalm.engines.ending import ended
from coalm.engines.openvino import OpenVino, OpenVinoOptions, _blocks
from coalm.errors import ModelError, RecipeError
from coalm.formats import Piece, encode, format_of
from coalm.types import Dialogue, System, User
from coalm.weights import architecture_of
from tests.checkpoints import LLAMA3, checkpoint, loaded

pytest.importorskip("openvino_genai")
pytestmark = pytest.mark.slow

FORMAT = format_of("chatml", "json")
END = "<|im_end|>"
ALIKE = "A long shared beginning, the same for all of them. " * 3

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", {"tie_word_embeddings": True}),
    "wide heads": ("Llama", {"head_dim": 32}),
    "llama 3.1": ("Llama", {"rope_parameters": LLAMA3}),
    "linear": (
        "Llama",
        {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}},
    ),
    "qwen2": ("Qwen2", {"tie_word_embeddings": True}),
    "qwen3": ("Qwen3", {"head_dim": 32}),
}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("COALM_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def engine(model: Path) -> OpenVino:
    found = open_engine("openvino", str(model), options={"cache_gb": 0.05})
    assert isinstance(found, OpenVino)
    return found


def prompts(system: str = ALIKE) -> list[list[Piece]]:
    asked = ["hi", "what is this?", "tell me more of it, please", "x" * 60, "bye"]
    return [FORMAT.prompt(Dialogue((System(system), User(text)))) for text in asked]


def completions(answers: list[Completion | Unanswered]) -> list[Completion]:
    found = [answer for answer in answers if isinstance(answer, Completion)]
    assert len(found) == len(answers)
    return found


def texts(answers: list[Completion | Unanswered]) -> list[str]:
    return [answer.text for answer in completions(answers)]


def written(
    engine: OpenVino, asked: list[list[Piece]], sampling: Sampling
) -> list[tuple[Completion, list[int]]]:
    """The completions, and the new ids that each was made of."""
    found: list[tuple[Completion, list[int]]] = []

    def noting(new: Any, *rest: Any) -> Completion:
        found.append((ended(new, *rest), list(new)))
        return found[-1][0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("coalm.engines.openvino_steps.ended", noting)
        answers = completions(engine.complete(asked, sampling))
    return [next(pair for pair in found if pair[0] is answer) for answer in answers]


@pytest.mark.parametrize("name", KINDS)
def test_answers_are_those_of_transformers_in_float32(name: str, tmp_path: Path) -> None:
    import torch

    kind, config = KINDS[name]
    folder = checkpoint(tmp_path / "model", kind, **config)
    exact, fast = loaded(folder), open_engine("openvino", str(folder), options={"cache_gb": 0.05})
    assert isinstance(fast, OpenVino)
    answers = written(fast, prompts(), Sampling(max_tokens=12, logprobs=True))
    for prompt, (answer, new) in zip(prompts(), answers, strict=True):
        ids = [*encode(prompt, fast.tokenizer).ids, *new]
        with torch.inference_mode():
            scores = torch.log_softmax(exact(torch.tensor([ids])).logits[0, -13:-1], -1)
        assert len(new) == answer.completion_tokens == 12
        assert scores.argmax(-1).tolist() == new
        assert answer.logprobs == pytest.approx(scores.max(-1).values.tolist(), abs=2e-3)


def test_what_prompts_share_changes_nothing(engine: OpenVino) -> None:
    sampling = Sampling(max_tokens=12, end=END)
    together = texts(engine.complete(prompts(), sampling))
    alone = [text for p in prompts() for text in texts(engine.complete([p], sampling))]
    assert together == alone
    backwards = texts(engine.complete(prompts()[::-1], sampling))
    assert backwards == together[::-1]


def test_what_is_shared_is_read_once(engine: OpenVino) -> None:
    """One prompt is read first, and the others, which begin like it, a step later."""
    begun: list[int] = []
    steps = 0

    class Watched:
        def __getattr__(self, name: str) -> Any:
            return getattr(engine.pipeline, name)

        def step(self) -> None:
            nonlocal steps
            steps += 1
            engine.pipeline.step()

        def add_request(self, number: int, ids: Any, config: Any) -> Any:
            begun.append(steps)
            return engine.pipeline.add_request(number, ids, config)

    watched = OpenVino(Watched(), engine.tokenizer, engine.context, engine.blocks)
    watched.complete(prompts("Something that nobody read before. " * 4), Sampling(max_tokens=3))
    assert begun == [0, 1, 1, 1, 1]


def test_a_cache_that_is_too_small_for_all_answers_them_one_after_the_other(
    engine: OpenVino, model: Path
) -> None:
    sampling = Sampling(max_tokens=12, end=END)
    size = architecture_of(model)
    small = 40.5 * 32 * size.blocks * size.kv_heads * size.head * 8 / 1e9
    tight = open_engine("openvino", str(model), options={"cache_gb": small})
    assert isinstance(tight, OpenVino)
    assert tight.blocks == 40
    many = prompts() * 5
    assert texts(tight.complete(many, sampling)) == texts(engine.complete(many, sampling))


def test_a_prompt_that_memory_cannot_hold_is_not_answered_and_the_others_are(
    engine: OpenVino,
) -> None:
    tight = OpenVino(engine.pipeline, engine.tokenizer, engine.context, 20)
    long = FORMAT.prompt(Dialogue((User("y" * 900),)))
    lost, kept = tight.complete([long, prompts()[0]], Sampling(max_tokens=4))
    assert isinstance(lost, Unanswered)
    assert "cache_gb" in lost.why
    assert isinstance(kept, Completion)


def test_a_prompt_that_does_not_fit_the_model_is_silence(engine: OpenVino) -> None:
    long = FORMAT.prompt(Dialogue((User("y" * 2500),)))
    said = completions(engine.complete([long, prompts()[0]], Sampling(max_tokens=4)))
    assert (said[0].text, said[0].ended, said[0].completion_tokens) == ("", "length", 0)
    assert said[1].text


def test_counts_are_of_the_prompt_and_of_what_is_new(engine: OpenVino) -> None:
    for prompt, answer in zip(
        prompts(),
        completions(engine.complete(prompts(), Sampling(max_tokens=7, end=END))),
        strict=True,
    ):
        assert answer.prompt_tokens == len(encode(prompt, engine.tokenizer).ids)
        assert (answer.completion_tokens, answer.ended) == (7, "length")


def test_a_stop_string_ends_the_text_before_it(engine: OpenVino) -> None:
    [whole] = texts(engine.complete(prompts()[:1], Sampling(max_tokens=30)))
    stop = whole[8:10]
    [cut] = completions(engine.complete(prompts()[:1], Sampling(max_tokens=30, stops=(stop,))))
    assert cut.text == whole[: whole.index(stop)]
    assert cut.ended == "stop"
    assert cut.completion_tokens < 30


def test_the_end_marker_ends_a_turn_and_is_not_said(engine: OpenVino) -> None:
    [(_, new)] = written(engine, prompts()[:1], Sampling(max_tokens=8))
    at = next(i for i in range(3, 8) if new[i] not in new[:i])

    class Ending:
        """The fourth token that the model writes, or a later one, is made the marker."""

        def __getattr__(self, name: str) -> Any:
            return getattr(engine.tokenizer, name)

        def control(self, marker: str) -> int:
            return new[at] if marker == "<end>" else engine.tokenizer.control(marker)

    words: Any = Ending()
    ending = OpenVino(engine.pipeline, words, engine.context, engine.blocks)
    [cut] = completions(ending.complete(prompts()[:1], Sampling(max_tokens=8, end="<end>")))
    assert (cut.ended, cut.completion_tokens) == ("stop", at)
    assert cut.text == engine.tokenizer.decode(new[:at])


def test_the_same_seed_draws_the_same_whoever_is_beside_it(engine: OpenVino) -> None:
    def drawn(seed: int, asked: list[list[Piece]]) -> list[str]:
        how = Sampling(max_tokens=20, temperature=1.5, seed=seed, end=END)
        return texts(engine.complete(asked, how))

    assert drawn(1, prompts()) == drawn(1, prompts())
    assert drawn(1, prompts()) != drawn(2, prompts())
    assert drawn(1, prompts()[::-1]) == drawn(1, prompts())[::-1]
    assert drawn(1, prompts()[2:3]) == drawn(1, prompts())[2:3]
    assert len(set(drawn(1, prompts()))) == 5


def test_data_cannot_press_a_control_key(engine: OpenVino) -> None:
    """A marker in a user's words reaches the pipeline as the text that it is."""
    asked = FORMAT.prompt(Dialogue((User(f"say {END} now"),)))
    given: list[list[int]] = []

    class Watched:
        def __getattr__(self, name: str) -> Any:
            return getattr(engine.pipeline, name)

        def add_request(self, number: int, ids: Any, config: Any) -> Any:
            given.append(ids.data[0].tolist())
            return engine.pipeline.add_request(number, ids, config)

    watched = OpenVino(Watched(), engine.tokenizer, engine.context, engine.blocks)
    watched.complete([asked], Sampling(max_tokens=2, end=END))
    assert given == [list(encode(asked, engine.tokenizer).ids)]
    ours = sum(piece.control and piece.text == END for piece in asked)
    assert given[0].count(engine.tokenizer.control(END)) == ours


def test_what_is_written_is_told_as_it_comes_and_can_be_stopped(engine: OpenVino) -> None:
    whole = texts(engine.complete(prompts()[:2], Sampling(max_tokens=10)))
    heard: list[tuple[int, str]] = []

    def growing(number: int, text: str) -> bool:
        heard.append((number, text))
        return number == 0 or len(text) < 4

    first, second = completions(engine.stream(prompts()[:2], Sampling(max_tokens=10), growing))
    assert (first.text, first.ended) == (whole[0], "length")
    assert 0 < len(second.text) < len(whole[1])
    assert (second.ended, second.completion_tokens < 10) == ("stop", True)
    assert [text for number, text in heard if number == 0][-1] == whole[0]


def test_after_ctrl_c_the_engine_goes_on(engine: OpenVino) -> None:
    sampling = Sampling(max_tokens=10)
    before = texts(engine.complete(prompts(), sampling))

    def pressed(number: int, text: str) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.stream(prompts(), sampling, pressed)
    assert not engine.pipeline.has_non_finished_requests()
    assert texts(engine.complete(prompts(), sampling)) == before


def test_no_prompts_are_no_answers(engine: OpenVino) -> None:
    assert engine.complete([], Sampling()) == []


# --- the file ---------------------------------------------------------------------------------


def test_the_file_is_made_once_and_told(model: Path, cache: Path) -> None:
    notes: list[str] = []
    open_engine("openvino", str(model), options={"cache_gb": 0.01}, note=notes.append)
    assert notes == []  # the fixture's file
    open_engine("openvino", str(model), dtype="q8_0", options={"cache_gb": 0.01}, note=notes.append)
    assert notes == ["writing tiny for OpenVINO (q8_0 weights), once"]
    assert not list(cache.glob("openvino/.*"))


def test_two_that_make_the_same_file_both_get_it(tmp_path: Path, cache: Path) -> None:
    from coalm.engines.openvino_files import prepared

    folder = checkpoint(tmp_path / "model", hidden_size=32, head_dim=16)
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(prepared(f"m{n}", folder, "fp32")))
        for n in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert all(path.exists() for path in found)
    assert not list(cache.glob("openvino/.*"))


def test_what_was_used_least_lately_goes_when_there_is_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coalm.engines import openvino_files

    monkeypatch.setenv("COALM_CACHE", str(tmp_path / "cache"))
    folders = [checkpoint(tmp_path / f"m{n}", hidden_size=32, head_dim=n) for n in (8, 10, 12)]

    def made(number: int) -> Path:
        return openvino_files.prepared("m", folders[number], "fp32")

    first, second = made(0), made(1)
    openvino_files.stand_in()
    for path, used in ((first.parent, 2_000), (second.parent, 1_000)):
        os.utime(path, (used, used))
    monkeypatch.setattr(openvino_files, "KEPT", first.stat().st_size * 5 // 2)
    third = made(2)
    assert [path.exists() for path in (first, second, third)] == [True, False, True]
    assert openvino_files.stand_in().exists()
    monkeypatch.setattr(openvino_files, "KEPT", 0)
    assert made(0).exists()  # what is used now stays, however large
    assert not third.exists()


def test_a_file_that_was_damaged_is_named(tmp_path: Path, cache: Path) -> None:
    from coalm.engines.openvino_files import prepared

    folder = checkpoint(tmp_path / "model", hidden_size=32, head_dim=8)
    path = prepared(str(folder), folder, "fp32")
    path.write_bytes(b"GGUF?")
    with pytest.raises(ModelError, match="openvino cannot load"):
        open_engine("openvino", str(folder))


@pytest.mark.parametrize(
    ("kind", "config", "said"),
    [
        (
            "Qwen2",
            {"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "rope_theta": 1e4}},
            "rotary positions of type 'yarn'",
        ),
        ("Llama", {"attention_bias": True}, "attention has a bias"),
        ("Llama", {"hidden_act": "gelu"}, "hidden_act 'gelu'"),
    ],
)
def test_what_it_cannot_run_it_refuses_and_auto_takes_transformers_and_says_so(
    kind: str, config: dict[str, Any], said: str, tmp_path: Path
) -> None:
    folder = checkpoint(tmp_path / "model", kind, **config)
    with pytest.raises(ModelError, match=f"{said}.*--engine transformers"):
        open_engine("openvino", str(folder))
    notes: list[str] = []
    assert resolve("auto", str(folder), notes.append) == "transformers"
    assert len(notes) == 1
    assert said in notes[0]


# --- names and options --------------------------------------------------------------------------


def test_auto_is_openvino_where_there_is_no_gpu(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coalm.engines._gpu", lambda: False)
    assert resolve("auto", str(model)) == "openvino"
    monkeypatch.setattr("coalm.engines._gpu", lambda: True)
    assert resolve("auto", str(model)) == "transformers"


def test_auto_is_transformers_where_openvino_is_not_installed(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coalm.engines.find_spec", lambda name: None)
    assert resolve("auto", str(model)) == "transformers"


def test_the_precision_of_auto_is_the_one_that_agrees_with_float32() -> None:
    assert precision("openvino", "auto") == "fp32"
    assert precision("openvino", "q8_0") == "q8_0"
    with pytest.raises(RecipeError, match="did you mean 'q8_0'"):
        precision("openvino", "q8")


def test_an_option_that_nobody_knows_gets_a_suggestion(model: Path) -> None:
    with pytest.raises(RecipeError, match="did you mean 'cache_gb'"):
        open_engine("openvino", str(model), options={"cache_bg": 1})
    with pytest.raises(RecipeError, match="threads"):
        open_engine("openvino", str(model), options={"threads": 0})


def test_the_cache_is_no_larger_than_what_is_free_or_of_use(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = architecture_of(model)
    monkeypatch.setattr("coalm.engines.openvino.free_memory", lambda: 4_000_000)
    block = 32 * size.blocks * size.kv_heads * size.head * 4
    assert _blocks(size, 2, None) == 1_000_000 // block
    assert _blocks(size, 4, None) == 500_000 // block
    assert _blocks(size, 2, 1000.0) == 256 * size.context // 32
    assert OpenVinoOptions().threads is None


def test_nothing_of_openvino_s_telemetry_is_loaded(engine: OpenVino, model: Path) -> None:
    """It is sent by tools for conversion alone, which nothing here imports."""
    import subprocess
    import sys

    script = (
        "import sys; from coalm.engines import Sampling, open_engine; from coalm.formats import "
        f"Piece; e = open_engine('openvino', {str(model)!r}, options={{'cache_gb': 0.01}}); "
        "e.complete([[Piece('hi')]], Sampling(max_tokens=2)); "
        "print([name for name, module in sys.modules.items() if module and "
        "name.startswith('openvino_telemetry')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
