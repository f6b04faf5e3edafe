"""Where each corpus and benchmark comes from, and where its files are on this machine.

A source is found, in this order: in the local mirror (`COALM_DATA`: a folder or an archive,
laid out as `shared/data` or as upstream), in the cache of earlier downloads, by download
where there is a network, and last in the miniature that the package bundles. Whoever asks is
told which it was and what is lacking, and every command that reads one says so.
"""

from coalm.sources.checking import Presence, Verdict, check, presence
from coalm.sources.finding import find
from coalm.sources.gates import gates, named, refusal
from coalm.sources.getting import Step, get, total
from coalm.sources.model import GATES, Found, Gate, Origin, Source, Wheel, plain
from coalm.sources.pins import Pin, pin, pins
from coalm.sources.places import MINIATURE, cache, downloads, mirror
from coalm.sources.registry import SOURCES
from coalm.sources.transfer import Patience, Unreachable, fetch
from coalm.sources.wheels import wheel

__all__ = [
    "GATES",
    "MINIATURE",
    "SOURCES",
    "Found",
    "Gate",
    "Origin",
    "Patience",
    "Pin",
    "Presence",
    "Source",
    "Step",
    "Unreachable",
    "Verdict",
    "Wheel",
    "cache",
    "check",
    "downloads",
    "fetch",
    "find",
    "gates",
    "get",
    "mirror",
    "named",
    "pin",
    "pins",
    "plain",
    "presence",
    "refusal",
    "total",
    "wheel",
]
