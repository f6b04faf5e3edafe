"""Benchmarks by name. A new protocol is one line in the table and one case below it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from coalm import sources
from coalm.bench.base import Benchmark
from coalm.errors import RecipeError, unknown

if TYPE_CHECKING:
    from coalm.bench.multiwoz.online import Simulator

PROTOCOLS: Mapping[str, tuple[str, ...]] = {
    "multiwoz": ("dst-json", "react-offline", "online"),
    "apibank": (
        *("hammer", "hammer-l1", "hammer-l2"),
        *("damo", "damo-l1", "damo-l2", "damo-l3", "damo-prompt"),
        *("toolrl", "toolrl-l1", "toolrl-l2", "toolrl-l3", "toolrl-prompt"),
    ),
    "bfcl": ("ast", "single", "single-prompt", "multi-turn", "multi-turn-prompt", "sensitivity"),
}
"""The protocols of each benchmark; the first is meant where none is named."""


def full_name(name: str) -> str:
    """`bfcl` -> `bfcl:ast`; a `RecipeError` names the nearest benchmark or protocol."""
    benchmark, colon, protocol = name.partition(":")
    if benchmark not in PROTOCOLS:
        raise RecipeError(unknown("benchmark", benchmark, PROTOCOLS))
    if not colon:
        protocol = PROTOCOLS[benchmark][0]
    if protocol not in PROTOCOLS[benchmark]:
        raise RecipeError(unknown(f"protocol of {benchmark}", protocol, PROTOCOLS[benchmark]))
    return f"{benchmark}:{protocol}"


def open_benchmark(
    name: str, *, miniature: bool = False, users: "Simulator | None" = None
) -> Benchmark[Any]:
    """The benchmark `NAME:PROTOCOL`; `miniature` takes our few made-up cases in any event.

    `users` are those of `multiwoz:online`, the rule-based ones if not given.
    """
    match full_name(name):
        case "multiwoz:dst-json":
            from coalm.bench.multiwoz import MultiWozDst

            return MultiWozDst(_found("multiwoz", miniature))
        case "multiwoz:react-offline":
            from coalm.bench.multiwoz.react import MultiWozReact

            return MultiWozReact(_found("multiwoz", miniature))
        case "multiwoz:online":
            from coalm.bench.multiwoz.online import MultiWozOnline

            return MultiWozOnline(_found("multiwoz", miniature), users)
        case protocol if protocol.startswith("apibank:"):
            from coalm.bench.apibank.opening import open_protocol, source_of

            protocol = protocol.partition(":")[2]
            return open_protocol(protocol, _found(source_of(protocol), miniature))
        case "bfcl:ast":
            from coalm.bench import bfcl

            return bfcl.BfclAst(bfcl.miniature() if miniature else bfcl.find())
        case "bfcl:single":
            from coalm.bench import bfcl

            return bfcl.single_turn(bfcl.miniature() if miniature else bfcl.find())
        case "bfcl:single-prompt":
            from coalm.bench import bfcl
            from coalm.bench.bfcl.prompted import BfclPrompted

            return BfclPrompted(bfcl.miniature() if miniature else bfcl.find())
        case "bfcl:sensitivity":
            from coalm.bench import bfcl
            from coalm.bench.bfcl.sensitivity import BfclSensitivity

            return BfclSensitivity(bfcl.miniature() if miniature else bfcl.find())
        case "bfcl:multi-turn" | "bfcl:multi-turn-prompt" as protocol:
            from coalm.bench import bfcl
            from coalm.bench.bfcl.multiturn import BfclMultiTurn

            data = bfcl.miniature() if miniature else bfcl.find()
            return BfclMultiTurn(data, prompted=protocol.endswith("prompt"))
        case known:
            raise AssertionError(f"{known} is in the table and nowhere else")


def found_source(name: str, *, miniature: bool = False) -> sources.Found:
    """A source on this machine, or its miniature in any event."""
    return _found(name, miniature)


def _found(name: str, miniature: bool) -> sources.Found:
    if miniature:
        return sources.Found(sources.SOURCES[name], sources.MINIATURE, "miniature")
    return sources.find(name)
