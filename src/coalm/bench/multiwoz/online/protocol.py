"""Protocol `multiwoz:online`: an agent serves simulated users over the real databases.

Paper 5.1 plays every turn with the gold history. Deviation D80: here the agent hears its own
earlier turns, answers a user who follows the goal of a test dialogue, and is judged by what
it offered, booked and told (see `judge`), not by comparison with anybody's words.
"""

from collections.abc import Mapping, Sequence

from coalm import sources
from coalm.agent import Agent, Reply
from coalm.agent.cambridge import Cambridge, open_cambridge
from coalm.bench.base import About, Kind, Metric, Verdict, mean, ratio
from coalm.bench.multiwoz.online.atlas import Atlas
from coalm.bench.multiwoz.online.judge import Evidence, Outcome, evidence, hallucinated, judged
from coalm.bench.multiwoz.online.oracle import Oracle
from coalm.bench.multiwoz.online.play import OnlineCase, Rules, Simulator, begun, play
from coalm.bench.multiwoz.online.wishes import DOMAINS, tasks
from coalm.bench.multiwoz.upstream import dialogues
from coalm.engines import Speaker
from coalm.sources import Found
from coalm.types import Dialogue

STEPS = 6
"""Model steps of a turn: five that call, and the answer (Paper 5.1)."""

MAX_TOKENS = 200
"""New tokens a step."""

_METRICS: tuple[Metric, ...] = (
    mean("Success", "success", main=True),
    Metric("Inform", (("inform", 1.0),), over="informs"),
    ratio("Book", "booked", "bookings"),
    ratio("Requested", "told", "asked"),
    *(ratio(f"Success ({domain})", f"{domain}_right", domain) for domain in DOMAINS),
    *(ratio(f"Inform ({d})", f"{d}_informed", f"{d}_informs") for d in DOMAINS[:-1]),
    # A mean is shown times 100, so that this one is a plain number of turns.
    Metric("Turns", (("turns", 0.01),)),
)


class MultiWozOnline:
    """The goals of the 1,000 test dialogues, each a user; a `Player`."""

    def __init__(
        self, found: Found | None = None, users: Simulator | None = None, seed: int = 0
    ) -> None:
        self.found = found or sources.find("multiwoz")
        self.users = users or Rules()
        self.seed = seed
        self._town: Cambridge | None = None
        self._atlas: Atlas | None = None
        self._cases: tuple[OnlineCase, ...] | None = None

    @property
    def about(self) -> About:
        """Names, versions, metrics; who the users are stands among the libraries."""
        return About(
            "multiwoz",
            "online",
            "2.4" if self.found.real else "2.4 miniature",
            _METRICS,
            {"user": self.users.name},
            max_steps=STEPS,
            max_tokens=MAX_TOKENS,
        )

    def cases(self) -> Sequence[OnlineCase]:
        """Every goal, in the order of the dialogues; the file is read once."""
        if self._cases is None:
            self._cases = tuple(
                OnlineCase(
                    one.name, tasks(one.goal, f"{self.found.root}: {one.name}"), _story(one.goal)
                )
                for one in dialogues(self.found, "test")
            )
        return self._cases

    def id(self, case: OnlineCase) -> str:
        """The dialogue that the goal is of."""
        return case.id

    def part(self, case: OnlineCase) -> str:
        """How many domains the goal has."""
        return "1 domain" if len(case.tasks) == 1 else f"{len(case.tasks)} domains"

    def opening(self, case: OnlineCase) -> Dialogue:
        """The town guide's instructions and the user's first words."""
        return begun(case, self.town, self.atlas, self.seed)[0]

    def check(self, speaker: Speaker) -> None:
        """Anybody can serve."""

    def play(self, cases: Sequence[OnlineCase], agent: Agent) -> list[Reply]:
        """The whole conversation of each case."""
        return play(cases, agent, self.town, self.atlas, self.users, self.seed)

    def gold(self, case: OnlineCase) -> str:
        """What the user wants, a line each domain."""
        return "\n".join(
            f"{task.domain}: {_listed(task.wants)}"
            + (f"; book {_listed(task.book)}" if task.book else "")
            + (f"; tell {', '.join(task.requests)}" if task.requests else "")
            for task in case.tasks
        )

    def gold_reply(self, case: OnlineCase) -> Reply:
        """The conversation of an agent that knows the goal."""
        agent = Agent(Oracle(case.tasks), {}, STEPS)
        [reply] = play([case], agent, self.town, self.atlas, Rules(), self.seed)
        return reply

    def score(self, case: OnlineCase, reply: Reply) -> Verdict:
        """Judge what was offered, booked and told; see `judge`."""
        seen = evidence(reply.dialogue)
        found = judged(case.tasks, seen, self.atlas)
        wanted = {task.domain for task in case.tasks if task.book or task.domain == "taxi"}
        needless = sorted(seen.bookings.keys() - wanted)
        right = all(one.right for one in found.values()) and not needless
        scores = {"success": float(right), "turns": float(seen.turns), **_sums(found)}
        kind, note = _why(case, reply, seen, found, needless, self.atlas)
        return Verdict(scores, kind, note)

    @property
    def town(self) -> Cambridge:
        """The databases; conversations get fresh copies of the desk."""
        if self._town is None:
            self._town = open_cambridge(self.found)
        return self._town

    @property
    def atlas(self) -> Atlas:
        """The judge's view of the town."""
        if self._atlas is None:
            self._atlas = Atlas(self.town.town)
        return self._atlas


