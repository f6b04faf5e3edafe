"""A run's answers said once more, so that they can be judged again without a model."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from coalm.bench.base import About
from coalm.engines import Model, Speaker
from coalm.errors import DataError
from coalm.formats import Format, format_of
from coalm.formats.dialects import AS_GIVEN, DIALECTS, dialect

_KNOWN = {*DIALECTS, *AS_GIVEN}


def retold(
    out: Path, identity: Mapping[str, Any], about: About, fmt: Format | None
) -> Callable[[Sequence[str]], Speaker]:
    """Who says the answers of a case again, given its raw texts.

    A chat's texts do not tell all that came (a thought beside a call), so its answers are
    those of `answers.jsonl`.
    """
    name = str(identity.get("format", ""))
    if fmt is None and name.startswith("chat/"):
        speaker = _chat(out, identity, name.removeprefix("chat/"))
        return lambda raw: speaker
    from coalm.engines.scripted import Scripted

    known = fmt or _format(out, name, about)
    return lambda raw: Model(Scripted(list(raw)), known)


def _chat(out: Path, identity: Mapping[str, Any], manner: str) -> Speaker:
    from coalm.engines.journal import ANSWERS, Kept
    from coalm.engines.remote import Native, Prompted

    if not (out / ANSWERS).is_file():
        raise DataError(f"{out} has no {ANSWERS}: what the endpoint answered is not there")
    kept = Kept(str(identity["model"]["name"]), out)
    return Prompted(kept, dialect(manner)) if manner in _KNOWN else Native(kept)


def _format(out: Path, name: str, about: About) -> Format:
    """The format of that name; where no dialect was used, the one that was opened."""
    layout, slash, rest = name.partition("/")
    spoken, _, rows = rest.partition("/")
    if not slash:
        raise DataError(f"{out}: the run does not say its format; name it")
    return format_of(layout, spoken if spoken in _KNOWN else about.dialect, rows=bool(rows))
