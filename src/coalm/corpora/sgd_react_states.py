"""SGD as state tracking by an agent: what a turn settled becomes a thought and a call.

MultiWOZ's agent (protocol `react-offline`, Paper 5.1) has a tool that looks up and a tool
that books for each domain, and its dialogue state is what it passed to them. SGD's
services become such pairs: `find_restaurant` with all that a search can be narrowed by, the
name included, and `book_restaurant` with all that a booking needs. So the state is read
off calls in training as in the benchmark. A tool `update_state` would be simpler, but no
benchmark has one.
"""

from collections.abc import Iterator, Mapping, Sequence

from coalm.corpora import sgd_older
from coalm.corpora.records import Skip, chance, ignore
from coalm.corpora.sgd import Frame, Intent, Service, SgdDialogue
from coalm.corpora.sgd_desks import ANY, Desk, desk
from coalm.corpora.sgd_react_thoughts import nothing, why
from coalm.corpora.sgd_values import (
    Unclear,
    domain_names,
    spellings,
    stem,
    values_of,
)
from coalm.corpora.sgd_variants import Variant, variant_of
from coalm.corpora.states import agent_request
from coalm.types import Assistant, Sample, ToolCall, ToolSpec

_QUIET = frozenset({"REQUEST", "REQ_MORE", "GOODBYE", "OFFER_INTENT"})
"""Acts of a system turn that says nothing of results, so that it can be learned without any."""


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
    wrong = sgd_older.misfit(dialogue, services)
    if wrong:
        skip(wrong)
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
        name: desk(used[name], noun, dialogue.id, seed) for name, noun in domain_names(used).items()
    }
    exchange = dialogue.exchanges[turn]
    before = values_of(dialogue.exchanges[:turn], used, plain=True)
    now = values_of(dialogue.exchanges[: turn + 1], used, plain=True)
    spelt = spellings(dialogue.exchanges[:turn])
    same = True
    calls: list[ToolCall] = []
    thoughts: list[str] = []
    for frame in exchange.user.frames:
        values = now.get(frame.service, {})
        old = before.get(frame.service, {})
        # The same value under another spelling, such as SF once the system said San
        # Francisco, is no change.
        known = spelt.get(frame.service, {})
        state = frame.state or {}
        changed = [s for s in values if not set(known.get(s, ())) & set(state.get(s, ()))]
        same = same and not changed
        key = f"{seed}/{dialogue.id}#{turn}/{frame.service}"
        found = _calls(frame, used[frame.service], desks[frame.service], values, changed)
        if found:
            calls += found
            book = desks[frame.service].book
            books = book is not None and found[0].name == book.name
            thoughts.append(why(values, changed, old, found[0], books=books, key=key))
    system = {act.act for frame in exchange.system.frames for act in frame.acts}
    if calls:
        answer = Assistant(thought=" ".join(thoughts), calls=tuple(calls))
    elif same and system <= _QUIET:
        answer = Assistant(exchange.system.text, nothing(f"{seed}/{dialogue.id}#{turn}"))
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
    given = {
        s: ANY if values[s] == "dontcare" else values[s] for s in tool.properties if s in values
    }
    return ToolCall(tool.name, given)


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
