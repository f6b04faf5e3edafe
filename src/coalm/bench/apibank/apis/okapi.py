"""Documents ranked by how well they fit a query: BM25 (Robertson and Walker 1994).

Okapi's usual constants; a word that stands in more than half of the documents weighs a
quarter of the mean, as the library does that API-Bank's search engine uses.
"""

import math
from collections import Counter
from collections.abc import Sequence

K1, B, FLOOR = 1.5, 0.75, 0.25


def best(query: Sequence[str], documents: Sequence[Sequence[str]], *, most: int) -> list[int]:
    """The numbers of the documents that fit best, at most so many, the best first."""
    scores = ranked(query, documents)
    return sorted(range(len(documents)), key=lambda n: (-scores[n], n))[:most]


def ranked(query: Sequence[str], documents: Sequence[Sequence[str]]) -> list[float]:
    """How well each document fits."""
    counts = [Counter(words) for words in documents]
    length = sum(map(len, documents)) / max(len(documents), 1)
    weights = _weights(counts)
    return [
        sum(
            weights.get(word, 0.0)
            * found[word]
            * (K1 + 1)
            / (found[word] + K1 * (1 - B + B * len(words) / length))
            for word in query
            if word in found
        )
        for found, words in zip(counts, documents, strict=True)
    ]


def _weights(counts: Sequence[Counter[str]]) -> dict[str, float]:
    holding = Counter(word for found in counts for word in found)
    size = len(counts)
    raw = {word: math.log(size - n + 0.5) - math.log(n + 0.5) for word, n in holding.items()}
    floor = FLOOR * sum(raw.values()) / max(len(raw), 1)
    return {word: weight if weight >= 0 else floor for word, weight in raw.items()}
