"""Plain answers made delexicalised: what the databases know gives way to placeholders.

`The Gandhi is at 72 Regent Street, 01223353942.` becomes
`The [restaurant_name] is at [restaurant_address], [restaurant_phone].`

Every word comes out of the databases of the source, so the same code serves any town.
What is found at a place is the longest there is. Text without anything known is left as
it is, and so is text that has its placeholders already.

Deviation D87: the published corpus figures rest on MultiWOZ 2.2's hand-checked spans,
where a name counts however it is spelt; here it counts as the databases, or the few
variants in `lexicon`, have it.
"""

from collections.abc import Iterator
from itertools import pairwise
from operator import attrgetter

from coalm import store
from coalm.bench.multiwoz.delexicalise.lexicon import ONLY_CAPITAL, STREETS, Lexicon, Rows, build
from coalm.bench.multiwoz.delexicalise.patterns import Span, spans
from coalm.bench.multiwoz.delexicalise.words import Word, together, words
from coalm.bench.multiwoz.success.venues import read_table
from coalm.sources import Found

__all__ = ["Delexicaliser", "open_delexicaliser"]

_TABLES = ("restaurant", "hotel", "attraction", "train")
_IF_THERE = ("hospital", "police")


class Delexicaliser:
    """Knows the databases of one source."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon

    def text(self, text: str) -> str:
        """The text with placeholders; what it gives back it leaves alone."""
        while (found := self._once(text)) != text:
            # What was refused beside a street may be a name beside a placeholder.
            text = found
        return text

    def _once(self, text: str) -> str:
        found = sorted(
            [*self._entities(text), *spans(text, self.lexicon)],
            key=lambda span: (span.start, -span.end),
        )
        out: list[str] = []
        at = 0
        for span in found:
            if span.start >= at:
                out += (text[at : span.start], f"[{span.placeholder}]")
                at = span.end
        return "".join((*out, text[at:]))

    def _entities(self, text: str) -> Iterator[Span]:
        row = words(text)
        for i, word in enumerate(row):
            if word.key in self.lexicon.colours and i + 1 < len(row):
                if row[i + 1].key in self.lexicon.cars:
                    yield Span(word.start, row[i + 1].end, "taxi_type")
                continue
            for key, placeholder in self.lexicon.words.get(word.key, ()):
                last = i + len(key) - 1
                if self._matches(text, row, i, key) and not self._refused(
                    row, i, last, key, placeholder
                ):
                    yield Span(word.start, row[last].end, placeholder)
                    break

    def _matches(self, text: str, row: list[Word], i: int, key: tuple[str, ...]) -> bool:
        part = row[i : i + len(key)]
        return tuple(map(attrgetter("key"), part)) == key and all(
            together(text, one, other) for one, other in pairwise(part)
        )

    def _refused(
        self, row: list[Word], first: int, last: int, key: tuple[str, ...], placeholder: str
    ) -> bool:
        """Whether these words are more likely something else here."""
        if not placeholder.endswith("_name"):
            return False
        following = row[last + 1].key if last + 1 < len(row) else ""
        if following in STREETS:
            return True
        return key in ONLY_CAPITAL and not (row[last].capital and (first or len(key) > 1))


def open_delexicaliser(found: Found) -> Delexicaliser:
    """A delexicaliser for the town of a MultiWOZ source."""
    paths = {domain: found.path(f"multiwoz/db/{domain}_db.json") for domain in _TABLES}
    more = {domain: found.path(f"multiwoz/db/{domain}_db.json") for domain in _IF_THERE}
    paths |= {domain: path for domain, path in more.items() if path.is_file()}
    rows: Rows = {domain: read_table(path) for domain, path in paths.items()}
    taxis = store.read_json(found.path("multiwoz/db/taxi_db.json"))
    return Delexicaliser(build(rows, taxis if isinstance(taxis, dict) else {}))
