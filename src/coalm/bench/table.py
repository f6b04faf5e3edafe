"""Benchmarks by name. A new protocol is one line in the table and one case below it."""

from collections.abc import Mapping
from typing import Any

from coalm import sources
from coalm.bench.base import Benchmark
from coalm.errors import RecipeError, unknown

PROTOCOLS: Mapping[str, tuple[str, ...]] = {
    "multiwoz": ("dst-json",),
    "apibank": ("hammer",),
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


def open_benchmark(name: str, *, miniature: bool = False) -> Benchmark[Any]:
    """The benchmark `NAME:PROTOCOL`; `miniature` takes our few made-up cases in any event."""
    match full_name(name):
        case "multiwoz:dst-json":
            from coalm.bench.multiwoz import MultiWozDst

            return MultiWozDst(_found("multiwoz", miniature))
        case "apibank:hammer":
            from coalm.bench.apibank import ApiBankHammer

            return ApiBankHammer(_found("apibank", miniature))
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


def _found(name: str, miniature: bool) -> sources.Found:
    if miniature:
        return sources.Found(sources.SOURCES[name], sources.MINIATURE, "miniature")
    return sources.find(name)
