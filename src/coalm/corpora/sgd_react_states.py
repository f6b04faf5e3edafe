"""SGD as state tracking by an agent: what a turn settled becomes a thought and a call.

MultiWOZ's agent (protocol `react-offline`, Paper 5.1) has a tool that looks up and a tool
that books for each domain, and its dialogue state is what it passed to them. SGD's
services become such pairs: `find_restaurant` with all that a search can be narrowed by, the
name included, and `book_restaurant` with all that a booking needs. So the state is read
off calls in training as in the benchmark. A tool `update_state` would be simpler, but no
benchmark has one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from coalm.corpora import sgd_older
from coalm.corpora.records import Skip, chance, ignore
from coalm.corpora.sgd import Frame, Intent, Service, SgdDialogue
from coalm.corpora.sgd_states import Unclear, domain_names, stem, told, values_of, worded
from coalm.corpora.sgd_variants import Variant, variant_of
from coalm.corpora.states import agent_request
from coalm.corpora.wording import listed, one_of, spaced
from coalm.types import Assistant, Json, Sample, ToolCall, ToolSpec

ANY = "any"
"""The argument for a slot where the user takes anything; what is open is left out."""
_LOOK = ("find", "query", "search", "look_up")
_BOOK = ("book", "reserve", "make_booking")
_BOOKING = frozenset(
    [*("book", "reserve", "buy", "get", "schedule"), *("purchase", "order", "request", "arrange")]
)
"""Verbs of intents that make a booking."""
_QUIET = frozenset({"REQUEST", "REQ_MORE", "GOODBYE", "OFFER_INTENT"})
"""Acts of a system turn that says nothing of results, so that it can be learned without any."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The two tools that a service becomes; `None` where it has nothing to look up or book."""

    look: ToolSpec | None
    book: ToolSpec | None

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        """Those that there are."""
        return tuple(tool for tool in (self.look, self.book) if tool)


def make(
    dialogue: SgdDialogue,
    services: Mapping[str, Service],
    *,
    seed: int = 42,
    copies: int = 1,
    tools: int = 8,
    domains: Sequence[str] = (),
    others: Sequence[Variant] = (),
    renamed: float = 0.0,
    skip: Skip = ignore,
) -> Iterator[Sample]:
    """`copies` samples of a dialogue, each the agent's step after another user turn.

    At least `tools` tools are listed where that many can be had. A turn that changes
    nothing is taken where the system answers without knowing any result.
    """
    # Deviation D64: the paper's mixture has no rows whose calls add up to a state.
    if domains and not {stem(name) for name in dialogue.services} <= set(domains):
        return
    why = sgd_older.misfit(dialogue, services)
    if why:
        skip(why)
        return
    turns = range(len(dialogue.exchanges))
    order = sorted(turns, key=lambda i: chance(seed, dialogue.id, i, "react turn"))
    made = 0
    for turn in order:
        if made == copies:
            return
        one, known = dialogue, services
        if others and chance(seed, dialogue.id, turn, "renamed") < renamed:
            variant = variant_of(others, seed, f"{dialogue.id}#{turn}")
            one, known = variant.dialogue(dialogue), variant.services
        try:
            sample = step(one, known, turn, tools=tools, seed=seed)
        except Unclear as e:
            skip(str(e))
            continue
        if sample is not None:
            made += 1
            yield sample


