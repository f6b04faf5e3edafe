"""Which rows of a part are kept: in the order of a seeded hash, each lesson once.

The order depends on the records alone, so fewer rows of the same recipe are always a
subset of more, and the number of processes changes nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from coalm.corpora.chunks import Chunk, Fault
from coalm.crew import Crew
from coalm.errors import DataError
from coalm.mixture import near
from coalm.mixture.readers import corpus
from coalm.mixture.settings import DataSettings, Part
from coalm.mixture.work import INDEX, Batch, Job, LeftOut, Plan, read, unspilled
from coalm.sources import Found

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Progress: TypeAlias = Callable[[str, int, int | None], None]
"""What is being done, how far it is, and of how many if that is known."""

FIRST, AHEAD = 0.25, 64
"""Records that are looked at first for each row that is wanted, and some more: one may give
many rows or none, which shows then."""
SURPLUS = 1.3
"""How many more records are looked at than seem to be needed."""


@dataclass(slots=True)
class Choice:
    """What became of a part's records."""

    index: "NDArray[np.void]"
    """The rows that are kept, in the order in which they were chosen."""
    samples: int = 0
    """Samples that were made of the records looked at."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Records that the reader left out, by reason."""
    left_out: list[LeftOut] = field(default_factory=list)
    """Samples that were looked at and left out."""


