"""The data card: what is in a folder, from where, under which licences, with what care.

It is Markdown with the front matter that the `datasets` library reads, so the folder
loads as it lies. Nothing in it depends on the day or on the machine.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coalm import store
from coalm.mixture import plots
from coalm.mixture.lengths import at_most
from coalm.mixture.paper_table import table1

if TYPE_CHECKING:
    from coalm.mixture.manifest import Manifest, PartReport

NAME = "README.md"

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (10**6, "100K<n<1M"))
"""The size categories of a dataset card, by the rows that they end before."""

_SPLITS = {"train": "train", "validation": "valid"}
"""What `datasets` calls a split -> how its files begin."""


def write(folder: Path, manifest: "Manifest") -> None:
    """Write `README.md` and the pictures in it into a data folder."""
    store.write_text(folder / NAME, card(manifest, plots.draw(folder, manifest)))


def card(manifest: "Manifest", pictures: Mapping[str, str] | None = None) -> str:
    """The folder's README; `pictures` are file names -> what they show, None if none was drawn."""
    lines = [
        *_front_matter(manifest),
        "# Training data for conversational agents that use tools",
        "",
        f"Made by {manifest.made_by} from recipe {manifest.recipe_hash}: {manifest.train:,} rows "
        f"for training, {manifest.valid:,} for validation; {manifest.tokens:,} tokens, of which "
        f"{manifest.learned:,} are learned (tokenizer {manifest.recipe['tokenizer']}, layout "
        f"{manifest.recipe['layout']}). `manifest.json` holds every setting, and the sha256 of "
        "what was read and written.",
        "",
        "## What is in it",
        "",
        "| corpus | source | licence | train | valid | tokens a row | learned | 95% within |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |",
        *(_row(part) for part in manifest.parts),
        "",
        *_pictures(pictures),
        *_paper(manifest),
        *_section("Read with care", _warnings(manifest)),
        *_table("Left out", _left_out(manifest), _left_out_ending(manifest)),
        *_section("Kept out of training", _held_out(manifest)),
        *_LOADING,
    ]
    return "\n".join(lines) + "\n"


def _paper(manifest: "Manifest") -> list[str]:
    table = table1(manifest)
    return ["## Table 1 of the paper beside it", "", table, ""] if table else []


# --- front matter -------------------------------------------------------------------------


def _front_matter(manifest: "Manifest") -> list[str]:
    import yaml

    found = list(hub_licences(manifest))
    sides = {"train": manifest.train, "validation": manifest.valid}
    told: dict[str, Any] = {
        "license": found[0] if len(found) == 1 else found,
        "language": ["en"],
        "task_categories": ["text-generation"],
        "tags": [
            "conversational",
            "function-calling",
            "tool-use",
            "task-oriented-dialogue",
            "dialogue-state-tracking",
        ],
        "size_categories": [size_category(manifest.train + manifest.valid)],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": f"{begin}-*.parquet"}
                    for split, begin in _SPLITS.items()
                    if sides[split]
                ],
            }
        ],
    }
    return ["---", yaml.safe_dump(told, sort_keys=False, width=100).rstrip(), "---", ""]


def hub_licences(manifest: "Manifest") -> tuple[str, ...]:
    """The licences of a folder as dataset cards name them."""
    every = (one for part in manifest.parts if part.kept for one in part.licences)
    return tuple(dict.fromkeys(map(_hub_name, every)))


def size_category(rows: int) -> str:
    """The size category of a dataset card."""
    return next((name for end, name in SIZES if rows < end), "1M<n<10M")


_HUB_NAMES = ("apache-2.0", "cc-by-4.0", "cc-by-nc-4.0", "cc-by-sa-4.0", "cc0-1.0", "mit")


def _hub_name(licence: str) -> str:
    """The licence as a dataset card names it; `other` if it has no name there."""
    return licence.lower() if licence.lower() in _HUB_NAMES else "other"


# --- parts of the page --------------------------------------------------------------------


