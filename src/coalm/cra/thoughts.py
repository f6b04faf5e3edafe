"""Thoughts from SGD's annotations: why this call, why none, what a result means.

Each is written from the turn's own dialogue acts, so that it is true of the turn; one of
several phrasings is picked by a hash of the dialogue and the turn, so that it is always
the same one. Short, since a small model has to learn them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coalm.corpora.records import chance
from coalm.corpora.sgd import Act, Exchange, Frame, Intent
from coalm.types import Json, ToolCall


@dataclass(frozen=True, slots=True)
class Moment:
    """What a thought is about: one exchange, and what came before it."""

    key: str
    """Dialogue and turn; picks the phrasing."""
    exchange: Exchange
    intent: Intent | None
    """What the user is after, if that is one of the service's intents."""
    earlier: Mapping[str, ToolCall]
    """The last call of each method before this exchange."""

    @property
    def user(self) -> tuple[Act, ...]:
        """The user's acts."""
        return tuple(a for f in self.exchange.user.frames for a in f.acts)

    @property
    def system(self) -> tuple[Act, ...]:
        """The system's acts."""
        return tuple(a for f in self.exchange.system.frames for a in f.acts)


def before_call(moment: Moment, call: ToolCall) -> str:
    """Why the call is made now."""
    acts = {a.act for a in moment.user}
    slots = _listed([_spaced(name) for name in call.arguments])
    last = moment.earlier.get(call.name)
    changed = [k for k, v in call.arguments.items() if last and last.arguments.get(k) != v]
    if moment.intent and moment.intent.transactional and "AFFIRM" in acts:
        options = [
            f"The user confirmed the details, so I can call {call.name}.",
            f"That is a yes to everything I listed; now {call.name} may run.",
            f"Confirmed. I call {call.name} with these details.",
        ]
    elif changed:
        news = _listed([_spaced(name) for name in changed])
        options = [
            f"The {news} changed, so the earlier result no longer holds; I call {call.name} again.",
            f"With a new {news} I have to ask {call.name} once more.",
            f"The user now has another {news}; {call.name} needs to run again.",
        ]
    elif slots:
        options = [
            f"I know the {slots}, which is all that {call.name} needs.",
            f"The {slots} {'are' if len(call.arguments) > 1 else 'is'} given; I call {call.name}.",
            f"With the {slots} settled I can call {call.name}.",
        ]
    else:
        options = [
            f"{call.name} needs nothing more; I call it.",
            f"I can call {call.name} right away.",
        ]
    return _pick(options, moment.key, "before")


def after_call(moment: Moment, frame: Frame) -> str:
    """What the result means for the answer."""
    acts = {a.act for a in moment.system}
    many = len(frame.results)
    offered = _offer(moment.system)
    if "NOTIFY_SUCCESS" in acts:
        options = [
            "It went through, so I report the success.",
            "The call succeeded; I tell the user.",
            "Done. The user should hear that it worked.",
        ]
    elif "NOTIFY_FAILURE" in acts and offered:
        options = [
            f"That did not work, but I can offer {offered} instead.",
            f"It failed; {offered} is another way, so I propose it.",
        ]
    elif "NOTIFY_FAILURE" in acts or not many:
        options = [
            "Nothing came of it; I say so and ask how to go on.",
            "The call gave no result, so I tell the user and offer other help.",
            "No luck. I let the user know and ask what else I can do.",
        ]
    elif offered:
        found = f"{many} results" if many > 1 else "One result"
        options = [
            f"{found}; I offer {offered}.",
            f"{found} came back, and {offered} fits, so I suggest it.",
            f"I found {many}; I name {offered} first."
            if many > 1
            else f"The only match is {offered}, so I offer it.",
        ]
    else:
        told = _listed(_slots(moment.system, "INFORM")) or "result"
        options = [
            f"The result holds the {told}; I tell the user.",
            f"Now I know the {told} and can answer.",
        ]
    return _pick(options, moment.key, "after")