@dataclass(slots=True)
class Chooser:
    """Chooses rows; remembers what it has kept, so that nothing is kept twice."""

    plan: Plan
    crew: Crew[Plan]
    spills: Path
    progress: Progress
    subsets: dict[str, int] = field(default_factory=dict)
    """The first two words of ids -> their number."""
    faults: list[Fault] = field(default_factory=list)
    batches: int = 0
    _names: set[int] = field(default_factory=set)
    _contents: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Hash of what is kept -> where it lies."""
    _signed: "list[tuple[NDArray[np.void], near.Signatures]]" = field(default_factory=list)
    """The MinHashes of what is kept, a part at a time."""

    @property
    def settings(self) -> DataSettings:
        """Those of the mixture."""
        return self.plan.settings

    def choose(self, number: int, found: Found) -> Choice:
        """The rows of a part; looks at more records if too many had to be left out."""
        import numpy as np

        part = self.settings.parts[number]
        choice = Choice(np.zeros(0, list(INDEX)))
        low, high = 0.0, self._share(number, found)
        batches: list[Batch] = []
        while True:
            for batch in self._read(number, found, low, high):
                choice.samples += batch.samples
                choice.skipped += batch.skipped
                choice.left_out += batch.left_out
                batches.append(batch)
            kept, gone, signed = self._sound(part, batches)
            if high >= 1.0 or part.rows is None or len(kept) >= part.rows:
                break
            wanted = SURPLUS * part.rows / max(len(kept), 1)
            low, high = high, min(1.0, high * min(max(wanted, 1.5), 16.0))
        self._remember(kept, signed)
        choice.index = kept
        choice.left_out += gone
        return choice

    def spill(self, batch: int) -> Path:
        """Where the rows of a batch lie."""
        return self.spills / f"{batch:06}.arrow"

    def _share(self, number: int, found: Found) -> float:
        """The share of the records that is looked at first."""
        part = self.settings.parts[number]
        if part.rows is None:
            return 1.0
        chunks = (c for _, c in self._chunks(number, found, tell=False))
        total = sum(c.count for c in chunks)
        return min(1.0, (FIRST * part.rows + AHEAD) / max(total, 1))

    def _chunks(self, number: int, found: Found, *, tell: bool) -> Iterator[tuple[int, Chunk]]:
        part = self.settings.parts[number]
        for stream, one in enumerate(corpus(part.corpus).streams(part)):
            for chunk in one.chunks(found, part):
                if isinstance(chunk, Chunk):
                    yield stream, chunk
                elif tell:
                    self._fault(chunk)

    def _read(self, number: int, found: Found, low: float, high: float) -> Iterator[Batch]:
        def jobs() -> Iterator[Job]:
            for stream, chunk in self._chunks(number, found, tell=low == 0.0):
                self.batches += 1
                spill = self.spill(self.batches)
                yield Job(number, stream, chunk, low, high, self.batches, spill)

        parts = self.settings.parts
        name = f"{number + 1}/{len(parts)} {parts[number].corpus}"
        records = 0
        for batch in self.crew.map(read, jobs()):
            for fault in batch.faults:
                self._fault(fault)
            records += batch.records
            self.progress(f"{name}: records", records, None)
            codes = [self.subsets.setdefault(s, len(self.subsets)) for s in batch.subsets]
            if codes:
                import numpy as np

                batch.index["subset"] = np.array(codes)[batch.index["subset"]]
            yield batch

    def _fault(self, fault: Fault) -> None:
        if fault in self.faults:  # seen when the part was looked at before
            return
        self.faults.append(fault)
        allowed = self.settings.max_errors
        if len(self.faults) > allowed:
            more = f" ({len(self.faults)} errors; max_errors is {allowed})" if allowed else ""
            raise DataError(f"{fault}{more}")

    def _sound(
        self, part: Part, batches: list[Batch]
    ) -> "tuple[NDArray[np.void], list[LeftOut], near.Signatures | None]":
        """The first rows of all that say something new, and what was left out for them."""
        import numpy as np

        index = np.concatenate([b.index for b in batches]) if batches else np.zeros(0, list(INDEX))
        order = np.argsort(index["key"], kind="stable")
        index = index[order]
        signed = None
        if self.settings.near_duplicates and len(index):
            signed = np.concatenate([b.signed for b in batches if b.signed is not None])[order]
        new, again = self._new(index)
        index = index[new]
        gone = self._again(part, again)
        if signed is not None:
            stay, alike = self._unlike(index, signed[new])
            gone += self._alike(part, alike)
            index, signed = index[stay], signed[new][stay]
        index = index[: part.rows]
        return index, gone, None if signed is None else signed[: part.rows]

    def _new(
        self, index: "NDArray[np.void]"
    ) -> tuple[list[int], list[tuple[str, tuple[int, int], tuple[int, int]]]]:
        """Rows that are no repetition, and the others with the row that each repeats."""
        names, contents = set(self._names), dict(self._contents)
        new, again = [], []
        columns = (index[name].tolist() for name in ("name", "content", "batch", "row"))
        for at, (name, content, batch, row) in enumerate(zip(*columns, strict=True)):
            if content in contents and not self.settings.keep_duplicates:
                again.append(("the same as another row", (batch, row), contents[content]))
            elif name in names:
                again.append(("the id of another row", (batch, row), (batch, row)))
            else:
                names.add(name)
                contents[content] = (batch, row)
                new.append(at)
        return new, again

    def _unlike(
        self, index: "NDArray[np.void]", signed: "near.Signatures"
    ) -> tuple[list[int], list[tuple[float, tuple[int, int], tuple[int, int]]]]:
        """Rows that are no near-duplicate, and the others with similarity and the earlier row."""
        import numpy as np

        before = [i for i, _ in self._signed]
        known = sum(map(len, before))
        whole = np.concatenate([*before, index])
        all_signed = np.concatenate([*(s for _, s in self._signed), signed])
        threshold = self.settings.near_duplicates
        gone = near.repeated(all_signed, whole["group"], threshold, known=known)
        places = list(zip(whole["batch"].tolist(), whole["row"].tolist(), strict=True))
        alike = [(how, places[late], places[early]) for late, (early, how) in gone.items()]
        return [i for i in range(len(index)) if i + known not in gone], alike

    def _again(
        self, part: Part, again: list[tuple[str, tuple[int, int], tuple[int, int]]]
    ) -> list[LeftOut]:
        rows = self._stored([place for _, *both in again for place in both])
        return [
            LeftOut(rows[late]["id"], part.corpus, why, rows[early]["id"], rows[late]["place"])
            for why, late, early in again
        ]

    def _alike(
        self, part: Part, alike: list[tuple[float, tuple[int, int], tuple[int, int]]]
    ) -> list[LeftOut]:
        rows = self._stored([place for _, *both in alike for place in both])
        return [
            LeftOut(
                rows[late]["id"],
                part.corpus,
                "almost the same as another row",
                f"{rows[early]['id']}, similarity {how}",
                rows[late]["place"],
            )
            for how, late, early in alike
        ]

    def _stored(self, places: list[tuple[int, int]]) -> dict[tuple[int, int], dict[str, str]]:
        """Rows of the spill files, by batch and row."""
        wanted: dict[int, list[int]] = {}
        for batch, row in dict.fromkeys(places):
            wanted.setdefault(batch, []).append(row)
        return {
            (batch, row): stored
            for batch, rows in wanted.items()
            for row, stored in zip(rows, unspilled(self.spill(batch), rows), strict=True)
        }

    def _remember(self, kept: "NDArray[np.void]", signed: "near.Signatures | None") -> None:
        columns = (kept[name].tolist() for name in ("name", "content", "batch", "row"))
        for name, content, batch, row in zip(*columns, strict=True):
            self._names.add(name)
            self._contents[content] = (batch, row)
        if signed is not None:
            self._signed.append((kept, signed))