def _sums(found: Mapping[str, Outcome]) -> dict[str, float]:
    informs = [one.informed for one in found.values() if one.informed is not None]
    bookings = [one.booked for one in found.values() if one.booked is not None]
    scores = {
        "informs": float(len(informs)),
        "inform": float(bool(informs) and all(informs)),
        "bookings": float(len(bookings)),
        "booked": float(sum(bookings)),
        "asked": float(sum(one.asked for one in found.values())),
        "told": float(sum(one.told for one in found.values())),
    }
    for domain, one in found.items():
        scores |= {domain: 1.0, f"{domain}_right": float(one.right)}
        if one.informed is not None:
            scores |= {f"{domain}_informs": 1.0, f"{domain}_informed": float(one.informed)}
    return scores


def _why(
    case: OnlineCase,
    reply: Reply,
    seen: Evidence,
    found: Mapping[str, Outcome],
    needless: Sequence[str],
    atlas: Atlas,
) -> tuple[Kind, str]:
    """What went wrong, the worst first; nothing where the user got everything."""
    if reply.ended == "unanswered":
        return "not answered", reply.why
    wrong = {domain: one for domain, one in found.items() if not one.right}
    if not wrong and not needless:
        return "", ""
    lies = hallucinated(seen, atlas)
    if lies:
        return "hallucinated entity", f"nobody had told it {', '.join(lies[:4])}"
    if needless:
        return "needless call", f"booked, though not asked to: {', '.join(needless)}"
    if reply.ended == "steps":
        return "too many steps", reply.why
    if not seen.calls:
        unread = not any(text.strip() for text in seen.texts)
        return ("format", "nothing readable") if unread else ("no call", "no tool was asked")
    for domain, one in wrong.items():
        if one.booked is False and domain in seen.bookings:
            return "wrong argument", f"{domain}: booked {_booking(seen, domain)}"
        if one.informed is False and one.named:
            return "wrong argument", f"{domain}: {', '.join(one.named)} is not as wanted"
    return "missing information", "; ".join(_lacking(domain, one) for domain, one in wrong.items())


def _booking(seen: Evidence, domain: str) -> str:
    return "; ".join(_listed({k: str(v) for k, v in one.items()}) for one in seen.bookings[domain])


def _lacking(domain: str, one: Outcome) -> str:
    lacks = ["no offer"] if one.informed is False else []
    lacks += ["no booking"] if one.booked is False else []
    lacks += [f"not told {', '.join(one.missing)}"] if one.missing else []
    return f"{domain}: {', '.join(lacks)}"


def _listed(values: Mapping[str, str]) -> str:
    return ", ".join(f"{slot} {value}" for slot, value in values.items())


def _story(goal: Mapping[str, object]) -> tuple[str, ...]:
    import re

    lines = goal.get("message")
    return tuple(re.sub(r"<[^>]*>", "", str(x)) for x in lines) if isinstance(lines, list) else ()
