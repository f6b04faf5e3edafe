"""`coalm trace`: conversations that took place, looked at again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coalm.cli.shared import console, note
from coalm.errors import DataError, unknown

if TYPE_CHECKING:
    from coalm.agent.traces import Trace

app = typer.Typer(help="Look at conversations that took place.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Look at conversations that took place."""


@app.command("show")
def show(
    file: Annotated[Path, typer.Argument(help="A file of traces, JSON Lines.")],
    id: Annotated[str, typer.Option(help="Only this conversation.")] = "",
    last: Annotated[int | None, typer.Option(help="Only the last so many.", min=1)] = None,
    names: Annotated[bool, typer.Option("--list", help="A line a conversation.")] = False,
    pace: Annotated[
        float, typer.Option(help="Replay at so many times the speed it took; 0 does not wait.")
    ] = 0.0,
) -> None:
    """Replay conversations: what was said, thought, called, seen, and thought of it."""
    from coalm.agent.traces import read

    found = read(file)
    if not found:
        raise DataError(f"{file} holds no conversations")
    if id:
        known = [trace.id for trace in found]
        if id not in known:
            raise DataError(f"{file}: {unknown('conversation', id, known)}")
        found = [trace for trace in found if trace.id == id]
    found = found[-last:] if last else found
    for trace in found:
        if names:
            _line(trace)
        else:
            _replayed(trace, pace)
    note(f"{len(found)} conversation{'' if len(found) == 1 else 's'}")


def _line(trace: "Trace") -> None:
    from coalm.formats.show import harmless
    from coalm.types import User

    first = next((t.text for t in trace.dialogue.turns if isinstance(t, User)), "")
    votes = "".join("+" if one.vote == "up" else "-" for one in trace.feedback)
    words = f"{trace.id}  {trace.began}  {trace.model}  {votes or '.'}  {harmless(first)[:60]}"
    console.print(words, markup=False, soft_wrap=True, highlight=False)


def _replayed(trace: "Trace", pace: float) -> None:
    """The conversation turn by turn, with the feedback after each reply."""
    import time

    from coalm.agent.traces import replies
    from coalm.cli.turns import Screen
    from coalm.types import User

    screen = Screen(console)
    screen.note(f"{trace.id}: {trace.agent}, {trace.model}, {trace.began}")
    ends = {stop - 1: n for n, (_, stop) in enumerate(replies(trace.dialogue))}
    times = [float(e["at"]) for e in trace.events if e.get("event") in ("took", "observed")]
    waits = iter([b - a for a, b in zip([0.0, *times], times, strict=False)])
    judged = {one.reply: one for one in trace.feedback}
    for place, turn in enumerate(trace.dialogue.turns):
        if pace > 0 and not isinstance(turn, User):
            time.sleep(max(0.0, min(next(waits, 0.0) / pace, 10.0)))
        screen.turn(turn)
        said = judged.get(ends.get(place, -1))
        if said is not None:
            screen.say("feedback", f"{said.vote} {said.note}".strip(), "magenta")
            if said.correction:
                screen.say("better", said.correction, "green")
    console.print()
