"""vLLM: what it is given exists in its API, and what it gives back is read as elsewhere."""

import importlib.util
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coalm.engines import Completion, Sampling, Unanswered, check_options, deciding, open_engine
from coalm.engines.draws import seed_of
from coalm.engines.vllm import VllmOptions, engine_arguments, sampling_arguments
from coalm.engines.vllm_serve import eval_command, serve_command
from coalm.errors import MissingExtra, ModelError, RecipeError
from coalm.formats import Piece, encode, format_of
from coalm.types import Dialogue, User
from tests.engines.fake_vllm import LLM, LLM_TAKES, SAMPLING_TAKES, installed
from tests.tiny import tiny_model

FORMAT = format_of("chatml", "json")
EVERY = VllmOptions(
    tensor_parallel_size=2,
    pipeline_parallel_size=2,
    gpu_memory_utilization=0.5,
    max_model_len=4000,
    max_num_seqs=8,
    quantization="awq",
    dtype="float16",
    enforce_eager=True,
)
SAMPLED = Sampling(temperature=1.0, stops=("x",), logprobs=True, end="<|im_end|>")
there = importlib.util.find_spec("vllm") is not None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("vllm") / "tiny", tied=False)


@pytest.fixture
def fake() -> Iterator[type[LLM]]:
    with installed() as llm:
        yield llm


def prompts() -> list[list[Piece]]:
    return [FORMAT.prompt(Dialogue((User(text),))) for text in ("hi", "what is this?", "x" * 60)]


# --- what is passed -----------------------------------------------------------------------


def test_all_that_is_passed_is_known_to_the_version_that_it_was_written_for() -> None:
    assert set(engine_arguments("m", "bf16", EVERY)) <= LLM_TAKES
    assert set(sampling_arguments(SAMPLED, (1, 2), 3)) <= SAMPLING_TAKES
    with installed() as llm, pytest.raises(TypeError, match="gpu_memory"):
        llm(model="m", gpu_memory=1)


@pytest.mark.skipif(not there, reason="vllm is not installed")
def test_all_that_is_passed_is_known_to_the_vllm_that_is_installed() -> None:
    import inspect
    from dataclasses import fields

    import vllm
    from vllm.utils.argparse_utils import (
        FlexibleArgumentParser,
    )

    takes = set(inspect.signature(vllm.LLM.__init__).parameters)
    takes |= {field.name for field in fields(vllm.EngineArgs)}
    assert set(engine_arguments("m", "bf16", EVERY)) <= takes
    assert set(sampling_arguments(SAMPLED, (1, 2), 3)) <= set(
        inspect.signature(vllm.SamplingParams).parameters
    )
    assert {"prompts", "sampling_params", "use_tqdm"} <= set(
        inspect.signature(vllm.LLM.generate).parameters
    )
    assert "prompt_token_ids" in vllm.TokensPrompt.__annotations__
    assert {"token_ids", "logprobs", "finish_reason"} <= set(
        inspect.signature(vllm.CompletionOutput).parameters
    )
    parser = vllm.EngineArgs.add_cli_args(FlexibleArgumentParser())
    flags = {flag for action in parser._actions for flag in action.option_strings}
    words = {word for word in serve_command("m", name="m", copies=2) if word.startswith("--")}
    assert words - {"--host", "--port"} <= flags


def test_a_request_says_how_it_is_drawn_and_greedy_needs_no_seed() -> None:
    greedy = sampling_arguments(Sampling(), (1, 2), None)
    assert (greedy["temperature"], greedy["seed"], greedy["stop_token_ids"]) == (0.0, None, [])
    assert greedy["logprobs"] is None
    drawn = sampling_arguments(SAMPLED, (1, 2), 3)
    assert drawn["seed"] == seed_of((1, 2), 0) != sampling_arguments(SAMPLED, (1, 3), 3)["seed"]
    assert (drawn["stop"], drawn["stop_token_ids"], drawn["logprobs"]) == (["x"], [3], 0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tensor_parallel": 2}, "did you mean 'tensor_parallel_size'"),
        ({"tensor_parallel_size": 0}, "tensor_parallel_size"),
        ({"tensor_parallel_size": "two"}, "tensor_parallel_size"),
        ({"dtype": "float8"}, "dtype"),
        ({"data_parallel_size": 2}, "no setting 'data_parallel_size'"),
    ],
)
def test_an_option_that_it_does_not_have_is_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        check_options("vllm", options)


