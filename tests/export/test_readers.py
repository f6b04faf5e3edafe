"""Every export as its readers read it: datasets, TRL, LLaMA-Factory, axolotl."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import validate

from coalm import models
from coalm.export import TARGETS, Manner, export, target
from coalm.formats import format_of, plain
from coalm.types import Assistant, Dialogue, Observation, System
from tests.export import schemas
from tests.export.test_folder import ORIGIN, lines
from tests.mixture.folders import EVERY, TALK, TWICE, WHOLE, data_folder
from tests.tiny import tiny_model

SMOLLM2 = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + "
    "message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
)
"""A template that knows words only, as SmolLM2's does."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return data_folder(tmp_path / "mix", EVERY, [TWICE])


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def loaded(folder: Path, tmp_path: Path) -> Any:
    datasets = pytest.importorskip("datasets")
    return datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))


# --- datasets -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
@pytest.mark.parametrize("kind", TARGETS)
def test_datasets_loads_an_export_row_for_row(
    kind: str, form: Any, data: Path, tmp_path: Path
) -> None:
    made = export(data, tmp_path / "out", target(kind), ORIGIN, form=form)
    found = loaded(tmp_path / "out", tmp_path)
    rows = [row for s in EVERY for row in getattr(target(kind).say(s, Manner()), "rows", ())]

    assert {name: len(side) for name, side in found.items()} == {
        "train": made.rows["train"],
        "validation": made.rows["valid"],
    }
    assert list(found["train"]) == rows


# --- TRL ----------------------------------------------------------------------------------


def whole(dialogue: Dialogue, text: str) -> bool:
    """Whether every word, thought, call and result of a dialogue is in a text."""
    parts: list[str] = []
    for turn in dialogue.turns:
        parts.append(turn.text)
        if isinstance(turn, Assistant):
            parts.append(turn.thought)
            for call in turn.calls:
                parts += [call.name, *map(str, call.arguments.values())]
    return all(part in text for part in parts)


@pytest.mark.slow
@pytest.mark.model
def test_trl_renders_the_whole_of_each_row_with_the_embedded_models_template(
    embedded: Path, data: Path, tmp_path: Path
) -> None:
    trl = pytest.importorskip("trl.data_utils")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(embedded)
    # Its template knows words only, so calls and thoughts are written into them.
    export(data, tmp_path / "out", target("openai"), ORIGIN, manner=Manner("own"))
    for sample, row in zip(EVERY, loaded(tmp_path / "out", tmp_path)["train"], strict=True):
        text = trl.maybe_apply_chat_template(row, tokenizer)["text"]
        assert whole(sample.dialogue, text)
        fmt = format_of("chatml", sample.dialect or "json")
        ours = "".join(plain(example) for example in fmt.examples(sample.dialogue))
        # Where there is no system message the template puts in one of its own.
        assert text.endswith(ours)
        if isinstance(sample.dialogue.turns[0], System) and sample is not WHOLE:
            assert text == ours


@pytest.mark.slow
@pytest.mark.parametrize("thoughts", ["think", "reasoning_content"])
def test_trl_renders_calls_tools_and_thoughts_where_the_template_knows_them(
    thoughts: str, data: Path, tmp_path: Path
) -> None:
    trl = pytest.importorskip("trl")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model(tmp_path / "tiny"))
    template = Path(trl.__file__).parent / "chat_templates" / "qwen3.jinja"
    tokenizer.chat_template = template.read_text()
    export(data, tmp_path / "out", target("openai"), ORIGIN, manner=Manner(thoughts=thoughts))
    for sample, row in zip(EVERY, loaded(tmp_path / "out", tmp_path)["train"], strict=True):
        text = trl.data_utils.apply_chat_template(row, tokenizer, tools=row["tools"])["text"]
        for tool in sample.dialogue.tools:
            assert f'"name": "{tool.name}"' in text
        for turn in sample.dialogue.turns:
            if isinstance(turn, Assistant):
                assert turn.text in text
                for call in turn.calls:
                    assert f'<tool_call>\n{{"name": "{call.name}"' in text
            elif isinstance(turn, Observation):
                assert f"<tool_response>\n{turn.text}\n</tool_response>" in text
        if sample is TALK:
            # This template keeps thoughts behind the last question alone; none is left here.
            assert "I need the buses." not in text


