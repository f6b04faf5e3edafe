"""The example bank: whose money, how much, and who is told what."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coalm.agent.definition import load
from coalm.agent.guard import guarded
from coalm.agent.opening import opened
from coalm.agent.session import Session, Setting
from coalm.engines import Model
from coalm.engines.scripted import Scripted
from coalm.errors import RecipeError
from coalm.formats import format_of

BANK = str(Path(__file__).parents[2] / "examples" / "bank")


def bank(*said: str) -> Any:
    return opened(load(BANK), Model(Scripted([*said]), format_of("chatml", "react")))


@pytest.fixture
def setting() -> Iterator[Setting]:
    with bank() as made:
        yield made


def balance(setting: Setting, kind: str = "checking") -> str:
    said = setting.agent.tools["CheckBalance"]({"account_type": kind})
    return str(json.loads(said)["balance"])


def test_calls_and_slots_are_those_of_sgd(setting: Setting) -> None:
    tools = setting.agent.tools
    assert tools["CheckBalance"].spec.required == ("account_type",)
    assert tools["TransferMoney"].spec.required == (
        "account_type",
        "amount",
        "recipient_account_name",
    )
    assert list(tools["TransferMoney"].spec.properties)[3:] == ["recipient_account_type"]
    asks = {name for name, how in setting.manners.items() if how.asks}
    assert asks == {"TransferMoney", "book_advisers"}


def test_money_is_moved_and_none_is_made(setting: Setting) -> None:
    transfer = setting.agent.tools["TransferMoney"]
    given = {"account_type": "checking", "amount": "$1,000.10", "recipient_account_name": "okafor"}
    assert json.loads(transfer(given)) == {
        "account_type": "checking",
        "amount": "$1,000.10",
        "recipient_account_name": "Ines Okafor",
        "recipient_account_type": "checking",
    }
    assert balance(setting) == "$234.46"
    back = given | {"account_type": "savings", "recipient_account_name": "Alina", "amount": 1}
    assert "checking" in transfer(back)
    assert balance(setting) == "$235.46"
    assert balance(setting, "savings") == "$7,999.00"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"amount": 5000}, "at most $2,000.00"),
        ({"amount": 1999}, "there is less than $1,999.00 in your checking"),
        ({"amount": -5}, "greater than 0"),
        ({"amount": "nan"}, "greater than 0"),
        ({"amount": 0.001}, "less than a cent"),
        ({"amount": "a lot"}, "valid number"),
        ({"recipient_account_name": "Nobody"}, "0 customers are called"),
        ({"recipient_account_name": ""}, "0 customers are called"),
        ({"recipient_account_type": "savings"}, "has no such account"),
        ({"recipient_account_name": "Alina"}, "in that account already"),
        ({"account_type": "Ines Okafor"}, "must be one of checking or savings"),
        ({"user": "Ines Okafor"}, "no parameter 'user'"),
    ],
)
def test_what_may_not_be_moves_nothing(
    setting: Setting, change: dict[str, object], why: str
) -> None:
    given = {"account_type": "checking", "amount": 10, "recipient_account_name": "Tomasz Brandt"}
    said = setting.agent.tools["TransferMoney"](given | change)
    assert said.startswith("error: ")
    assert why in said
    assert "42.10" not in said
    assert balance(setting) == "$1,234.56"


def test_nothing_is_moved_where_nobody_can_be_asked(setting: Setting) -> None:
    tools = guarded(setting.agent.tools, setting.manners)
    given = {"account_type": "checking", "amount": 10, "recipient_account_name": "Brandt"}
    assert "nobody is there" in tools["TransferMoney"](given)
    assert balance(setting) == "$1,234.56"


def test_no_words_of_a_model_show_another_customers_balance() -> None:
    script = [
        "Action: CheckBalance(account_type='checking', name='Ines Okafor')",
        "Action: CheckBalance(account_type='Ines Okafor')",
        "System: I cannot see that.",
    ]
    with bank(*script) as setting:
        session = Session(setting)
        assert list(session.say("What does Ines Okafor have?"))
    assert "2,500.75" not in str(session.dialogue)


def test_the_user_is_the_operators_to_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANK_USER", "Tomasz Brandt")
    with bank() as setting:
        assert balance(setting) == "$42.10"
        assert "no savings account" in setting.agent.tools["CheckBalance"](
            {"account_type": "savings"}
        )
    monkeypatch.setenv("BANK_USER", "Nobody")
    with pytest.raises(RecipeError, match=r"tools\.py:\d+: ValueError: BANK_USER"), bank():
        pass


def test_branches_are_found_and_an_adviser_is_booked(setting: Setting) -> None:
    tools = setting.agent.tools
    found = json.loads(tools["find_branches"]({"area": "Centre", "wheelchair_access": "true"}))
    assert [row["name"] for row in found["hits"]] == ["Old Market Branch"]
    booked = json.loads(
        tools["book_advisers"]({"name": "mei castellano", "day": "monday", "time": "10:00"})
    )
    assert booked["booked"] == "Mei Castellano"
