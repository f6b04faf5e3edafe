"""What every CRA sample from SGD must hold to, whoever wrote it.

The paper's human check found errors in 9% of GPT-4o's dialogues (undefined calls, wrong
types, invented arguments, poor reasoning) and filtered none. Here each of these is a rule,
held against the schema, the annotation and the sample's own text rather than against the
code that wrote the sample. A teacher may word thoughts and answers as it likes.
"""

from collections.abc import Iterator, Mapping

from coalm.corpora.sgd import Service, SgdDialogue
from coalm.cra.check_answers import answer_findings
from coalm.cra.check_calls import call_findings, result_findings
from coalm.cra.check_thoughts import thought_findings
from coalm.cra.findings import Finding, ranked
from coalm.cra.walk import Known, shown, spoken, steps
from coalm.types import Assistant, Observation, Sample, System, User

__all__ = ["Finding", "check"]


def check(
    sample: Sample, dialogue: SgdDialogue, services: Mapping[str, Service]
) -> tuple[Finding, ...]:
    """What is wrong with a sample, the gravest first; nothing if it may be learned from."""
    found = [*_form(sample, dialogue)]
    known = _told(sample)
    for step in steps(sample, dialogue, services):
        for frame in step.exchange.user.frames:
            known.learn(frame, offers=True)
        for frame in step.exchange.system.frames:
            known.learn(frame, offers=False)
        known.hear(step.exchange.user.text)
        found += call_findings(step, sample, known, dialogue, services)
        found += result_findings(step)
        for place, turn in step.turns:
            if isinstance(turn, Assistant):
                found += thought_findings(step, place, turn, sample, known, services)
                known.called.update(call.name for call in turn.calls)
            elif isinstance(turn, Observation) and (seen := shown(turn)):
                known.see(step.answer.service, seen[1])
                known.atoms.add(str(seen[0]))
        found += answer_findings(step, known)
        known.hear(spoken(step))
        for frame in step.exchange.system.frames:
            known.learn(frame, offers=True)
    return ranked(found)


def _told(sample: Sample) -> Known:
    """What is known before the first word: the system message, and the tools' defaults."""
    known = Known()
    for turn in sample.dialogue.turns:
        if isinstance(turn, System):
            known.hear(turn.text)
    for tool in sample.dialogue.tools:
        for slot, schema in tool.properties.items():
            default = schema.get("default") if isinstance(schema, dict) else None
            if default is not None:
                known.values[slot].add(str(default).lower())
                known.hear(str(default))
    return known


def _form(sample: Sample, dialogue: SgdDialogue) -> Iterator[Finding]:
    """The user says what was said, every assistant turn thinks, the last word is spoken."""
    turns = sample.dialogue.turns
    names = [tool.name for tool in sample.dialogue.tools]
    for name in {name for name in names if names.count(name) > 1}:
        yield Finding("broken form", -1, f"two tools of the name {name}")
    users = [(place, t.text) for place, t in enumerate(turns) if isinstance(t, User)]
    for number, (place, text) in enumerate(users):
        if number >= len(dialogue.exchanges) or text != dialogue.exchanges[number].user.text:
            yield Finding("broken form", place, "the user did not say this")
            break
    if not users:
        yield Finding("broken form", -1, "nobody asks anything")
    for place, turn in enumerate(turns):
        after = turns[place + 1] if place + 1 < len(turns) else User("")
        if isinstance(turn, User) and not isinstance(after, Assistant):
            yield Finding("broken form", place, "the user gets no answer")
        if isinstance(turn, Observation) and not isinstance(after, Assistant):
            yield Finding("broken form", place, "nothing is said about a result")
        if not isinstance(turn, Assistant):
            continue
        if not turn.thought.strip():
            yield Finding("broken form", place, "a turn without a thought")
        if not turn.calls and not turn.text.strip():
            yield Finding("broken form", place, "a turn that neither calls nor speaks")
        if not turn.calls and isinstance(after, Observation):
            yield Finding("unequal observation", place + 1, "a result of no call")
        if turn.calls and not isinstance(after, Observation):
            yield Finding("broken form", place, "a call without its result")
        if not turn.calls and isinstance(after, Assistant):
            yield Finding("broken form", place + 1, "two answers in a row")
