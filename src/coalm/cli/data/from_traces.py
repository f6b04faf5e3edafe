"""`coalm data from-traces`: conversations that people approved of become training data."""

from pathlib import Path
from typing import Annotated

import typer

from coalm.cli.shared import note

Files = Annotated[list[Path], typer.Argument(help="Files of traces, JSON Lines.")]


def from_traces(
    files: Files,
    out: Annotated[Path, typer.Option(help="The file of training rows.")] = Path("traces-sft.jsonl"),
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

    rows, better, seen = [], [], 0
    for path in files:
        for trace in traces.read(path):
            seen += 1
            sample = traces.lesson(trace, unjudged=unjudged)
            if sample is not None:
                rows.append(
                    {
                        "id": sample.id,
                        "corpus": sample.corpus,
                        "turns": store.dump_turns(sample.dialogue.turns),
                        "tools": store.dump_tools(sample.dialogue.tools),
                    }
                )
            better += [traces.preference(pair) for pair in traces.pairs(trace)] if pairs else []
    if not rows and not better:
        raise DataError(
            f"none of {seen} conversations has a reply that somebody approved of or corrected; "
            "--unjudged takes those that nobody judged"
        )
    for target, made in ((out, rows), *([(pairs, better)] if pairs else [])):
        text = "".join(store.compact(traces.redacted(row, personal=personal)) + "\n" for row in made)
        store.write_text(target, text)
        note(f"{len(made)} of {seen} conversations: {target}" if target is out else f"{len(made)} pairs: {target}")
