"""A made-up bank behind two calls, named and typed as in SGD's service Banks_1.

Who asks is the operator's to say (BANK_USER) and never an argument: a model that is talked
into anything can still only see and move the money of the person at the keyboard. Amounts are
kept in cents. Everything is forgotten when the conversation ends.
"""

import json
import os
import threading
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from coalm.agent.functions import Refused, writes

Kind = Literal["checking", "savings"]


def _bare(value: object) -> object:
    """`$1,250.50` as 1250.50, as people and models write it."""
    return value.replace("$", "").replace(",", "").strip() if isinstance(value, str) else value


Dollars = Annotated[float, BeforeValidator(_bare), Field(gt=0, allow_inf_nan=False)]

_LEDGER: dict[str, dict[str, int]] = json.loads(
    Path(__file__).with_name("ledger.json").read_text(encoding="utf-8")
)
_USER = os.environ.get("BANK_USER", "Alina Moreau")
_LIMIT = 2_000_00
_lock = threading.Lock()  # calls of one turn may run side by side

if _USER not in _LEDGER:
    raise ValueError(f"BANK_USER is {_USER!r}; the ledger knows {', '.join(_LEDGER)}")


def CheckBalance(  # noqa: N802  SGD's name
    account_type: Annotated[Kind, "The account type of the user"],
) -> dict[str, str]:
    """Check the amount of money in the user's own account."""
    with _lock:
        cents = _account(account_type)[account_type]
    return {"account_type": account_type, "balance": _said(cents)}


@writes
def TransferMoney(  # noqa: N802  SGD's name
    account_type: Annotated[Kind, "The user's account that the money is taken from"],
    amount: Annotated[Dollars, "The amount of money to transfer, in dollars"],
    recipient_account_name: Annotated[str, "The name of the recipient"],
    recipient_account_type: Annotated[Kind, "The recipient's account"] = "checking",
) -> dict[str, str]:
    """Transfer money from the user's account to another customer of the bank."""
    cents = round(amount * 100)
    if cents < 1:
        raise Refused("amount: less than a cent cannot be moved")
    if cents > _LIMIT:
        raise Refused(f"amount: at most {_said(_LIMIT)} can be moved at once")
    with _lock:
        mine, theirs = _account(account_type), _recipient(recipient_account_name)
        if recipient_account_type not in _LEDGER[theirs]:
            raise Refused(f"recipient_account_type: {theirs} has no such account")
        if theirs == _USER and recipient_account_type == account_type:
            raise Refused("the money is in that account already")
        if mine[account_type] < cents:
            raise Refused(f"amount: there is less than {_said(cents)} in your {account_type}")
        mine[account_type] -= cents
        _LEDGER[theirs][recipient_account_type] += cents
    return {
        "account_type": account_type,
        "amount": _said(cents),
        "recipient_account_name": theirs,
        "recipient_account_type": recipient_account_type,
    }


def _account(kind: Kind) -> dict[str, int]:
    mine = _LEDGER[_USER]
    if kind not in mine:
        raise Refused(f"account_type: you have no {kind} account")
    return mine


def _recipient(name: str) -> str:
    """The customer of that name, in full or not: nobody is told who else banks here."""
    words = name.casefold().split()
    found = [one for one in _LEDGER if words and set(words) <= set(one.casefold().split())]
    if len(found) != 1:
        raise Refused(f"recipient_account_name: {len(found)} customers are called {name!r}")
    return found[0]


def _said(cents: int) -> str:
    return f"${cents / 100:,.2f}"
