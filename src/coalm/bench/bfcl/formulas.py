"""BFCL's aggregate scores by their versions' formulas. Pure functions of category scores.

V3 is the leaderboard of the paper's Table 4, V4 the one since mid-2025. A score of None is
one that is not known, and so is every aggregate that needs it: the official script counts
a category that was not run as 0 and prints a number all the same.
"""

from collections.abc import Callable, Mapping

Scores = Mapping[str, float | None]
"""By category, 0 to 100; None or left out where it is not known."""

Counts = Mapping[str, int]
"""By category, the questions behind the score."""

Aggregates = dict[str, float | None]
"""By name, the leaderboard's column."""

AST = ("multiple", "parallel", "parallel_multiple")
LIVE_AST = ("live_simple", "live_multiple", "live_parallel", "live_parallel_multiple")
MULTI_TURN = (
    "multi_turn_base",
    "multi_turn_miss_func",
    "multi_turn_miss_param",
    "multi_turn_long_context",
)
AGENTIC = (
    "web_search_base",
    "web_search_no_snippet",
    "memory_kv",
    "memory_vector",
    "memory_rec_sum",
)
"""V4's categories that need a search engine or a store of memories; not scored here."""

V4_WEIGHTS: Mapping[str, float] = {
    "Non-Live": 10,
    "Live": 10,
    "Irrelevance": 10,
    "Multi-Turn": 30,
    "Agentic": 40,
}
"""Per cent of V4's overall score."""


def v3(scores: Scores, counts: Counts) -> Aggregates:
    """The columns of BFCL V3, `Overall` first: the mean of Non-Live, Live and Multi-Turn."""
    simple, *rest = _ast(scores)
    run = [
        mean(scores.get("exec_simple"), scores.get("rest")),
        *(scores.get(f"exec_{name}") for name in AST),
    ]
    non_live = mean(simple, *rest, *run, scores.get("irrelevance"))
    live = weighted(scores, counts, (*LIVE_AST, "live_irrelevance", "live_relevance"))
    multi_turn = mean(*(scores.get(name) for name in MULTI_TURN))
    return {
        "Overall": mean(non_live, live, multi_turn),
        "Non-Live": non_live,
        "Non-Live AST": mean(simple, *rest),
        "Non-Live Exec": mean(*run),
        "Live": live,
        "Multi-Turn": multi_turn,
        "Relevance": scores.get("live_relevance"),
        "Irrelevance": _irrelevance(scores),
    }


def v4(scores: Scores, counts: Counts) -> Aggregates:
    """The columns of BFCL V4, `Overall` first: five parts with fixed weights.

    Non-Live and Live hold the AST categories only, irrelevance is a part of its own, the
    executable categories are gone, and Agentic is new.
    """
    web, memory = AGENTIC[:2], AGENTIC[2:]
    parts: Aggregates = {
        "Non-Live": mean(*_ast(scores)),
        "Live": weighted(scores, counts, LIVE_AST),
        "Irrelevance": _irrelevance(scores),
        "Multi-Turn": mean(*(scores.get(name) for name in MULTI_TURN)),
        "Agentic": mean(
            mean(*(scores.get(name) for name in web)),
            mean(*(scores.get(name) for name in memory)),
        ),
    }
    known = [(parts[name], weight) for name, weight in V4_WEIGHTS.items()]
    overall = None
    if all(part is not None for part, _ in known):
        overall = sum((part or 0.0) * weight for part, weight in known) / sum(V4_WEIGHTS.values())
    return {"Overall": overall, **parts, "Relevance": scores.get("live_relevance")}


FORMULAS: Mapping[str, Callable[[Scores, Counts], Aggregates]] = {"V3": v3, "V4": v4}
"""By name."""

NEEDS: Mapping[str, tuple[str, ...]] = {
    "V3": (
        "simple_python",
        "simple_java",
        "simple_javascript",
        *AST,
        "irrelevance",
        "exec_simple",
        *(f"exec_{name}" for name in AST),
        "rest",
        *LIVE_AST,
        "live_irrelevance",
        "live_relevance",
        *MULTI_TURN,
    ),
    "V4": (
        "simple_python",
        "simple_java",
        "simple_javascript",
        *AST,
        "irrelevance",
        *LIVE_AST,
        "live_irrelevance",
        *MULTI_TURN,
        *AGENTIC,
    ),
}
"""By formula, the categories that its overall score needs."""


def mean(*values: float | None) -> float | None:
    """The plain mean; None if a value is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def weighted(scores: Scores, counts: Counts, names: tuple[str, ...]) -> float | None:
    """The mean over the questions of some categories; None if a score is."""
    total, right = 0, 0.0
    for name in names:
        score = scores.get(name)
        if score is None:
            return None
        total += counts[name]
        right += score * counts[name]
    return right / total if total else None


def _ast(scores: Scores) -> tuple[float | None, ...]:
    """Simple, which is the mean of three languages, and the three others."""
    languages = ("python", "java", "javascript")
    simple = mean(*(scores.get(f"simple_{name}") for name in languages))
    return (simple, *(scores.get(name) for name in AST))


def _irrelevance(scores: Scores) -> float | None:
    return mean(scores.get("irrelevance"), scores.get("live_irrelevance"))
