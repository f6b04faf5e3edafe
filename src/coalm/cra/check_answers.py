"""Answers: what they name must have been seen, and the outcome must be the result's."""

from collections.abc import Iterator, Mapping

from coalm.cra.atoms import known as is_known
from coalm.cra.atoms import stated
from coalm.cra.findings import Finding
from coalm.cra.walk import Known, Step, shown, spoken
from coalm.types import Assistant, Json, Observation


def answer_findings(step: Step, known: Known) -> Iterator[Finding]:
    """What is wrong with the words of an exchange, given all that was shown before them."""
    text = spoken(step)
    place = next((p for p, t in reversed(step.turns) if isinstance(t, Assistant)), -1)
    if not text:
        return
    own = text == step.exchange.system.text
    unseen = list(_annotated(step, known)) if own else []
    yield from (Finding("unseen entity", place, note) for note in unseen)
    # SGD's own names are annotated; suggestions in a question are no claims.
    names = not own and step.says != {"REQUEST"}
    for kind, atom in stated(text, names=names) if not unseen else ():
        if not is_known(kind, atom, known.atoms):
            yield Finding("unseen entity", place, f"{kind} {atom} in {text[:80]!r}")
    yield from _outcome(step, place)


def _annotated(step: Step, known: Known) -> Iterator[str]:
    """What SGD's own words offer or tell, by their annotation, without any result that has it."""
    here = [r for _, t in step.turns if isinstance(t, Observation) for r in _results(t)]
    for frame in step.exchange.system.frames:
        for act in frame.acts:
            if act.act not in {"OFFER", "INFORM"}:
                continue
            among = known.values.get(act.slot, set())
            if act.act == "OFFER" and here and act.slot in here[0]:
                # What a search found is in its own result, not in an earlier one.
                among = {str(result.get(act.slot)).lower() for result in here}
            for number, value in enumerate(act.canonical):
                said = act.values[number] if number < len(act.values) else value
                if value.lower() not in among and said.lower() not in among:
                    yield f"{act.slot} {said!r} is in no result that was shown"


def _results(turn: Observation) -> list[Mapping[str, Json]]:
    seen = shown(turn)
    return seen[1] if seen else []


def _outcome(step: Step, place: int) -> Iterator[Finding]:
    """A success is none if the result is another thing than was asked for."""
    # Deviation D51: SGD has such turns, 352 dialogues of 12,174; they are left out.
    call, results = step.answer.call, step.answer.results
    if call is None or "NOTIFY_SUCCESS" not in step.says:
        return
    if not any(isinstance(t, Observation) for _, t in step.turns):
        return
    if not results:
        yield Finding("answer disagrees", place, "a success without a result")
        return
    for slot, value in call.arguments.items():
        if slot in results[0] and results[0][slot] != value:
            note = f"a success, though {slot} is {results[0][slot]} and not {value}"
            yield Finding("answer disagrees", place, note)