def test_only_options_that_decide_answers_tell_runs_apart() -> None:
    given = {"tensor_parallel_size": 2, "quantization": "fp8", "gpu_memory_utilization": 0.5}
    assert deciding("vllm", given) == {"quantization": "fp8"}


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(MissingExtra, match=r"pip install 'coalm\[vllm\]'"):
        open_engine("vllm", str(folder))


# --- what comes back ----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("end", ["", "<|im_end|>"])
def test_answers_are_those_of_the_other_engine(fake: type[LLM], folder: Path, end: str) -> None:
    vllm = open_engine("vllm", str(folder), dtype="fp32")
    plain = open_engine("transformers", str(folder), dtype="fp32")
    [whole, *_] = plain.complete(prompts(), Sampling(max_tokens=30))
    assert isinstance(whole, Completion)
    for stops in ((), (whole.text[4:6],)):
        sampling = Sampling(max_tokens=20, end=end, stops=stops, logprobs=True)
        for ours, theirs in zip(
            vllm.complete(prompts(), sampling), plain.complete(prompts(), sampling), strict=True
        ):
            assert isinstance(ours, Completion)
            assert isinstance(theirs, Completion)
            assert ours.logprobs == pytest.approx(theirs.logprobs, abs=1e-3)
            assert (ours.text, ours.ended, ours.prompt_tokens, ours.completion_tokens) == (
                theirs.text,
                theirs.ended,
                theirs.prompt_tokens,
                theirs.completion_tokens,
            )
    assert fake.seen == [engine_arguments(str(folder), "fp32", VllmOptions())]


@pytest.mark.slow
def test_what_does_not_fit_is_silence_and_what_is_called_off_is_unanswered(
    fake: type[LLM], folder: Path
) -> None:
    from coalm.engines.vllm import open_vllm

    engine = open_vllm(str(folder), options={"max_model_len": 90})
    length = len(encode(prompts()[2], engine.tokenizer).ids)
    answers = engine.complete(prompts(), Sampling(max_tokens=20))
    assert answers[2] == Completion("", "length", length, 0)
    assert isinstance(answers[0], Completion)
    assert answers[0].completion_tokens == 20
    fake.ends = "abort"
    assert isinstance(engine.complete(prompts(), Sampling(max_tokens=20))[0], Unanswered)
    assert engine.complete([], Sampling()) == []


@pytest.mark.slow
def test_a_model_that_cannot_be_loaded_is_one_line(
    fake: type[LLM], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: LLM, **_: Any) -> None:
        raise RuntimeError("no GPU was found\nand a long story")

    monkeypatch.setattr(fake, "__init__", fails)
    with pytest.raises(ModelError, match=r"vllm cannot load .*: no GPU was found$"):
        open_engine("vllm", str(folder))


# --- serving ------------------------------------------------------------------------------


def test_a_server_is_started_with_our_settings_and_asked_under_its_name() -> None:
    words = serve_command(
        "/m",
        name="m",
        options={"tensor_parallel_size": 2, "max_model_len": 8000},
        copies=4,
        port=8001,
        tools="hermes",
    )
    assert words[:5] == ["vllm", "serve", "/m", "--served-model-name", "m"]
    line = shlex.join(words)
    for part in (
        "--port 8001",
        "--dtype bfloat16",
        "--tensor-parallel-size 2",
        "--max-model-len 8000",
        "--data-parallel-size 4",
        "--enable-prefix-caching",
        "--tool-call-parser hermes",
    ):
        assert part in line
    assert "trust-remote-code" not in line
    assert "data-parallel" not in shlex.join(serve_command("/m", name="m"))
    urls = ["http://a:8000/v1", "http://b:8000/v1"]
    assert eval_command("m", urls, layout="chatml") == (
        "coalm eval m --engine server --base-url http://a:8000/v1 --base-url http://b:8000/v1 "
        "--raw --layout chatml"
    )
    with pytest.raises(RecipeError, match="did you mean 'bf16'"):
        serve_command("/m", name="m", dtype="bf61")
    with pytest.raises(RecipeError, match="copies"):
        serve_command("/m", name="m", copies=0)
