"""The law of what is shown of a turn before it is whole."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coalm.errors import FormatError
from coalm.formats import DIALECTS
from coalm.formats.chat import checked
from coalm.formats.dialects import dialect
from coalm.formats.glimpse import Glimpse, glimpse
from coalm.types import Assistant
from tests.formats.dialogues import NASTY, anything, ordinary

FUNCTION = '<think>a</think>\n<function_call>{"function": "f", "arguments": {}}</function_call>'
named = st.sampled_from(sorted(DIALECTS))
scraps = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *NASTY,
                *("Thought:", "System: ", "Action: f(a=1)", "\n", " ", "[", "<think>"),
                *("```", "```\n", "<execute>", "</execute>", FUNCTION[17:]),
            ]
        ),
        st.text("ab (=,\n[]{}`", max_size=6),
    ),
    max_size=6,
).map("".join)


def lawful(name: str, text: str) -> None:
    turn = dialect(name).read(text)
    if not isinstance(turn, Assistant):
        return
    for end in range(len(text) + 1):
        seen = glimpse(dialect(name), text[:end])
        assert turn.thought.startswith(seen.thought), (text[:end], seen)
        assert turn.text.startswith(seen.text), (text[:end], seen)


@given(named, st.one_of(ordinary, anything))
def test_what_is_seen_early_is_a_beginning_of_what_was_written(name: str, turn: Assistant) -> None:
    try:
        text = checked(dialect(name), turn)
    except FormatError:
        return
    lawful(name, text)


@given(named, scraps)
@example("react", "Thought: a\nSystem: b\nObservation: c")
@example("react", "said before\nSystem: b")
@example("pythonic", "Market Trends API(a=1)")
@example("json", "words\n\n[{}]")
def test_the_law_holds_for_whatever_a_model_writes(name: str, text: str) -> None:
    lawful(name, text)


@pytest.mark.parametrize(
    ("name", "text", "seen"),
    [
        ("react", "Thought: It is near.\nSyst", Glimpse("It is near.")),
        ("react", "Thought: It is near.\nSystem: The Cow P", Glimpse("It is near.", "The Cow P")),
        ("json", "<think>It is n", Glimpse("It is n")),
        ("json", "<think>a</think>\nThe Cow Pizza, as", Glimpse("a", "The Cow Pizza, as")),
        ("json", 'Here it is:\n[{"na', Glimpse("", "Here it is:")),
        ("pythonic", "The Cow Pizza, as", Glimpse("", "The Cow Pizza, as")),
        ("hermes", "Let me look.\n<tool_c", Glimpse("", "Let me look.")),
        ("codeact", "Let me look.\n<exec", Glimpse("", "Let me look.")),
        ("hammer", "Let me look.\n```\n[{", Glimpse("", "Let me look.")),
        ("openai", 'Let me look.\n{"tool_', Glimpse("", "Let me look.")),
        ("fnctod", "The Cow Pizza, as", Glimpse("", "The Cow Pizza, as")),
        ("fnctod", FUNCTION, Glimpse("a", "")),
        ("fnctod", f"{FUNCTION}\n<funct", Glimpse("a", "")),
        ("fnctod", f"{FUNCTION}\nOn it", Glimpse("a", "On it")),
    ],
)
def test_most_of_a_turn_is_seen_while_it_is_written(name: str, text: str, seen: Glimpse) -> None:
    assert glimpse(dialect(name), text) == seen