def step(
    dialogue: SgdDialogue,
    services: Mapping[str, Service],
    turn: int,
    *,
    tools: int = 8,
    seed: int = 42,
) -> Sample | None:
    """What the agent does after the user's turn number `turn`; None where that is not clear."""
    used = {name: services[name] for name in dialogue.services}
    desks = {
        name: desk(used[name], noun, dialogue.id, seed)
        for name, noun in domain_names(used).items()
    }
    exchange = dialogue.exchanges[turn]
    before = values_of(dialogue.exchanges[:turn], used, plain=True)
    now = values_of(dialogue.exchanges[: turn + 1], used, plain=True)
    calls: list[ToolCall] = []
    thoughts: list[str] = []
    for frame in exchange.user.frames:
        values = now.get(frame.service, {})
        old = before.get(frame.service, {})
        changed = [slot for slot, value in values.items() if old.get(slot) != value]
        key = f"{seed}/{dialogue.id}#{turn}/{frame.service}"
        found = _calls(frame, used[frame.service], desks[frame.service], values, changed)
        if found:
            calls += found
            book = desks[frame.service].book
            books = book is not None and found[0].name == book.name
            thoughts.append(_why(values, changed, old, found[0], books=books, key=key))
    system = {act.act for frame in exchange.system.frames for act in frame.acts}
    if calls:
        answer = Assistant(thought=" ".join(thoughts), calls=tuple(calls))
    elif before == now and system <= _QUIET:
        answer = Assistant(exchange.system.text, _nothing(f"{seed}/{dialogue.id}#{turn}"))
    else:
        return None
    said = ["", *(e.system.text for e in dialogue.exchanges[:-1])]
    history = [(s, e.user.text) for s, e in zip(said, dialogue.exchanges, strict=True)]
    shown = [tool for one in desks.values() for tool in one.tools]
    shown += _strangers(dialogue, services, tools - len(shown), seed)
    shown.sort(key=lambda tool: chance(seed, dialogue.id, turn, tool.name))
    request = agent_request(history[: turn + 1], shown)
    return Sample(
        f"sgd-react/train/{dialogue.id}#{turn}",
        "sgd-react",
        request.then(answer),
        f"sgd/train/{dialogue.id}",
        "react",
    )


def desk(service: Service, noun: str, key: str, seed: int) -> Desk:
    """The tools of a service; the verbs of their names vary by dialogue."""
    searches = [i for i in service.intents.values() if not i.transactional]
    bookings = [i for i in service.intents.values() if i.transactional]
    narrowing = [s for i in searches for s in (*i.required, *i.optional)]
    # A name that was chosen among the results can be looked up again, as in MultiWOZ.
    narrowing += [s for i in bookings for s in i.required if searches and _names(service, s)]
    wanted = [s for i in bookings for s in (*i.required, *i.optional)]
    needed = [s for s in dict.fromkeys(wanted) if all(s in i.required for i in bookings)]
    look = one_of(_LOOK, seed, key, noun, "look")
    return Desk(
        _tool(f"{look}_{noun}", searches, service, narrowing, []) if searches else None,
        _tool(f"{_verb(bookings, seed, key)}_{noun}", bookings, service, wanted, needed)
        if bookings
        else None,
    )


def _verb(bookings: Sequence[Intent], seed: int, key: str) -> str:
    """`book` or the like, except where that is not what happens: music is played."""
    own = spaced(bookings[0].name).split()[0]
    return one_of(_BOOK, seed, key, "book") if own in _BOOKING else own


def _names(service: Service, slot: str) -> bool:
    """Whether a slot holds what an entry of the service is called."""
    said = service.slots[slot].description.lower()
    entry = "name" in said or "called" in said or "title" in said
    return entry and not service.slots[slot].values and "account" not in said


def _tool(
    name: str,
    intents: Sequence[Intent],
    service: Service,
    slots: Sequence[str],
    needed: Sequence[str],
) -> ToolSpec:
    books = intents[0].transactional
    about = "; ".join(intent.description.strip().rstrip(".") for intent in intents)
    properties: dict[str, Json] = {
        s: _parameter(service, s, free=not books) for s in dict.fromkeys(slots)
    }
    required: list[Json] = [*needed]
    return ToolSpec(
        name, about, {"type": "object", "properties": properties, "required": required}
    )


def _parameter(service: Service, slot: str, *, free: bool) -> dict[str, Json]:
    known = service.slots[slot]
    values: list[Json] = [worded(value) for value in known.values]
    schema: dict[str, Json] = {"type": "string", "description": told(known)}
    return {**schema, "enum": [*values, *([ANY] if free else [])]} if values else schema


