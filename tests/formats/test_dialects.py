"""What models write in each dialect of the paper's baselines, and what is made of it."""

import pytest

from coalm.formats import DIALECTS, Malformed, format_of
from coalm.formats.dialects import dialect
from coalm.formats.forcing import forced
from coalm.types import Assistant, ToolCall
from tests.formats.dialogues import tool

ELY = ToolCall("find_bus", {"to": "ely"})
FARE = ToolCall("fare", {"zone": 2, "days": ["mon", "tue"]})
LIST = '[{"name": "find_bus", "arguments": {"to": "ely"}}]'
BOTH = Assistant("One moment.", "Both.", (ELY, FARE))


def test_each_writes_a_thought_words_and_two_calls_in_its_own_way() -> None:
    assert {name: DIALECTS[name].write(BOTH) for name in ("hammer", "fnctod", "codeact")} == {
        "hammer": "<think>Both.</think>\nOne moment.\n```\n"
        '[{"name": "find_bus", "arguments": {"to": "ely"}}, '
        '{"name": "fare", "arguments": {"zone": 2, "days": ["mon", "tue"]}}]\n```',
        "fnctod": "<think>Both.</think>\n"
        '<function_call>{"function": "find_bus", "arguments": {"to": "ely"}}</function_call>\n'
        '<function_call>{"function": "fare", "arguments": {"zone": 2, "days": ["mon", "tue"]}}'
        "</function_call>\nOne moment.",
        "codeact": "<think>Both.</think>\nOne moment.\n<execute>\nfind_bus(to='ely')\n"
        "fare(zone=2, days=['mon', 'tue'])\n</execute>",
    }
    assert DIALECTS["openai"].write(Assistant("", "", (ELY,))) == (
        '{"tool_calls": [{"id": "call_1", "type": "function", "function": '
        '{"name": "find_bus", "arguments": "{\\"to\\": \\"ely\\"}"}}]}'
    )


@pytest.mark.parametrize(
    ("name", "text", "calls"),
    [
        ("pythonic", '[find_bus(to="ely"), fare(zone=2, days=["mon", "tue"])]', (ELY, FARE)),
        ("hammer", f"```\n{LIST}\n```", (ELY,)),
        ("hammer", f"```json\n{LIST}\n```", (ELY,)),
        ("hammer", f"I look.\n```\n{LIST}\n```", (ELY,)),
        ("hammer", LIST, (ELY,)),
        ("hammer", "```\n[]\n```", ()),
        (
            "fnctod",
            '<function_call> {"function": "find_bus", "arguments": {"to": "ely"}} '
            "</function_call>On it.",
            (ELY,),
        ),
        (
            "fnctod",
            '<function_call>{"name": "find_bus", "arguments": {"to": "ely"}}</function_call>',
            (ELY,),
        ),
        ("codeact", "<execute> find_bus(to='ely') </execute>", (ELY,)),
        ("codeact", "<execute>\nprint(find_bus(to='ely'))\n</execute>", (ELY,)),
        ("codeact", "<execute>\nbus = find_bus(to='ely')  # look\n</execute>", (ELY,)),
        (
            "codeact",
            "<execute>\nfind_bus(\n  to='ely',\n)\nfare(zone=2, days=['mon', 'tue']); \n</execute>",
            (ELY, FARE),
        ),
        (
            "codeact",
            "<execute>find_bus(to='ely')</execute>\n<execute>find_bus(to='ely')</execute>",
            (ELY, ELY),
        ),
        ("codeact", "<execute>print(to='ely')</execute>", (ToolCall("print", {"to": "ely"}),)),
        (
            "openai",
            '{"role": "assistant", "content": null, "tool_calls": [{"function": '
            '{"name": "find_bus", "arguments": {"to": "ely"}}}]}',
            (ELY,),
        ),
    ],
)
def test_calls_are_read_as_models_write_them(
    name: str, text: str, calls: tuple[ToolCall, ...]
) -> None:
    turn = format_of("chatml", name).read(text)
    assert isinstance(turn, Assistant)
    assert turn.calls == calls


def test_a_whole_message_has_its_words_with_it() -> None:
    text = (
        '{"content": "One moment.", "tool_calls": [{"id": "x", "type": "function", '
        '"function": {"name": "find_bus", "arguments": "{\\"to\\": \\"ely\\"}"}}]}'
    )
    assert dialect("openai").read(text) == Assistant("One moment.", "", (ELY,))


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("codeact", "<execute>for i in [1]: f(a=i)</execute>", "not a call with plain values"),
        ("codeact", "<execute>x = 1</execute>", "not a call with plain values"),
        ("codeact", "<execute>f(a=bus)</execute>", "not a call with plain values"),
        ("codeact", "<execute>import os; os.remove(path='x')</execute>", "something beside"),
        ("codeact", "<execute>f(a=1) + g(b=2)</execute>", "something beside the call"),
        ("codeact", "<execute></execute>", "holds no call"),
        ("codeact", "<execute>f(a=1)", "not closed"),
        ("codeact", "<execute>f(a=1)</execute> so", "words after one"),
        ("fnctod", "<function_call>{}</function_call>", "holds no call"),
        ("fnctod", '<function_call>{"function": "f"', "not closed"),
        ("fnctod", f"Wait. <function_call>{LIST}</function_call>", "after words"),
        ("openai", '{"tool_calls": [{"function": {"name": "f"}}]}', "not readable"),
        ("hammer", '[{"name": "f", "arguments": ', "not readable as JSON"),
    ],
)
def test_what_was_meant_as_calls_and_is_none_is_malformed(name: str, text: str, why: str) -> None:
    found = dialect(name).read(text)
    assert isinstance(found, Malformed)
    assert why in found.why


def test_code_is_read_and_never_run() -> None:
    found = dialect("codeact").read("<execute>__import__('os').system('true')</execute>")
    assert isinstance(found, Malformed)


@pytest.mark.parametrize("name", DIALECTS)
def test_each_tells_of_tools_with_what_a_call_needs(name: str) -> None:
    told = DIALECTS[name].instructions((tool,))
    for part in ("find_bus", "Find a bus.", "Where to", "legs", "ely"):
        assert part in told


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("wanted", ["", "find_bus"])
def test_a_forced_beginning_is_one_of_what_is_written(name: str, wanted: str) -> None:
    begun = forced(DIALECTS[name], wanted)
    whole = DIALECTS[name].write(Assistant(calls=(ELY,)))
    assert whole.startswith(begun)
    assert dialect(name).read(begun + whole[len(begun) :]) == Assistant(calls=(ELY,))
    assert not wanted or wanted in begun
