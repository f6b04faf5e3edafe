"""The clients that people have, as they are: OpenAI's, LangChain's, and one that speaks MCP."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from coalm.engines import Unanswered
from coalm.engines.scripted import Scripted
from tests.serve.server import FIND, HELLO, Running, Typing, served

THINKS = "<think>To Ely.</think>\n"
BEGUN = '[{"name":'
CALL = '[{"name": "find_bus", "arguments": {"to": "ely"}}]'


def model(prompt: str) -> str:
    """Calls the bus once, then says what it found."""
    last = prompt.rpartition("<|im_start|>")[0].rpartition("<|im_start|>")[2]
    if last.startswith("tool\n"):
        found = last.removeprefix("tool\n").partition("<|im_end|>")[0]
        return f"It leaves at {found}."
    if prompt.endswith(BEGUN):  # what is forced is gone on with
        return CALL.removeprefix(BEGUN)
    return THINKS + CALL if "Tools:" in prompt else "Hello, how can I help you today?"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with served(Typing(model)) as running:
        yield running


@pytest.fixture
def client(server: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as made:
        yield made


def test_openais_client_chats_and_lists_models(client: openai.OpenAI) -> None:
    found = client.chat.completions.create(model="m", messages=HELLO, temperature=0.5, stop=["you"])
    assert found.choices[0].message.content
    assert found.usage is not None
    assert found.usage.completion_tokens > 0
    assert [one.id for one in client.models.list()] == ["m"]
    assert client.models.retrieve("m").owned_by == "coalm"


@pytest.mark.parametrize("choice", ["auto", "required"])
def test_openais_client_goes_round_with_tools(client: openai.OpenAI, choice: str) -> None:
    messages: list[Any] = [{"role": "user", "content": "A bus to Ely?"}]
    ask: Any = client.chat.completions.create
    made = ask(model="m", messages=messages, tools=[FIND], tool_choice=choice)
    if choice == "auto":
        assert made.choices[0].message.reasoning_content == "To Ely."
    assert made.choices[0].finish_reason == "tool_calls"
    [call] = made.choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {"to": "ely"}
    messages.append(made.choices[0].message)
    messages.append({"role": "tool", "tool_call_id": call.id, "content": "17:00"})
    done = ask(model="m", messages=messages, tools=[FIND])
    assert done.choices[0].message.content == "It leaves at 17:00."


def test_openais_client_streams(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="m", messages=HELLO) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert "content.delta" in kinds
    assert final.choices[0].message.content == "Hello, how can I help you today?"
    ask: Any = client.chat.completions.create
    parts = ask(
        model="m",
        messages=HELLO,
        tools=[FIND],
        stream=True,
        stream_options={"include_usage": True},
    )
    rows = list(parts)
    assert rows[-1].usage is not None
    calls = [c for row in rows if row.choices for c in row.choices[0].delta.tool_calls or ()]
    assert calls[0].function is not None
    assert calls[0].function.name == "find_bus"


def test_openais_errors_are_its_own(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="there is m"):
        client.chat.completions.create(model="gpt", messages=HELLO)
    with pytest.raises(openai.BadRequestError, match="only be 1") as caught:
        client.chat.completions.create(model="m", messages=HELLO, n=2)
    assert caught.value.param == "n"


def test_openais_client_is_told_of_a_stream_that_breaks() -> None:
    class Breaks:
        def complete(self, prompts: Any, sampling: Any) -> Any:
            raise AssertionError

        def stream(self, prompts: Any, sampling: Any, growing: Any) -> Any:
            growing(0, "Half of an ans")
            time.sleep(0.3)
            return [Unanswered("out of memory")]

    with served(Breaks()) as server:
        client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
        rows = iter(client.chat.completions.create(model="m", messages=HELLO, stream=True))
        said = [next(rows).choices[0].delta.content for _ in range(2)]
        with pytest.raises(openai.APIError, match="out of memory"):
            next(rows)
        client.close()
    assert said == ["", "Half of an ans"]


def test_openais_client_asks_again_where_it_is_told_to() -> None:
    with (
        served(Scripted([Unanswered("busy"), "here"])) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=1) as client,
    ):
        found = client.chat.completions.create(model="m", messages=HELLO)
    assert found.choices[0].message.content == "here"


def test_openais_async_client_asks_much_at_once(server: Running) -> None:
    async def ask() -> list[str | None]:
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none") as client:
            made = [client.chat.completions.create(model="m", messages=HELLO) for _ in range(20)]
            return [one.choices[0].message.content for one in await asyncio.gather(*made)]

    assert asyncio.run(ask()) == ["Hello, how can I help you today?"] * 20


def test_langchains_model_invokes_binds_tools_and_streams(server: Running) -> None:
    from langchain_core.messages import HumanMessage, ToolMessage
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    @tool
    def find_bus(to: str) -> str:
        """Find a bus."""
        return "17:00"

    chat = ChatOpenAI(model="m", base_url=f"{server.url}/v1", api_key=SecretStr("none"))
    assert chat.invoke("Hello.").content == "Hello, how can I help you today?"
    assert "".join(str(one.content) for one in chat.stream("Hello.")).endswith("today?")
    bound = chat.bind_tools([find_bus])
    messages: list[Any] = [HumanMessage("A bus to Ely?")]
    answer = bound.invoke(messages)
    [call] = answer.tool_calls
    assert (call["name"], call["args"]) == ("find_bus", {"to": "ely"})
    messages += [answer, ToolMessage(find_bus.invoke(call["args"]), tool_call_id=call["id"])]
    assert bound.invoke(messages).content == "It leaves at 17:00."


def test_a_client_with_tools_from_an_mcp_server(client: openai.OpenAI) -> None:
    from mcp import Client
    from mcp.server import MCPServer

    buses = MCPServer("buses")

    @buses.tool()
    def find_bus(to: str) -> str:
        """Find a bus."""
        return "17:00" if to == "ely" else "never"

    async def talk() -> str | None:
        async with Client(buses) as session:
            tools: list[Any] = [
                {
                    "type": "function",
                    "function": {
                        "name": one.name,
                        "description": one.description,
                        "parameters": one.input_schema,
                    },
                }
                for one in (await session.list_tools()).tools
            ]
            messages: list[Any] = [{"role": "user", "content": "A bus to Ely?"}]
            while True:
                made = client.chat.completions.create(model="m", messages=messages, tools=tools)
                message = made.choices[0].message
                messages.append(message)
                if not message.tool_calls:
                    return message.content
                for call in message.tool_calls:
                    assert call.type == "function"
                    given = json.loads(call.function.arguments)
                    result = await session.call_tool(call.function.name, given)
                    said = "".join(getattr(part, "text", "") for part in result.content)
                    messages.append({"role": "tool", "tool_call_id": call.id, "content": said})

    assert asyncio.run(talk()) == "It leaves at 17:00."
