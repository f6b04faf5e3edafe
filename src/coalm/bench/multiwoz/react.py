"""Protocol `multiwoz:react-offline`: an agent over real databases, turn by turn (Paper 5.1).

The best reconstruction of the paper's protocol from its lab's public code. For every user
turn of a test dialogue a fresh agent is given the gold history, may call the eight APIs of
`agent.cambridge` at most five times, and answers. The dialogue state is what the arguments of
its calls add up to over the dialogue; its answers are delexicalised with the databases and
judged by the rules of the standard corpus evaluator.

Deviation D91: the request is ours, the same as that of our training rows (`corpora.states`),
with tools as each dialect lists them where the lab's prompt shows one worked example in ReAct;
several calls in one step are taken one after the other; an unreadable step ends its turn.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

from coalm import sources
from coalm.agent import Agent, Reply
from coalm.agent.cambridge import Cambridge, open_cambridge
from coalm.bench.base import About, Verdict
from coalm.bench.multiwoz import fuzzy
from coalm.bench.multiwoz.delexicalise import open_delexicaliser
from coalm.bench.multiwoz.react_gold import GOODBYE, gold_reply
from coalm.bench.multiwoz.react_play import STEPS, DialogueCase, Played, parted, play, request
from coalm.bench.multiwoz.react_score import Town, react_metrics, states, verdict
from coalm.bench.multiwoz.state import Normalise
from coalm.bench.multiwoz.success import open_venues
from coalm.bench.multiwoz.success.references import Reference, read_references
from coalm.bench.multiwoz.tracked_mistakes import differences
from coalm.bench.multiwoz.turns import TEST, TurnCase, read_turns
from coalm.bench.multiwoz.upstream import dialogues, release
from coalm.corpora.states import write_state
from coalm.engines import Speaker
from coalm.formats import Malformed
from coalm.sources import Found
from coalm.types import Dialogue

MAX_TOKENS = 256
"""New tokens a model step; a call with all arguments of a train takes SmolLM2 some 120."""

GOALS = "multiwoz/mwz21/test.json"
"""Where `COALM_DATA` has the goals, zipped or not; a release has its own."""

SHOWN = 400
"""Characters of what a call gave back that an outcome shows."""


class MultiWozReact:
    """MultiWOZ 2.4's 999 test dialogues: a `Benchmark` that plays its cases itself, a `Player`."""

    def __init__(self, found: Found | None = None, rules: Normalise | None = None) -> None:
        self.found = found or sources.find("multiwoz")
        self.rules = rules or Normalise()

    @property
    def about(self) -> About:
        """Names, versions, metrics; a source without goals has no Inform and Success."""
        version = "2.4" if self.found.real else "2.4 miniature"
        with_goals = self._has_goals
        return About(
            "multiwoz",
            "react-offline",
            version if with_goals else f"{version} without goals",
            react_metrics(with_goals),
            fuzzy.versions(),
            dialect="react",
            max_steps=STEPS,
            max_tokens=MAX_TOKENS,
        )

    @cached_property
    def _cases(self) -> tuple[DialogueCase, ...]:
        turns: dict[str, list[TurnCase]] = {}
        for turn in read_turns(self.found.path(TEST)):
            turns.setdefault(turn.dialogue, []).append(turn)
        return tuple(DialogueCase(name, tuple(of)) for name, of in turns.items())

    @cached_property
    def _cambridge(self) -> Cambridge:
        return open_cambridge(self.found)

    @cached_property
    def _has_goals(self) -> bool:
        """Whether the dialogues are there as published, with their goals."""
        files = (self.found.path(f"{GOALS}.zip"), self.found.path(GOALS))
        return release(self.found) is not None or any(path.is_file() for path in files)

    @cached_property
    def _references(self) -> Mapping[str, Reference]:
        return read_references(self.found, "test").dialogues if self._has_goals else {}

    @cached_property
    def _last_words(self) -> Mapping[str, str]:
        """What the system said at each dialogue's end, by lower-case id."""
        rows = dialogues(self.found, "test") if self._has_goals else ()
        return {row.id: str(row.log[-1]["text"]) for row in rows if len(row.log) % 2 == 0}

    @cached_property
    def _town(self) -> Town:
        return Town(self._references, open_venues(self.found), open_delexicaliser(self.found))

    def cases(self) -> Sequence[DialogueCase]:
        """Every dialogue, so that a limit counts dialogues."""
        return self._cases

    def id(self, case: DialogueCase) -> str:
        """The dialogue's id, such as `SNG0073`."""
        return case.id

    def part(self, case: DialogueCase) -> str:
        """One part for all, so that a sample is as the whole is."""
        return ""

    def opening(self, case: DialogueCase) -> Dialogue:
        """How the last turn's agent is asked, whose history is the whole conversation."""
        return request(case.turns[-1], self._cambridge.specs)

    def check(self, speaker: Speaker) -> None:
        """Any speaker will do."""

    def play(self, cases: Sequence[DialogueCase], agent: Agent) -> list[Reply]:
        """Every turn of the cases by a fresh agent, side by side."""
        return play(cases, agent, self._cambridge.fresh().tools, self._cambridge.specs)

    def gold(self, case: DialogueCase) -> str:
        """The gold state after each turn."""
        return "\n".join(
            f"turn {number}: {write_state(turn.state)}" for number, turn in enumerate(case.turns, 1)
        )

    def gold_reply(self, case: DialogueCase) -> Reply:
        """The gold states as calls, with the answers of the dialogue; see `react_gold`."""
        last = self._last_words.get(case.id.lower(), GOODBYE)
        return gold_reply(case, self._cambridge.fresh().tools, self._cambridge.specs, last)

    def score(self, case: DialogueCase, reply: Reply) -> Verdict:
        """Judge the calls and answers of all turns; see `react_score.verdict`."""
        found, _ = verdict(case, self._turns(case, reply), self.rules, self._town)
        if reply.ended == "unanswered":
            return Verdict(found.scores, "not answered", reply.why)
        return found

    def told(self, case: DialogueCase, reply: Reply) -> str:
        """Turn by turn: what was called and came back, the answer, the state, what is wrong."""
        turns = self._turns(case, reply)
        _, matches = verdict(case, turns, self.rules, self._town)
        lines = []
        for number, (gold, played, now, match) in enumerate(
            zip(case.turns, turns, states(turns), matches, strict=True), 1
        ):
            lines.append(f"turn {number}, user: {gold.history[-1][1]}")
            lines += [f"  {line}" for line in _steps(played)]
            lines.append(f"  state: {write_state(now.state)}")
            lines += [] if match.joint else [f"  wrong: {differences(match)}"]
        return "\n".join(lines)

    def _turns(self, case: DialogueCase, reply: Reply) -> list[Played]:
        return parted(reply, len(case.turns))


def _steps(played: Played) -> list[str]:
    """Thoughts, calls with what they gave back, and words."""
    lines, seen = [], iter(played.seen)
    for said in played.said:
        turn = said.turn
        if isinstance(turn, Malformed):
            lines.append(f"unreadable ({turn.why}): {turn.text}")
            continue
        lines += [f"thought: {turn.thought}"] if turn.thought else []
        for call in turn.calls:
            given = ", ".join(f"{k}={v!r}" for k, v in call.arguments.items())
            lines.append(f"{call.name}({given})")
            lines.append(f"  -> {next(seen, '')[:SHOWN]}")
        lines += [f"answer: {turn.text}"] if turn.text else []
    return lines