def _calls(
    frame: Frame,
    service: Service,
    tools: Desk,
    values: Mapping[str, str],
    changed: Sequence[str],
) -> list[ToolCall]:
    """Look up what changed, and book where a booking is wanted and all it needs is known."""
    intent = service.intents.get(frame.intent)
    calls = []
    agreed = any(act.act == "AFFIRM" for act in frame.acts)
    books = intent is not None and intent.transactional and _known(intent, values)
    if books and tools.book and (agreed or set(changed) & set(tools.book.properties)):
        calls.append(_call(tools.book, {s: v for s, v in values.items() if v != "dontcare"}))
    if calls and set(intent.required if intent else ()) - set(calls[0].arguments):
        return []  # a booking takes no "any"
    if tools.look and not calls and set(changed) & set(tools.look.properties):
        calls.append(_call(tools.look, values))
    told_of = {slot for call in calls for slot in call.arguments}
    return calls if set(changed) <= told_of else []


def _known(intent: Intent, values: Mapping[str, str]) -> bool:
    return all(slot in values for slot in intent.required)


def _call(tool: ToolSpec, values: Mapping[str, str]) -> ToolCall:
    """The call with all that is settled, in the order of the tool's parameters."""
    given = {s: ANY if values[s] == "dontcare" else values[s] for s in tool.properties if s in values}
    return ToolCall(tool.name, given)


def _why(
    values: Mapping[str, str],
    changed: Sequence[str],
    old: Mapping[str, str],
    call: ToolCall,
    *,
    books: bool,
    key: str,
) -> str:
    """What the turn changed, and which call follows from it."""
    name = call.name
    if not changed:
        options: tuple[str, ...] = (
            f"The user agrees and every detail is known, so I call {name}.",
            f"That is a yes, and nothing is missing; {name} can run.",
            f"Agreed. I call {name} with the details as they stand.",
        )
        return one_of(options, key, "agreed")
    news = listed([_news(slot, values[slot], old.get(slot, "")) for slot in changed])
    kept = [s for s in call.arguments if s not in changed]
    rest = "all else" if len(kept) > 3 else listed([spaced(s) for s in kept])
    still = f"; {rest} {'stay' if 1 < len(kept) < 4 else 'stays'} as before" if kept else ""
    if books:
        options = (
            f"Now {news}{still}. That is all it needs, so I call {name}.",
            f"The user settled the last detail: {news}. I call {name}.",
            f"As {news}, nothing is missing any more; {name} can run.",
        )
    else:
        options = (
            f"Now {news}{still}. I look it up with {name}.",
            f"This turn settles something: {news}. I call {name} with all that is known.",
            f"What changed is that {news}{still}, so {name} has to run.",
            f"I note that {news}, and search with {name}.",
        )
    return one_of(options, key, "why")


def _news(slot: str, value: str, old: str) -> str:
    name = spaced(slot)
    if value == "dontcare":
        return f"any {name} will do"
    if old:
        return f"the {name} is {value} instead of {old}".replace("dontcare", "any")
    return f"the {name} is {value}"


def _nothing(key: str) -> str:
    return one_of(
        (
            "Nothing new was settled, so no call is needed; I answer.",
            "The user changed nothing that a tool would need. I reply in words.",
            "There is no new detail to look up or book, so I just answer.",
            "No slot changed in this turn; I go on with the conversation.",
        ),
        *(key, "nothing"),
    )


def _strangers(
    dialogue: SgdDialogue, services: Mapping[str, Service], wanted: int, seed: int
) -> list[ToolSpec]:
    """Tools of services of other domains, until there are enough."""
    taken = {stem(name) for name in dialogue.services}
    found: list[ToolSpec] = []
    for name in sorted(services, key=lambda n: chance(seed, dialogue.id, n, "stranger")):
        if len(found) >= wanted:
            break
        if stem(name) not in taken:
            taken.add(stem(name))
            found += desk(services[name], stem(name), dialogue.id, seed).tools
    return found[: max(wanted, 0)]
