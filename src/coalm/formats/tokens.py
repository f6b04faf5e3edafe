"""Tokenizers: the file of a real model, and plain bytes for tests and documents."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from coalm.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer as Backend

LONG, REMEMBERED = 400, 2_000
"""Texts of more characters come again, since instructions do; so many are remembered."""


class ModelTokenizer:
    """A `tokenizer.json`, with one door for text and another for markers.

    Text is cut inside every string that the tokenizer would take for one of its
    added tokens, so no corpus and no tool result can press a control key. Ids of
    a text are remembered: instructions and tool lists repeat from row to row.
    """

    def __init__(self, backend: "Backend") -> None:
        self._backend = backend
        self._added = {t.content: i for i, t in backend.get_added_tokens_decoder().items()}
        longest_first = sorted(self._added, key=len, reverse=True)
        self._marker = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._long: dict[str, NDArray[np.int32]] = {}
        self._text = lru_cache(maxsize=4_096)(self._encode)

    @property
    def vocabulary(self) -> int:
        """How many ids there are."""
        return self._backend.get_vocab_size()

    @property
    def control_ids(self) -> frozenset[int]:
        """The ids that only `control` may give."""
        return frozenset(self._added.values())

    def text(self, text: str) -> Sequence[int]:
        """Ids of ordinary text; never an added token."""
        return self._text(text)

    def texts(self, texts: Sequence[str]) -> "list[NDArray[np.int32]]":
        """Ids of many ordinary texts, in one call; long ones are remembered."""
        import numpy as np

        new = [text for text in texts if text not in self._long]
        # What looks like a marker is cut, so it goes through the careful door.
        plain = [text for text in new if not self._marker.search(text)]
        batch = self._backend.encode_batch_fast(plain, add_special_tokens=False)
        ids = {
            text: np.array(one.ids, dtype=np.int32) for text, one in zip(plain, batch, strict=True)
        }
        for text in new:
            if text not in ids:
                ids[text] = np.array(self._encode(text), dtype=np.int32)
        found = [ids[text] if text in ids else self._long[text] for text in texts]
        if len(self._long) > REMEMBERED:
            self._long.clear()
        self._long |= {text: one for text, one in ids.items() if len(text) > LONG}
        return found

    def control(self, marker: str) -> int:
        """The id of a marker; a `ModelError` if this model does not know it."""
        found = self._added.get(marker)
        if found is None:
            raise ModelError(
                f"this model has no marker {marker!r}; choose the layout it was made for"
            )
        return found

    def knows(self, marker: str) -> bool:
        """Whether this is one of the tokenizer's added tokens."""
        return marker in self._added

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids, markers included."""
        return self._backend.decode(list(ids), skip_special_tokens=False)

    def _encode(self, text: str) -> tuple[int, ...]:
        ids: list[int] = []
        for part in self._apart(text):
            ids.extend(self._backend.encode(part, add_special_tokens=False).ids)
        return tuple(ids)

    def _apart(self, text: str) -> list[str]:
        """The text cut after the first character of each look-alike, until none is left."""
        parts: list[str] = []
        place = 0
        while found := self._marker.search(text, place):
            cut = found.start() + 1
            parts.append(text[place:cut])
            place = cut
        return [*parts, text[place:]] if place < len(text) else parts


def open_tokenizer(folder: Path) -> ModelTokenizer:
    """The tokenizer of a model folder; a `ModelError` if there is none or it is broken."""
    from tokenizers import Tokenizer as Backend

    path = folder / "tokenizer.json"
    if not path.exists():
        raise ModelError(f"{folder} has no tokenizer.json; is it a model folder?")
    try:
        return ModelTokenizer(Backend.from_file(str(path)))
    except Exception as e:  # the library raises bare Exception for every broken file
        raise ModelError(f"{path}: not a readable tokenizer: {e}") from None


@dataclass
class ByteTokenizer:
    """One id a byte, and ids from 256 on for markers in the order they are met."""

    markers: list[str] = field(default_factory=list)

    def text(self, text: str) -> Sequence[int]:
        """The bytes of the text."""
        return list(text.encode())

    def texts(self, texts: Sequence[str]) -> "list[NDArray[np.int32]]":
        """The bytes of many texts."""
        import numpy as np

        return [np.frombuffer(text.encode(), dtype=np.uint8).astype(np.int32) for text in texts]

    def control(self, marker: str) -> int:
        """A number above every byte."""
        if marker not in self.markers:
            self.markers.append(marker)
        return 256 + self.markers.index(marker)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids, markers included."""
        parts = [bytes([i]) if i < 256 else self.markers[i - 256].encode() for i in ids]
        return b"".join(parts).decode(errors="replace")
