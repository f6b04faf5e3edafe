"""`coalm data from-traces`: conversations that people approved of become training data."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from coalm.cli.shared import note

Files = Annotated[list[Path], typer.Argument(help="Files of traces, JSON Lines.")]


def from_traces(
    files: Files,
    out: Annotated[Path, typer.Option(help="The file of training rows.")] = Path("traces.jsonl"),
    pairs: Annotated[
        Path | None, typer.Option(help="A file of pairs: what was said, what should have been.")
    ] = None,
    unjudged: Annotated[
        bool, typer.Option("--unjudged", help="Take replies that nobody judged for approved.")
    ] = False,
    personal: Annotated[
        bool, typer.Option("--redact", help="Also take out mail addresses, numbers and the like.")
    ] = False,
) -> None:
    """Rows to train on (SFT) and pairs to prefer by, from approved and corrected replies.

    Both files are written anew. The rows are our own schema: a part with `corpus: own` and
    `path:` takes them into a mixture. The pairs are TRL's conversational preference format.
    """
    from coalm import store
    from coalm.agent import traces
    from coalm.errors import DataError
    from coalm.export.base import Unsaid
    from coalm.export.preference import preference

    rows, better, unsaid, seen = [], [], Counter[str](), 0
    for path in files:
        for trace in traces.read(path):
            seen += 1
            sample = traces.lesson(trace, unjudged=unjudged)
            if sample is not None:
                turns = store.dump_turns(sample.dialogue.turns)
                tools = store.dump_tools(sample.dialogue.tools)
                named = {"id": sample.id, "corpus": sample.corpus, "group": sample.group}
                rows.append(named | {"turns": turns, "tools": tools})
            for pair in traces.pairs(trace) if pairs else ():
                row = preference(pair.id, pair.dialogue, pair.chosen, pair.rejected)
                if isinstance(row, Unsaid):
                    unsaid.update([row.reason])
                else:
                    better.append(row)
    if not rows and not better:
        raise DataError(
            f"none of {seen} conversations has a reply that somebody approved of or corrected; "
            "--unjudged takes those that nobody judged"
        )
    for target, made, what in ((out, rows, "rows"), (pairs, better, "pairs")):
        if target is None:
            continue
        lines = (store.compact(traces.redacted(row, personal=personal)) + "\n" for row in made)
        store.write_text(target, "".join(lines))
        note(f"{target}: {len(made)} {what} of {seen} conversations")
    for why, count in unsaid.items():
        note(f"left out: {count} pairs, {why}")
