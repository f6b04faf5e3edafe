"""Tokenizers: the file of a real model, and plain bytes for tests and documents."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coalm.errors import ModelError
from coalm.formats.fast import Fast, open_fast

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer as Backend


class ModelTokenizer:
    """A `tokenizer.json`, with one door for text and another for markers.

    Text is cut inside every string that the tokenizer would take for one of its
    added tokens, so no corpus and no tool result can press a control key.
    """

    def __init__(self, backend: "Backend", fast: Callable[[], Fast | None] = lambda: None) -> None:
        self._backend = backend
        self._fast = cache(fast)  # opened by who asks for many texts at once, and by nobody else
        self._added = {t.content: i for i, t in backend.get_added_tokens_decoder().items()}
        longest_first = sorted(self._added, key=len, reverse=True)
        self._marker = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._text = lru_cache(maxsize=4_096)(self._encode)
        # SentencePiece's way puts a blank before each text, and would put one into every cut.
        blank = [token[:1] for token in self._plain("a").tokens[:1]] == ["\u2581"]
        self._line = tuple(self._plain("\n").ids) if blank else ()

    @property
    def fast(self) -> bool:
        """Whether many texts at once take the fast way, to the same ids."""
        return self._fast() is not None

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

    def texts(self, texts: Sequence[str]) -> "tuple[NDArray[np.int32], NDArray[np.int64]]":
        """Ids of many ordinary texts in one call, and the places where each begins and ends."""
        import numpy as np

        apart = [self._apart(text) for text in texts]
        if self._line and any(len(parts) > 1 for parts in apart):
            rows = [self._text(text) for text in texts]
            return np.array([i for row in rows for i in row], np.int32), np.cumsum(
                [0, *map(len, rows)]
            )
        ids, ends = self._batch([part for parts in apart for part in parts])
        return ids, ends[np.cumsum([0, *map(len, apart)])]

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
        first, *others = self._apart(text) or [""]
        ids = list(self._plain(first).ids)
        for part in others:
            ids.extend(self._after_a_line(part) if self._line else self._plain(part).ids)
        return tuple(ids)

    def _plain(self, text: str) -> Any:
        return self._backend.encode(text, add_special_tokens=False)

    def _after_a_line(self, text: str) -> tuple[int, ...]:
        """Ids of a text that does not begin one: those behind a line break's."""
        ids = tuple(self._plain(f"\n{text}").ids)
        begun = len(self._line)
        return ids[begun:] if ids[:begun] == self._line else tuple(self._plain(text).ids)

    def _batch(self, texts: list[str]) -> "tuple[NDArray[np.int32], NDArray[np.int64]]":
        import numpy as np

        fast = self._fast()
        found = fast.batch(texts) if fast else None
        if found is not None:
            return found
        rows = [one.ids for one in self._backend.encode_batch_fast(texts, add_special_tokens=False)]
        ids = np.fromiter((i for row in rows for i in row), np.int32)
        return ids, np.cumsum([0, *map(len, rows)])

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
        backend = Backend.from_file(str(path))
        backend.no_truncation()  # what is too long is counted and left out, never cut here
        backend.no_padding()
        return ModelTokenizer(backend, partial(open_fast, path, backend))
    except Exception as e:  # the library raises bare Exception for every broken file
        raise ModelError(f"{path}: not a readable tokenizer: {e}") from None


@dataclass
class ByteTokenizer:
    """One id a byte, and ids from 256 on for markers in the order they are met."""

    markers: list[str] = field(default_factory=list)

    def text(self, text: str) -> Sequence[int]:
        """The bytes of the text."""
        return list(text.encode())

    def texts(self, texts: Sequence[str]) -> "tuple[NDArray[np.int32], NDArray[np.int64]]":
        """The bytes of many texts, and the places where each begins and ends."""
        import numpy as np

        said = [text.encode() for text in texts]
        ids = np.frombuffer(b"".join(said), dtype=np.uint8).astype(np.int32)
        return ids, np.cumsum([0, *map(len, said)])

    def control(self, marker: str) -> int:
        """A number above every byte."""
        if marker not in self.markers:
            self.markers.append(marker)
        return 256 + self.markers.index(marker)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids, markers included."""
        parts = [bytes([i]) if i < 256 else self.markers[i - 256].encode() for i in ids]
        return b"".join(parts).decode(errors="replace")