def alone(moment: Moment) -> str:
    """Why no call is made, and what is said instead."""
    acts = {a.act for a in moment.system}
    aim = moment.intent.name if moment.intent else ""
    for act, options in (
        ("GOODBYE", _GOODBYE),
        ("REQUEST", _missing(moment, aim)),
        ("CONFIRM", _confirm(aim)),
        ("NOTIFY_SUCCESS", ["It went through earlier; I report the success."]),
        ("NOTIFY_FAILURE", ["There is nothing more to offer here, and I say so."]),
        ("OFFER_INTENT", _next(moment)),
        ("OFFER", _other(moment)),
        ("INFORM", _known(moment)),
        ("REQ_MORE", _MORE),
    ):
        if act in acts:
            return _pick(options, moment.key, act)
    return _pick(["No tool is needed; I answer the user."], moment.key, "else")


_GOODBYE = [
    "The user is done, so I say goodbye.",
    "Nothing is left to do; I end politely.",
    "All is settled and no call is needed; a farewell is due.",
]
_MORE = [
    "That is settled; I ask whether there is more to do.",
    "No call is open, so I offer further help.",
    "The user has what was asked for; I ask if anything else is needed.",
]


def _missing(moment: Moment, aim: str) -> list[str]:
    asked = _slots(moment.system, "REQUEST")
    if asked in ([], ["intent"]):
        return ["I do not know yet what the user is after, so I ask."]
    slots = _listed(asked)
    if not aim:
        return [f"I still need the {slots}, so I ask."]
    return [
        f"{aim} still lacks the {slots}; I ask before calling.",
        f"I cannot call {aim} without the {slots}, so I ask.",
        f"The {slots} for {aim} {'is' if len(asked) == 1 else 'are'} open, so I ask.",
    ]


def _confirm(aim: str) -> list[str]:
    call = aim or "the call"
    return [
        f"{call} has lasting effect, so I have the details confirmed first.",
        f"I know all that {call} needs; the user should confirm before I call.",
        f"Before {call} I repeat the details and wait for a yes.",
    ]


def _next(moment: Moment) -> list[str]:
    offers = [v for a in moment.system if a.act == "OFFER_INTENT" for v in a.values]
    step = offers[0] if offers else "the next step"
    return [
        f"The user has chosen; {step} is the natural next step, so I offer it.",
        f"A choice is made. I ask whether to go on with {step}.",
    ]


def _other(moment: Moment) -> list[str]:
    offered = _offer(moment.system) or "another one"
    return [
        f"The earlier results also hold {offered}; no new call is needed.",
        f"I need no new search: {offered} is among the results, so I offer it.",
        f"{offered} is the next one in the results I have.",
    ]


def _known(moment: Moment) -> list[str]:
    slots = _listed(_slots(moment.system, "INFORM")) or "answer"
    return [
        f"The user asks for the {slots}, which the earlier result gives.",
        f"I already have the {slots} from the result; no call is needed.",
        f"The {slots} can be read from what came back before.",
    ]


def _offer(acts: Sequence[Act]) -> str:
    """What an offer is called by: its first value, with the slot where that says little."""
    for act in acts:
        if act.act == "OFFER" and act.values:
            value = act.values[0]
            plain = len(value) > 3 and not value.replace(":", "").replace(" ", "").isdigit()
            named = act.slot.endswith(("name", "title")) or act.slot in {"title", "airlines"}
            return value if named and plain else f"{_spaced(act.slot)} {value}"
    return ""


def _slots(acts: Sequence[Act], kind: str) -> list[str]:
    return list(dict.fromkeys(_spaced(a.slot) for a in acts if a.act == kind and a.slot))


def _spaced(slot: str) -> str:
    return slot.replace("_", " ")


def _listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`; three at most, so that a thought stays short."""
    if len(names) > 3:
        return f"{', '.join(names[:2])} and other details"
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _pick(options: Sequence[str], *key: Json) -> str:
    return options[int(chance(*key) * len(options))]
