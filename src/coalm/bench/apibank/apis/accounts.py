"""APIs about accounts and money: tokens, passwords, banks."""

import hashlib

from coalm.bench.apibank.apis.base import Api, Refused, World, stripped
from coalm.types import Json

_CODE = 970420
"""The code that is always sent, as the data shows."""


def get_user_token(world: World, username: str, password: str) -> Json:
    """The token of who knows the password."""
    accounts = world.table("Account")
    if username not in accounts:
        raise Refused("there is no such user")
    if accounts[username]["password"] != password:
        raise Refused("the password is wrong")
    return {"token": accounts[username]["token"]}


def check_token(world: World, token: str) -> Json:
    """Whose token it is."""
    return {"username": world.user(token)}


def register_user(world: World, username: str, password: str, email: str) -> Json:
    """A new account. Its token is derived from the name, so that it is the same each time."""
    accounts = world.table("Account")
    if username in accounts:
        raise Refused("the user name is taken")
    token = hashlib.sha256(username.encode("utf-8", "replace")).hexdigest()[:18]
    accounts[username] = {"password": password, "token": token, "email": email}
    return {"token": token}


def delete_account(world: World, token: str) -> Json:
    """The account of the token is gone."""
    del world.table("Account")[world.user(token)]
    return {"status": "success"}


def modify_password(world: World, token: str, old_password: str, new_password: str) -> Json:
    """A new password for who knows the old one."""
    account = world.table("Account")[world.user(token)]
    if account["password"] != old_password:
        raise Refused("the old password is wrong")
    account["password"] = new_password
    return {"status": "success"}


def forgot_password(
    world: World,
    status: str,
    username: str | None = None,
    email: str | None = None,
    verification_code: int | None = None,
    new_password: str | None = None,
) -> Json:
    """In two calls: a code for who knows the address, then a new password for who has the code."""
    accounts = world.table("Account")
    if status == "Forgot Password":
        if username is None or email is None:
            raise Refused("the first call needs a user name and an address")
        if username not in accounts:
            raise Refused("there is no such user")
        if accounts[username]["email"] != email:
            raise Refused("the address is wrong")
        world.forgetful, world.code = username, _CODE
        return _CODE
    if status != "Verification Code":
        raise Refused("there are two calls, and this is neither")
    if not world.code:
        raise Refused("no code was sent yet")
    if new_password is None or verification_code is None:
        raise Refused("the second call needs the code and a new password")
    if verification_code != world.code:
        raise Refused("the code is wrong")
    accounts[world.forgetful]["password"] = new_password
    return "success"


def open_bank_account(world: World, account: str, password: str, name: str) -> Json:
    """A new bank account, unless there is one of that name."""
    opened = world.table("Bank").setdefault("opened", {"test": {}})
    if account in opened:
        return "failed"
    opened[account] = {"password": password, "name": name}
    return "success"


def query_balance(world: World, token: str) -> Json:
    """What the owner of the token has at the bank."""
    owner = world.user(token)
    if owner not in world.table("Bank"):
        raise Refused("the user has no bank account")
    balance: Json = world.table("Bank")[owner]["balance"]
    return balance


APIS = (
    Api("GetUserToken", get_user_token),
    Api("CheckToken", check_token),
    Api("RegisterUser", register_user, outputs=False),
    Api("DeleteAccount", delete_account),
    Api("ModifyPassword", modify_password),
    Api("ForgotPassword", forgot_password),
    Api("OpenBankAccount", open_bank_account),
    Api("QueryBalance", query_balance, {"token": stripped}),
)
"""Those that this file holds."""
