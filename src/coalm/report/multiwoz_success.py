"""Inform and Success as a table and as JSON, with everything that a figure depends on."""

from collections.abc import Mapping
from typing import Any

from coalm.bench.multiwoz.success.scoring import TOTAL, Scores, Share

PROTOCOL = "multiwoz/inform-success"

_DOMAINS = {
    "given": "active domains as the file says them",
    "states": "active domains told from how the states change",
    "placeholders": "active domains told from the placeholders' names",
}
_RESPONSES = {
    "delexicalised": "responses delexicalised",
    "lexical": "responses in plain words, DELEXICALISED HERE from the databases",
}
_GOLD = {"gold21": "GOLD states of MultiWOZ 2.1", "gold24": "GOLD states of MultiWOZ 2.4"}


def reading(scores: Scores) -> list[str]:
    """How the file was read: one line for each thing that the figures depend on."""
    states = scores.reading.states
    gold = f"{_GOLD.get(states, f'states of {states}')} in place of predicted ones"
    return [
        _RESPONSES[scores.reading.responses],
        "states as predicted" if states == "predicted" else gold,
        _DOMAINS[scores.reading.domains],
    ]


def remarks(scores: Scores) -> list[str]:
    """What is odd about the file: a line for each kind, with a few names."""
    found = []
    if scores.missing:
        found.append(f"{len(scores.missing)} dialogues are missing: {_some(scores.missing)}")
    if scores.strangers:
        found.append(f"{len(scores.strangers)} dialogues left out: {_some(scores.strangers)}")
    if scores.stateless:
        found.append(
            f"{_some(scores.stateless)}: no gold state, not scored, a failure where all count"
        )
    if scores.uneven:
        shown = [f"{id} has {n} turns of {of}" for id, (n, of) in scores.uneven.items()]
        found.append(
            f"{len(shown)} dialogues have another number of turns than the data (turns beyond it "
            f"are not looked at): {_some(shown)}"
        )
    if scores.placeholders:
        shown = [f"[{name}] {n}x" for name, n in scores.placeholders.items()]
        found.append(f"placeholders that count for nothing: {_some(shown)}")
    if scores.slots:
        shown = [f"{name} {n}x" for name, n in scores.slots.items()]
        found.append(f"slots that no search knows: {_some(shown)}")
    return found


def as_markdown(scores: Scores, data: str, rules: str) -> str:
    """The table, over the dialogues that are there and over all of the split."""
    whole = len(scores.judged) == scores.dialogues
    header = ["Domain", "n", "Inform", "Success"]
    header += [] if whole else ["n, all", "Inform, all", "Success, all"]
    rows = []
    for domain, line in scores.lines.items():
        row = [domain, str(line.inform.n), _cell(line.inform), _cell(line.success)]
        if not whole:
            row += [str(line.inform_all.n), _cell(line.inform_all), _cell(line.success_all)]
        rows.append(row)
    said = [
        f"{len(scores.judged)} of {scores.dialogues} dialogues, {scores.turns} turns; {data}; "
        f"rules: {rules}",
        *reading(scores),
        *remarks(scores),
    ]
    lines = [_row(header), _row(["---", *["---:"] * (len(header) - 1)]), *map(_row, rows)]
    return "\n".join([*lines, "", *(f"- {each}" for each in said)])


def as_json(scores: Scores, about: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the table shows, and what came of every dialogue."""
    return {
        "protocol": PROTOCOL,
        **about,
        "reading": {
            "responses": scores.reading.responses,
            "states": scores.reading.states,
            "active_domains": scores.reading.domains,
        },
        "dialogues": {"judged": len(scores.judged), "all": scores.dialogues},
        "turns": scores.turns,
        "scores": {
            domain: {
                "predicted": {"inform": _share(of.inform), "success": _share(of.success)},
                "all": {"inform": _share(of.inform_all), "success": _share(of.success_all)},
            }
            for domain, of in scores.lines.items()
        },
        "missing": list(scores.missing),
        "left_out": list(scores.strangers),
        "without_gold_state": list(scores.stateless),
        "uneven_turns": {id: list(turns) for id, turns in scores.uneven.items()},
        "unknown_placeholders": dict(scores.placeholders),
        "unknown_slots": dict(scores.slots),
        "verdicts": {
            id: {
                "inform": judged.inform,
                "success": judged.success,
                "domains": {
                    domain: {
                        "inform": each.inform,
                        "given": sorted(each.given),
                        "missing": sorted(each.missing),
                        "offered": None if each.offered is None else len(each.offered),
                    }
                    for domain, each in judged.domains.items()
                },
            }
            for id, judged in scores.judged.items()
        },
    }


def headline(scores: Scores) -> str:
    """Inform and Success in one line."""
    line = scores.lines[TOTAL]
    return f"Inform {line.inform.percent:.1f}, Success {line.success.percent:.1f}"


def _share(share: Share) -> dict[str, float | int]:
    return {
        "score": round(share.percent, 2),
        "low": round(share.low, 2),
        "high": round(share.high, 2),
        "hits": share.hits,
        "n": share.n,
    }


def _cell(share: Share) -> str:
    return f"{share.percent:.1f} [{share.low:.1f}, {share.high:.1f}]" if share.n else "n/a"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _some(names: "list[str] | tuple[str, ...]", most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
