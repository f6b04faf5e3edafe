"""`coalm score multiwoz-dst`: predicted dialogue states, scored against MultiWOZ's gold ones."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from coalm.cli.shared import console, note
from coalm.errors import DataError, RecipeError

if TYPE_CHECKING:
    from coalm.bench.multiwoz.state import Normalise
    from coalm.bench.multiwoz.tracked_files import Predictions
    from coalm.bench.multiwoz.tracked_score import TrackedScores
    from coalm.bench.stats import Figure

File = Annotated[
    Path | None,
    typer.Option(help="A line a turn: dialogue_id, turn_idx (from 0), predict (slot to value)."),
]
GoldVersion = Annotated[
    Literal["24", "21"], typer.Option(help="Whose gold states: MultiWOZ 2.4's or 2.1's.")
]
Norm = Annotated[
    str, typer.Option(help="More normalisations, with commas between; all for every one.")
]
Without = Annotated[str, typer.Option(help="Normalisations to switch off, with commas between.")]
Partial = Annotated[
    bool, typer.Option("--partial", help="Score the predicted turns only; else others are wrong.")
]
Out = Annotated[Path | None, typer.Option(help="A JSON file for all figures.")]


def multiwoz_dst(
    predictions: File = None,
    gold: GoldVersion = "24",
    norm: Norm = "",
    without: Without = "",
    partial: Partial = False,
    out: Out = None,
    seed: Annotated[int, typer.Option(help="Of the draws behind the intervals.")] = 0,
    norms: Annotated[
        bool, typer.Option("--norms", help="List the normalisations, and stop.")
    ] = False,
    miniature: Annotated[
        bool, typer.Option("--miniature", help="Score against the few bundled dialogues.")
    ] = False,
) -> None:
    """Score predicted dialogue states: joint goal accuracy, slot F1, by domain and by depth."""
    from coalm.bench.multiwoz.state import normalise

    rules = normalise(_names(norm), _names(without))
    if norms:
        _list(rules)
        return
    if predictions is None:
        raise RecipeError("no predictions are named; give --predictions FILE.jsonl")
    from coalm import sources
    from coalm.bench.multiwoz.tracked_files import read_gold, read_predictions
    from coalm.bench.multiwoz.tracked_score import score_states

    found = sources.find("multiwoz")
    if miniature:
        found = sources.Found(found.source, sources.MINIATURE, "miniature")
    elif not found.real:
        raise DataError(
            "MultiWOZ's test states are not on this machine: set COALM_DATA; --miniature tries "
            "the command on the few bundled dialogues"
        )
    truth = read_gold(found, gold)
    read = read_predictions(predictions, truth)
    scores = score_states(truth, read.states, rules, partial=partial, seed=seed)
    data = f"MultiWOZ {gold[0]}.{gold[1]}" + ("" if found.real else ", MINIATURE")
    _print(scores, data, rules, predictions.name)
    _tell(scores, read, partial)
    if out is not None:
        _write(out, scores, read, rules, {"gold": data, "partial": partial, "seed": seed})
        note(f"all figures in {out}")


def _names(given: str) -> list[str]:
    return [name.strip() for name in given.split(",") if name.strip()]


def _list(rules: "Normalise") -> None:
    from coalm.bench.multiwoz.state import NORMALISATIONS, Normalise
    from coalm.recipe import help_texts

    texts = help_texts(Normalise)
    for name in NORMALISATIONS:
        state = "on " if name in rules.names else "off"
        console.print(f"{name:12} {state}  {texts[name]}", markup=False, soft_wrap=True)


def _print(scores: "TrackedScores", data: str, rules: "Normalise", name: str) -> None:
    """Every figure in a row, its strict and its fuzzy value side by side."""
    from rich.table import Table

    title = f"{name}: {scores.turns} turns of {scores.dialogues} dialogues, {data}"
    table = Table(title=title, title_justify="left")
    table.add_column("metric")
    for column in ("strict", "95% interval", "fuzzy", "95% interval", "dialogues"):
        table.add_column(column, justify="right")
    figures = {figure.name: figure for figure in scores.figures}
    for figure in scores.figures:
        if " fuzzy" in figure.name:
            continue
        head = next(h for h in ("JGA", *_KINDS) if figure.name.startswith(h))
        fuzzy = figures[f"{head} fuzzy{figure.name.removeprefix(head)}"]
        cells = [*_cells(figure), *_cells(fuzzy), str(figure.n)]
        table.add_row(figure.name, *cells, style="bold" if figure.main else "")
    console.print(table)
    note(f"normalised: {', '.join(rules.names) or 'nothing'}")


_KINDS = ("Slot F1", "Slot precision", "Slot recall", "Slot accuracy")


def _cells(figure: "Figure") -> list[str]:
    return [f"{figure.value:.2f}", f"{figure.low:.1f} to {figure.high:.1f}"]


def _tell(scores: "TrackedScores", read: "Predictions", partial: bool) -> None:
    """What a person should know of the file before they believe the figures."""
    if scores.missing:
        told = "left out of the figures" if partial else "counted as wrong"
        note(f"{scores.missing} turns of the test set have no prediction: {told}")
    if read.left_out:
        note(f"{read.left_out} lines of PMUL1455 are left out, as in most work on 2.4")
    if read.odd_slots:
        shown = ", ".join(f"{name!r} ({n})" for name, n in list(read.odd_slots.items())[:5])
        more = f" and {len(read.odd_slots) - 5} more" if len(read.odd_slots) > 5 else ""
        note(f"no slots of MultiWOZ, counted as wrong: {shown}{more}")


def _write(
    out: Path,
    scores: "TrackedScores",
    read: "Predictions",
    rules: "Normalise",
    said: dict[str, Any],
) -> None:
    from dataclasses import asdict

    from coalm import store
    from coalm.bench.multiwoz import fuzzy

    row = asdict(scores)
    store.write_json(
        out,
        {
            "protocol": "multiwoz-dst",
            **said,
            "normalised": list(rules.names),
            "libraries": fuzzy.versions(),
            "dialogues": scores.dialogues,
            "turns": scores.turns,
            "turns_without_prediction": scores.missing,
            "odd_slots": dict(read.odd_slots),
            "metrics": row["figures"],
            "mistakes_by_slot": row["mistakes"],
        },
    )
