"""API-Bank's protocols by name."""

from collections.abc import Sequence
from typing import Any

from coalm.bench.apibank.damo import ApiBankDamo, ApiBankDamoPrompt
from coalm.bench.apibank.hammer import ApiBankHammer
from coalm.bench.apibank.levels import named
from coalm.bench.apibank.toolrl import ApiBankToolRL, ApiBankToolRLPrompt
from coalm.bench.base import Benchmark
from coalm.sources import Found

SOURCE_OF = {"hammer": "apibank", "damo": "apibank-damo", "toolrl": "apibank-toolrl"}
"""The source of each conversion."""


def source_of(protocol: str) -> str:
    """The name of the source that a protocol reads: `damo-l2` -> `apibank-damo`."""
    return SOURCE_OF[protocol.partition("-")[0]]


def open_protocol(protocol: str, found: Found) -> Benchmark[Any]:
    """The protocol, such as `hammer`, `damo-l2` or `toolrl-prompt`, on the data found."""
    return open_levels(*named(protocol), found)


def open_levels(protocol: str, levels: Sequence[str], found: Found) -> Benchmark[Any]:
    """The protocol on some levels, on all of them if none is named."""
    match protocol:
        case "hammer":
            return ApiBankHammer(found, levels)
        case "damo":
            return ApiBankDamo(found, levels)
        case "damo-prompt":
            return ApiBankDamoPrompt(found, levels)
        case "toolrl":
            return ApiBankToolRL(found, levels)
        case "toolrl-prompt":
            return ApiBankToolRLPrompt(found, levels)
        case known:
            raise AssertionError(f"{known} is no protocol of API-Bank")
