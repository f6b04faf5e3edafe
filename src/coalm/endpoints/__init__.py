"""A client for OpenAI-compatible endpoints: several of them, least busy first.

Used by whoever asks a model over the network: the teacher of `cra.teacher`, engines.
What the world did to a request is a value (`Unanswered`), never a wrong answer; what
the person at the keyboard can mend (address, key, model name) is an `EndpointError`.
"""

from coalm.endpoints.addresses import Address, address, key_from
from coalm.endpoints.client import Client, Settings
from coalm.endpoints.flow import side_by_side
from coalm.endpoints.values import Answer, Prices, Refused, ToolUse, Unanswered, Usage

__all__ = [
    "Address",
    "Answer",
    "Client",
    "Prices",
    "Refused",
    "Settings",
    "ToolUse",
    "Unanswered",
    "Usage",
    "address",
    "key_from",
    "side_by_side",
]
