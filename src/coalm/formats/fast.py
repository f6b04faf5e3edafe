"""The same ids as `tokenizers` gives, ten times as fast: the package `fastokens`, where it fits.

It is used only for a tokenizer whose ids it gives exactly, on texts chosen to be hard. Words
are looked up in a table that is bounded, at some 400 MB of words that never came before.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer as Backend

PROBES = (
    "I'm sure they'LL say \"it's 12,345.67\" -- won't they?",
    "  two  spaces\tand a tab \n\n\nlines \r\n and trailing   ",
    '{"name": "find_bus", "arguments": {"to": null, "n": [1, -2.5e3]}}',
    "Thought: x\nAction: f(a='b', c=[1, 2])\nObservation: {}\nSystem: done.",
    "caf\u00e9 cafe\u0301 Stra\u00dfe \u0130\u0131 \u017f\u03a3\u03c2 na\u00efve",
    "\ufb01 \u00bd x\u00b2 \u2167 \u0663\u0664",
    "\u65e5\u672c\u8a9e \u4e2d\u6587 \ud55c\uad6d\uc5b4 \u0e44\u0e17\u0e22 "
    "\u05e2\u05d1\u05e8\u05d9\u05ea \u0939\u093f\u0928\u094d\u0926\u0940",
    "\U0001f642 \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2019\u201c",
    "\u00a0non\u3000breaking\u2028line\u200bnothing\ufeff\x7f",
    "_under-score/slash\\back|pipe<tag>~!?...///***===",
    "A" * 70 + "b" * 70 + " " * 70 + "0" * 70,
    *(
        f"{a}{b}{c}"
        for a in ("x", " ", "\n")
        for b in ("'s", "\t", "1", "!")
        for c in ("y", " ", "\n")
    ),
)
"""What pre-tokenizers differ in: contractions, blanks, digits, scripts, joined characters."""


class Fast:
    """Ids of many texts in one call; made by `open_fast`."""

    def __init__(self, native: Any) -> None:
        self._native = native

    def batch(self, texts: Sequence[str]) -> "tuple[NDArray[np.int32], NDArray[np.int64]] | None":
        """Ids of all texts in a row and the places where they begin and end; None if one of
        them holds a byte that the vocabulary lacks, which `tokenizers` passes over.
        """
        import numpy as np

        try:
            ids, ends = self._native.encode_batch_flat(list(texts), add_special_tokens=False)
        except ValueError:
            return None
        return np.frombuffer(ids, np.int32), np.frombuffer(ends, np.int64)


def open_fast(path: Path, backend: "Backend") -> Fast | None:
    """The fast way to the ids of a `tokenizer.json`; None if it is not there or not equal."""
    try:
        from fastokens import Tokenizer
    except ImportError:
        return None
    try:
        native = Tokenizer.from_file(str(path))
    except ValueError:  # a kind of tokenizer that it does not know
        return None
    native.no_truncation()
    fast = Fast(native)
    return fast if agrees(fast, backend, PROBES) else None


def agrees(fast: Fast, backend: "Backend", texts: Sequence[str]) -> bool:
    """Whether both give the same ids for every text that the vocabulary can say."""
    for text in texts:
        found = fast.batch([text])
        if found is not None:
            ids = backend.encode(text, add_special_tokens=False).ids
            if found[0].tolist() != ids:
                return False
    return True
