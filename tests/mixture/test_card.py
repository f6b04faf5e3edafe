"""The data card: everything a reader must know of a folder, the same bytes every time."""

import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from coalm.mixture import card, lengths, plots
from tests.mixture.folders import BESIDE, TALK, data_folder, manifest, part


def front_matter(text: str) -> dict[str, object]:
    found = yaml.safe_load(text.split("---\n")[1])
    assert isinstance(found, dict)
    return found


def test_the_card_says_what_is_in_the_folder_and_shows_it(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "mix")
    text = (folder / "README.md").read_text()

    assert "5 rows for training" in text
    assert (
        "| sgd-cra | sgd-cra, the corpus (example.org/sgd-cra) | CC-BY-SA-4.0 | 1 | 0 | 200 |"
        in text
    )
    for name in (plots.COMPOSITION, plots.LENGTHS):
        assert f"({name})" in text
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    assert "half within 255 tokens" in text
    assert "multiwoz: 7,368 texts compared by 13 words in a row; 2 rows dropped" in text


def test_the_front_matter_names_licences_size_and_files(tmp_path: Path) -> None:
    told = front_matter(card.card(manifest(tmp_path, [TALK, BESIDE], [TALK])))

    assert told["license"] == ["apache-2.0", "cc-by-sa-4.0"]
    assert told["size_categories"] == ["n<1K"]
    assert told["configs"] == [
        {
            "config_name": "default",
            "data_files": [
                {"split": "train", "path": "train-*.parquet"},
                {"split": "validation", "path": "valid-*.parquet"},
            ],
        }
    ]


def test_a_split_without_rows_is_not_promised(tmp_path: Path) -> None:
    text = card.card(manifest(tmp_path, [TALK], []))
    assert "valid-*" not in text.split("---\n")[1]


@pytest.mark.parametrize(
    ("rows", "named"),
    [(999, "n<1K"), (1000, "1K<n<10K"), (316_497, "100K<n<1M"), (2_000_000, "1M<n<10M")],
)
def test_the_size_category_is_the_hubs(rows: int, named: str) -> None:
    assert card.size_category(rows) == named


def test_the_card_warns_of_licences_parts_and_miniatures(tmp_path: Path) -> None:
    parts = (
        part("hammer", 3, licences=("Apache-2.0", "CC-BY-NC-4.0"), partial="410 of 67,500 rows"),
        part("sgd-cra", 2),
        part("snips", 1, origin="miniature"),
        part("own", 1, licences=("as its owner says",)),
    )
    text = card.card(manifest(tmp_path, [], [], parts=parts))

    assert "- hammer: partial, 410 of 67,500 rows." in text
    assert "- hammer: CC-BY-NC-4.0 forbids commercial use." in text
    assert "- sgd-cra: CC-BY-SA-4.0 asks for the same licence on what is made of it." in text
    assert "Non-commercial and share-alike parts stand side by side" in text
    assert "- snips: the bundled MINIATURE, good for trying out only." in text
    assert "- own: its licence is for you to know." in text


def test_a_part_that_gave_no_row_forbids_nothing(tmp_path: Path) -> None:
    parts = (part("hammer", 0, licences=("CC-BY-NC-4.0",)), part("snips", 1))
    text = card.card(manifest(tmp_path, [], [], parts=parts))
    assert "forbids" not in text
    assert front_matter(text)["license"] == "apache-2.0"


def test_what_was_left_out_is_a_table_and_names_its_list(tmp_path: Path) -> None:
    parts = (
        part("toolace", 1, skipped={"a broken | call": 3}, dropped={"too long": 2}),
        part("toolace", 1, dropped={"too long": 5}),
    )
    text = card.card(manifest(tmp_path, [], [], parts=parts, left_out="left_out.jsonl"))

    assert "| toolace | a broken \\| call | 3 |" in text
    assert "| toolace | too long | 7 |" in text
    assert "`left_out.jsonl` names each of them" in text


def test_an_unchecked_mixture_says_so(tmp_path: Path) -> None:
    unchecked = {"ngram": 0, "benchmarks": {}}
    text = card.card(manifest(tmp_path, [TALK], [], decontamination=unchecked))
    assert "NOT compared with any benchmark" in text


def test_the_same_manifest_gives_the_same_bytes_whatever_the_readers_style(tmp_path: Path) -> None:
    import matplotlib

    one = data_folder(tmp_path / "one" / "mix")
    with matplotlib.rc_context({"font.size": 30, "savefig.dpi": 20, "axes.facecolor": "red"}):
        two = data_folder(tmp_path / "two" / "mix")

    for name in ("README.md", plots.COMPOSITION, plots.LENGTHS):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_without_matplotlib_the_card_says_how_to_get_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    folder = data_folder(tmp_path / "mix")

    assert "pip install 'coalm[report]'" in (folder / "README.md").read_text()
    assert not list(folder.glob("*.png"))


def test_a_folder_whose_lengths_are_unknown_gets_one_picture(tmp_path: Path) -> None:
    made = manifest(tmp_path, [], [], parts=(part("snips", 3, lengths={}),))
    assert list(plots.draw(tmp_path, made) or ()) == [plots.COMPOSITION]


@pytest.mark.slow
def test_the_datasets_library_loads_the_folder_as_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    folder = data_folder(tmp_path / "mix", valid=[TALK], of=2)
    found = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))

    assert {name: len(rows) for name, rows in found.items()} == {"train": 5, "validation": 1}
    assert found["validation"][0]["id"] == TALK.id


# --- lengths ------------------------------------------------------------------------------

counted = st.dictionaries(
    st.integers(0, 60).map(lambda n: n * lengths.BIN), st.integers(1, 50), max_size=12
)


@given(st.lists(st.integers(0, 8000), min_size=1), st.floats(0.01, 1))
def test_so_many_tokens_are_enough_for_that_share(rows: list[int], share: float) -> None:
    counts = lengths.together({lengths.bin_of(n): 1} for n in rows)
    enough = lengths.at_most(counts, share)

    assert sum(n <= enough for n in rows) >= share * len(rows)
    assert sum(n <= enough - lengths.BIN for n in rows) < share * len(rows)


@given(counted, st.integers(1, 8000), st.integers(1, 60))
def test_a_spark_line_is_as_wide_as_asked_and_hides_no_row(
    counts: dict[int, int], end: int, width: int
) -> None:
    line = lengths.spark(counts, end, width)
    assert len(line) == (width if counts else 0)
    assert bool(line.strip()) == bool(counts)
