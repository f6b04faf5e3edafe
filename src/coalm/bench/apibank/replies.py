"""How like two replies are: ROUGE-L as API-Bank's evaluator takes it (Li et al. 2023).

That is the summary form of Lin (2004) in the Python package `rouge` 1.x: sentences end at full
stops, words at blanks, each word counts once, and the score is F1 of the union of the longest
common subsequences of every reference sentence with every sentence said.
"""

from collections.abc import Sequence

LONGEST = 1_000
"""Words of a reply that are compared; the longest in the data has 206."""


def rouge_l(said: str, wanted: str) -> float:
    """Between 0 and 1; 0 where one of them has no sentence."""
    ours, theirs = _sentences(said), _sentences(wanted)
    if not ours or not theirs:
        return 0.0
    common: set[str] = set()
    for one in theirs:
        for other in ours:
            common.update(_common(one, other))
    recall = len(common) / len({word for one in theirs for word in one})
    precision = len(common) / len({word for one in ours for word in one})
    return 2.0 * precision * recall / (precision + recall + 1e-8)


def bare(text: str) -> str:
    """A reply without the names of speakers, which upstream takes out as well."""
    return text.replace("User:", "").replace("AI:", "").strip()


def _sentences(text: str) -> list[list[str]]:
    left, found = LONGEST, []
    for sentence in text.split("."):
        words = " ".join(sentence.split()).split(" ")[:left]
        left -= len(words)
        if sentence and words:
            found.append(words)
    return found


def _common(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """The words of the longest common subsequence; of several, the one upstream takes."""
    if not set(one) & set(other):
        return []
    table = [[0] * (len(other) + 1)]
    for word in one:
        above, row = table[-1], [0]
        for j, against in enumerate(other):
            row.append(above[j] + 1 if word == against else max(above[j + 1], row[j]))
        table.append(row)
    found, i, j = [], len(one), len(other)
    while i and j:
        if one[i - 1] == other[j - 1]:
            found.append(one[i - 1])
            i, j = i - 1, j - 1
        elif table[i - 1][j] > table[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return found