def _row(part: "PartReport") -> str:
    mean = part.tokens / part.kept if part.kept else 0
    share = part.learned / part.tokens if part.tokens else 0
    cells = (
        part.name,
        f"{part.title} ({part.address})",
        ", ".join(part.licences),
        f"{part.train:,}",
        f"{part.valid:,}",
        f"{mean:,.0f}",
        f"{share:.0%}",
        f"{at_most(part.lengths, 0.95):,} tokens" if part.lengths else "",
    )
    return f"| {' | '.join(map(_cell, cells))} |"


def _pictures(pictures: Mapping[str, str] | None) -> list[str]:
    if pictures is None:
        return ["*Without pictures: they need `pip install 'coalm[report]'`.*", ""]
    return [part for name, shown in pictures.items() for part in (f"![{shown}]({name})", "")]


def _warnings(manifest: "Manifest") -> list[str]:
    found = []
    for part in manifest.parts:
        if part.origin == "miniature":
            found.append(f"{part.corpus}: the bundled MINIATURE, good for trying out only.")
        elif part.partial:
            found.append(f"{part.corpus}: partial, {part.partial}.")
    every = [(p.corpus, licence) for p in manifest.parts if p.kept for licence in p.licences]
    closed = [one for one in every if "-NC" in one[1]]
    alike = [one for one in every if "-SA" in one[1]]
    found += [f"{corpus}: {licence} forbids commercial use." for corpus, licence in closed]
    found += [
        f"{corpus}: {licence} asks for the same licence on what is made of it."
        for corpus, licence in alike
    ]
    if closed and alike:
        found.append(
            "Non-commercial and share-alike parts stand side by side: no one licence satisfies "
            "both, so keep the parts apart if you pass on something made of this folder."
        )
    own = {corpus for corpus, licence in every if _hub_name(licence) == "other"}
    found += [f"{corpus}: its licence is for you to know." for corpus in sorted(own)]
    return list(dict.fromkeys(found))


def _left_out(manifest: "Manifest") -> list[str]:
    counts: dict[tuple[str, str], int] = {}
    for part in manifest.parts:
        for reason, count in (*part.skipped.items(), *part.dropped.items()):
            counts[part.corpus, reason] = counts.get((part.corpus, reason), 0) + count
    if not counts:
        return []
    rows = [f"| {_cell(c)} | {_cell(reason)} | {n:,} |" for (c, reason), n in counts.items() if n]
    return ["| corpus | reason | rows |", "| --- | --- | ---: |", *rows]


def _left_out_ending(manifest: "Manifest") -> str:
    if not manifest.left_out:
        return ""
    return (
        f"`{manifest.left_out}` names each of them; `coalm data show FOLDER --left-out` reads it."
    )


def _held_out(manifest: "Manifest") -> list[str]:
    held: Mapping[str, Mapping[str, int]] = manifest.decontamination.get("benchmarks", {})
    ngram = manifest.decontamination.get("ngram", 0)
    return [
        f"{name}: {counts['texts']:,} texts compared by {ngram} words in a row; "
        f"{counts['dropped']:,} rows dropped"
        for name, counts in held.items()
    ] or ["Nothing was held out: the rows were NOT compared with any benchmark."]


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}", "", *(f"- {line}" for line in lines), ""] if lines else []


def _table(title: str, lines: list[str], ending: str) -> list[str]:
    if not lines:
        return []
    return [f"## {title}", "", *lines, "", *([ending, ""] if ending else [])]


def _cell(text: str) -> str:
    """Text that cannot end a table's cell or begin markup."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


_LOADING = [
    "## Use",
    "",
    "Rows are JSON in parquet columns: `id`, `corpus`, `group`, `dialect`, `turns`, `tools`. "
    "Rows of one group come from one source dialogue and stay on one side of the split.",
    "",
    "```python",
    "import json",
    "from datasets import load_dataset",
    "",
    'rows = load_dataset("FOLDER")  # this folder; splits: train, validation',
    'turns = json.loads(rows["train"][0]["turns"])',
    "```",
    "",
    "```bash",
    "coalm train RECIPE data=FOLDER           # train on it",
    "coalm data stats FOLDER                  # what is in it, in numbers",
    "coalm data show FOLDER --grep restaurant # rows as they are; coalm show paints them",
    "coalm data export FOLDER --to openai --out OUT   # or sharegpt, alpaca, coalm-it",
    "```",
]