@pytest.mark.slow
def test_trls_trainer_prepares_the_rows_and_learns_every_answer(data: Path, tmp_path: Path) -> None:
    trl = pytest.importorskip("trl")
    from transformers import AutoTokenizer

    model = tiny_model(tmp_path / "tiny")
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.chat_template = SMOLLM2.replace(
        "message['content'] + '<|im_end|>' + '\n' }}",
        "'' }}{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + "
        "'<|im_end|>' }}{% endgeneration %}{% else %}{{ message['content'] + '<|im_end|>' }}"
        "{% endif %}{{ '\n' }}",
    )
    export(data, tmp_path / "out", target("openai"), ORIGIN, manner=Manner("own"))
    with models.quiet():  # the libraries' notes to their own authors
        trainer = trl.SFTTrainer(
            model=str(model),
            args=trl.SFTConfig(
                output_dir=str(tmp_path / "run"),
                max_length=4096,
                use_cpu=True,
                report_to="none",
                assistant_only_loss=True,
                eos_token="<|im_end|>",
            ),
            train_dataset=loaded(tmp_path / "out", tmp_path)["train"],
            processing_class=tokenizer,
        )
    for sample, row in zip(EVERY, trainer.train_dataset, strict=True):
        learned = tokenizer.decode([i for i in row["labels"] if i != -100])
        fmt = format_of("chatml", sample.dialect or "json")
        ours = "".join(
            piece.text for text in fmt.examples(sample.dialogue) for piece in text if piece.learned
        )
        assert learned == ours


# --- LLaMA-Factory ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        ("sharegpt", schemas.SHAREGPT),
        ("alpaca", schemas.ALPACA),
        ("coalm-it", schemas.COALM_IT),
    ],
)
def test_llama_factory_finds_files_and_columns_by_the_entry_beside_them(
    kind: str, schema: dict[str, Any], data: Path, tmp_path: Path
) -> None:
    export(data, tmp_path / "out", target(kind), ORIGIN)
    info = json.loads((tmp_path / "out" / "dataset_info.json").read_text())

    validate(info, schemas.DATASET_INFO)
    assert set(info) == {"my_mix", "my_mix_valid"}
    for entry in info.values():
        for row in lines(tmp_path / "out" / entry["file_name"]):
            validate(row, schema)
            assert set(entry["columns"].values()) == set(row)


def test_llama_factorys_tags_are_the_ones_in_the_rows(data: Path, tmp_path: Path) -> None:
    export(data, tmp_path / "out", target("sharegpt"), ORIGIN)
    tags = json.loads((tmp_path / "out" / "dataset_info.json").read_text())["my_mix"]["tags"]
    rows = lines(tmp_path / "out" / "train.jsonl")

    used = {turn[tags["role_tag"]] for row in rows for turn in row["conversations"]}
    assert used == {
        v for k, v in tags.items() if k.endswith("_tag") and k not in ("role_tag", "content_tag")
    }


# --- axolotl ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_axolotls_part_of_a_configuration_fits_its_schema_and_the_files(
    form: Any, data: Path, tmp_path: Path
) -> None:
    export(data, tmp_path / "out", target("openai"), ORIGIN, form=form)
    told = yaml.safe_load((tmp_path / "out" / "axolotl.yaml").read_text())

    validate(told, schemas.AXOLOTL)
    for one in (*told["datasets"], *told["test_datasets"]):
        assert (tmp_path / "out" / one["path"]).is_file()
        assert one["ds_type"] == {"jsonl": "json", "parquet": "parquet"}[form]


def test_openai_rows_fit_openais_own_schema(data: Path, tmp_path: Path) -> None:
    export(data, tmp_path / "out", target("openai"), ORIGIN)
    rows = lines(tmp_path / "out" / "train.jsonl")
    assert len(rows) == len(EVERY)
    for row in rows:
        validate(row, schemas.OPENAI)
