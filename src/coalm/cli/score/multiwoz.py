"""`coalm score multiwoz`: Inform and Success of a prediction file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from coalm.cli.shared import console, note
from coalm.errors import DataError, RecipeError

if TYPE_CHECKING:
    from coalm.bench.multiwoz.success.scoring import Scores
    from coalm.sources import Found

File = Annotated[
    Path | None,
    typer.Option(help="Dialogue id -> turns, each with response, state, active_domains."),
]
States = Annotated[
    str | None,
    typer.Option(
        help="gold21, gold24 or a file of states, in place of predicted ones; else the file's own."
    ),
]
Lexical = Annotated[
    bool | None,
    typer.Option(
        "--lexical/--delexicalised",
        help="Whether responses are plain words; else plain if no placeholder is in the file.",
    ),
]
DomainsFrom = Annotated[
    Literal["auto", "given", "states", "placeholders"],
    typer.Option(help="What says which domain a turn is about; auto: given if every turn has it."),
]
RulesName = Annotated[
    Literal["standard", "lab"],
    typer.Option(help="The corpus evaluator's rules, or its variant for MultiWOZ 2.4."),
]
SplitName = Annotated[Literal["test", "val"], typer.Option(help="Which dialogues there must be.")]
Partial = Annotated[
    bool, typer.Option("--partial", help="Score the dialogues that are there; else all must be.")
]


def multiwoz(
    predictions: File = None,
    states: States = None,
    split: SplitName = "test",
    partial: Partial = False,
    lexical: Lexical = None,
    domains: DomainsFrom = "auto",
    rules: RulesName = "standard",
    out: Annotated[Path | None, typer.Option(help="A JSON file for figures and verdicts.")] = None,
    seed: Annotated[int, typer.Option(help="Of the draws behind the intervals.")] = 0,
    miniature: Annotated[
        bool, typer.Option("--miniature", help="Score against the few bundled dialogues.")
    ] = False,
) -> None:
    """Score responses and states by the corpus evaluator's Inform and Success."""
    if predictions is None:
        raise RecipeError("no predictions are named; give --predictions FILE.json")
    if out is not None and out.is_dir():
        raise RecipeError(f"{out} is a folder; --out is a JSON file")
    from coalm import store
    from coalm.report.multiwoz_success import as_json, as_markdown

    found = _found(miniature)
    scores, bookings = _scored(
        predictions,
        found,
        states=states,
        split=split,
        partial=partial,
        lexical=lexical,
        domains=domains,
        rules=rules,
        seed=seed,
    )
    data = f"MultiWOZ {split}{'' if found.real else ', MINIATURE'}, bookings from {bookings}"
    console.print(as_markdown(scores, data, rules), markup=False, soft_wrap=True)
    if out is not None:
        about = {
            "predictions": {"file": predictions.name, "sha256": store.sha256(predictions)},
            "data": data,
            "split": split,
            "rules": rules,
            "seed": seed,
        }
        store.write_json(out, as_json(scores, about))
        note(f"figures and {len(scores.judged)} verdicts in {out}")


def _found(miniature: bool) -> "Found":
    from coalm import sources

    found = sources.find("multiwoz")
    if miniature:
        return sources.Found(found.source, sources.MINIATURE, "miniature")
    if not found.real:
        raise DataError(
            "MultiWOZ's dialogues are not on this machine: set COALM_DATA; --miniature tries the "
            "command on the few bundled ones"
        )
    return found


def _scored(
    predictions: Path,
    found: "Found",
    *,
    states: str | None,
    split: Literal["test", "val"],
    partial: bool,
    lexical: bool | None,
    domains: Literal["auto", "given", "states", "placeholders"],
    rules: Literal["standard", "lab"],
    seed: int,
) -> "tuple[Scores, str]":
    """The scores, and where the bookings are from."""
    from coalm.bench.multiwoz.delexicalise import open_delexicaliser
    from coalm.bench.multiwoz.predictions import read_predictions
    from coalm.bench.multiwoz.success import LAB, STANDARD, open_venues
    from coalm.bench.multiwoz.success.references import gold_states, read_references
    from coalm.bench.multiwoz.success.scoring import check_whole, read_turns_of, score

    said = read_predictions(predictions)
    references = read_references(found, split)
    if not partial or not references.dialogues.keys() & said.keys():
        check_whole(said, references.dialogues, split)
    gold = None if states is None else gold_states(found, split, states)
    how, turns = read_turns_of(
        said,
        gold=gold,
        domains=None if domains == "auto" else domains,
        lexical=lexical,
        delexicaliser=lambda: open_delexicaliser(found),
        states=states or "predicted",
    )
    venues = open_venues(found, LAB if rules == "lab" else STANDARD)
    return score(turns, how, references.dialogues, venues, seed=seed), references.booked_from
