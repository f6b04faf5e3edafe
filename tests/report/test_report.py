"""A report says what the scores say: all of it, nothing else, and safely."""

import builtins
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coalm import store
from coalm.errors import CoalmError, MissingExtra
from coalm.report import Written, build

if TYPE_CHECKING:
    from tests.report.conftest import Folders

VOID = {"meta", "link", "br", "hr", "img", "input", "path", "use"}


class Tags(HTMLParser):
    """Reads a page: its text, its tags in balance, and what it would fetch."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.referred: list[str] = []
        self.words: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.open += [] if tag in VOID else [tag]
        self._attributes(tag, dict(attrs))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self._attributes(tag, dict(attrs))

    def _attributes(self, tag: str, found: dict[str, str | None]) -> None:
        self.ids += [found["id"] or ""] if "id" in found else []
        self.referred += (found.get("aria-labelledby") or "").split()
        links = [found.get("src"), found.get("srcset"), found.get("data")]
        links += [] if tag == "a" else [found.get("href")]
        self.fetched += [link for link in links if link and not link.startswith("#")]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open, f"</{tag}> closes nothing"
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def _page(written: Written) -> Tags:
    tags = Tags()
    tags.feed(written.html.read_text(encoding="utf-8"))
    tags.close()
    assert tags.open == []
    return tags


def _both(folders: "Folders", right: int = 20, **fields: Any) -> Path:
    folders.multiwoz("base", 3)
    folders.multiwoz("tuned", right, **fields)
    return folders.root


def test_every_figure_of_the_scores_is_on_the_page_and_in_the_markdown(folders: "Folders") -> None:
    written = build([_both(folders)], folders.root / "report")
    text, md = _page(written).text, written.md.read_text()

    for label in ("base", "tuned"):
        path = folders.root / label / "multiwoz.dst-json" / "scores.json"
        for metric in store.read_json(path)["metrics"]:
            interval = f"[{metric['low']:.1f}, {metric['high']:.1f}]"
            assert f"{metric['value']:.1f} {interval} n={metric['n']}" in text
            assert f"{metric['value']:.1f} {interval} n={metric['n']}" in md


def test_a_changed_score_changes_the_page(folders: "Folders") -> None:
    first = build([_both(folders, 20)], folders.root / "report")
    pages = (first.html.read_text(), first.md.read_text())
    second = build([_both(folders, 21)], folders.root / "report")

    assert second.html.read_text() != pages[0]
    assert second.md.read_text() != pages[1]
    assert "70.0 [" in second.md.read_text()


def test_the_same_runs_give_the_same_bytes(folders: "Folders") -> None:
    store.append(folders.root / "train" / "metrics.jsonl", [{"step": 1, "loss": 2.0}])
    first = build([_both(folders)], folders.root / "report").html.read_bytes()

    assert build([folders.root], folders.root / "report").html.read_bytes() == first


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (20, "tuned is better than base by 56.7 points"),
        (4, "tuned cannot be told from base: the difference is +3.3 points"),
        (3, "tuned cannot be told from base: the difference is +0.0 points"),
    ],
)
def test_the_headline_follows_the_interval(folders: "Folders", right: int, words: str) -> None:
    written = build([_both(folders, right)], folders.root / "report")

    assert written.headline[0] == "tuned against base, on 30 cases."
    assert words in written.headline[1]
    assert written.headline[1] in _page(written).text


def test_a_model_that_got_worse_is_said_to_be_worse(folders: "Folders") -> None:
    folders.multiwoz("base", 25)
    folders.multiwoz("tuned", 5)

    written = build([folders.root], folders.root / "report")

    assert "tuned is worse than base by 66.7 points" in written.headline[1]


def test_one_model_alone_is_compared_with_nothing(folders: "Folders") -> None:
    folders.multiwoz("tuned", 20)

    written = build([folders.root / "tuned"], folders.root / "report")
    text = _page(written).text

    assert "nothing is compared" in written.headline[0]
    assert "minus" not in text
    assert "66.7" in written.headline[1]
    assert written.summary[0].gap == ""


def test_models_on_different_data_are_not_compared(folders: "Folders") -> None:
    folders.multiwoz("base", 3)
    folders.multiwoz("tuned", 20, version="2.1")

    written = build([folders.root], folders.root / "report")

    assert "cannot be paired" in written.headline[1]
    assert written.summary[0].gap == ""


def test_what_was_not_answered_is_told(folders: "Folders") -> None:
    written = build([_both(folders, not_answered=2)], folders.root / "report")
    text, md = _page(written).text, written.md.read_text()

    assert "2 cases were not answered" in written.headline[0]
    assert "not answered (not scored) 0 2" in text
    assert "| not answered (not scored) | 0 | 2 |" in md


def test_the_papers_figures_stand_beside_ours_with_their_protocol(folders: "Folders") -> None:
    written = build([_both(folders)], folders.root / "report")
    text, md = _page(written).text, written.md.read_text()

    assert "30.4† 43.8† 38.8†" in text
    assert "| 30.4† | 43.8† | 38.8† |" in md
    assert "Not directly comparable" in text
    assert written.summary[0].paper_8b == "30.4†"
    assert written.summary[1].paper_8b == "–"  # noqa: RUF001


def test_a_run_of_one_level_has_that_levels_figures_beside_it(folders: "Folders") -> None:
    rows = [
        {
            "id": f"L-1/{n}",
            "part": "L-1",
            "prompt": "p",
            "raw": ["x"],
            "gold": "g",
            "answer": "x",
            "ended": "spoke",
            "scores": {"rougel": 0.5, "exact": 0.0},
            "kind": "wrong argument",
            "note": "",
        }
        for n in range(4)
    ]
    folders.bench("tuned", "apibank.hammer", rows, available=399)

    summary = build([folders.root], folders.root / "report").summary

    assert {r.metric: r.paper_8b for r in summary} == {
        "ROUGE-L": "92.8‡",
        "Exact match": "–",  # noqa: RUF001
    }, "the figure of the level is said once, not again as the level's"


HOSTILE = '<script>alert("x")</script> </pre> </details> ```` | [a](b) \x1b[31m \ud800 \u202egnp'


def test_what_a_model_wrote_is_shown_and_does_nothing(folders: "Folders") -> None:
    row = {
        "id": "a|b<c>#0",
        "part": "",
        "prompt": HOSTILE,
        "raw": [HOSTILE],
        "gold": HOSTILE,
        "answer": HOSTILE,
        "ended": "spoke",
        "scores": {"joint": 0.0, "tp": 0.0, "fp": 1.0, "fn": 1.0},
        "kind": "format",
        "note": HOSTILE,
    }
    folders.bench("<b>tuned", "multiwoz.dst-json", [row])

    written = build([folders.root], folders.root / "report", title="<i>Report</i>")
    tags, md = _page(written), written.md.read_text(encoding="utf-8")

    assert not {"script", "b>tuned", "i", "c"} & set(tags.seen)
    assert '<script>alert("x")</script>' in tags.text
    assert "⟨U+001B⟩[31m ⟨U+D800⟩ ⟨U+202E⟩gnp" in tags.text
    assert "\n`````text\n" in md, "a fence that the text cannot close"
    assert "&lt;i>Report" in md
    assert "# <i>" not in md
    _well_formed(md)


def test_the_page_asks_for_nothing(folders: "Folders") -> None:
    store.append(folders.root / "train" / "metrics.jsonl", [{"step": 1, "loss": 2.0}])
    written = build([_both(folders)], folders.root / "report")
    tags, page = _page(written), written.html.read_text()

    assert tags.fetched == []
    assert not {"script", "link", "iframe", "img", "object", "embed"} & set(tags.seen)
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_the_page_can_be_heard(folders: "Folders") -> None:
    store.append(folders.root / "train" / "metrics.jsonl", [{"step": 1, "loss": 2.0}])
    written = build([_both(folders)], folders.root / "report")
    tags, page = _page(written), written.html.read_text()

    assert len(set(tags.ids)) == len(tags.ids), "an id is there once"
    assert set(tags.referred) <= set(tags.ids)
    assert tags.seen.count("svg") == page.count('role="img"') == 2
    assert "JGA: base 10.0 [" in tags.text, "the plot's words"
    assert '<html lang="en">' in page
    assert re.findall(r"<th(?![^>]*scope=)[ >]", page) == []


def test_a_hidden_training_shows_no_curve(folders: "Folders") -> None:
    assert "Loss over" not in _page(build([_both(folders)], folders.root / "report")).text


def test_every_markdown_table_is_well_formed(folders: "Folders") -> None:
    written = build([_both(folders)], folders.root / "report")

    assert _well_formed(written.md.read_text()) == 4


def _well_formed(md: str) -> int:
    """How many tables there are; each row must have as many cells as its header."""
    outside = re.sub(r"^(`{3,})text\n.*?^\1$", "", md, flags=re.DOTALL | re.MULTILINE)
    tables = re.findall(r"(?:^\|.*\|$\n?)+", outside, flags=re.MULTILINE)
    for table in tables:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.strip().splitlines()}
        assert len(widths) == 1, table
        assert set(table.splitlines()[1]) <= set("|- ")
    return len(tables)


def test_the_command_that_makes_the_numbers_again_is_told(folders: "Folders") -> None:
    written = build([_both(folders)], folders.root / "report")

    assert "coalm eval --label tuned" in _page(written).text
    assert "coalm eval --label tuned" in written.md.read_text()
    assert "chatml+json" in _page(written).text


def test_three_models_are_all_in_the_table_and_the_ends_are_compared(folders: "Folders") -> None:
    folders.multiwoz("middle", 9)

    written = build([_both(folders)], folders.root / "report")

    assert list(written.summary[0].values) == ["base", "middle", "tuned"]
    assert "The tables also hold middle." in written.headline[0]


def test_the_drawings_need_matplotlib_and_say_so(
    folders: "Folders", monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return whole(name, *rest, **named)

    root = _both(folders)
    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(MissingExtra, match=r"coalm\[report\]"):
        build([root], folders.root / "report")
    assert not (folders.root / "report").exists(), "nothing half-written stays behind"


def test_a_label_in_any_script_is_drawn(folders: "Folders") -> None:
    folders.multiwoz("模型 $x$ 🙂", 9)

    written = build([folders.root], folders.root / "report")

    assert _page(written).text.count("模型 $x$ 🙂") > 3


def test_scores_without_a_main_metric_make_a_page_without_a_plot(folders: "Folders") -> None:
    path = folders.multiwoz("tuned", 9) / "scores.json"
    store.write_json(path, store.read_json(path) | {"metrics": []})

    written = build([folders.root], folders.root / "report")

    assert "svg" not in _page(written).seen
    assert written.summary == ()


def test_a_file_name_is_not_a_folder(folders: "Folders") -> None:
    with pytest.raises(CoalmError, match="name a folder"):
        build([_both(folders)], folders.root / "report.html")
