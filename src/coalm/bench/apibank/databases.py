"""The databases behind API-Bank's APIs, as the authors publish them: one JSON file each."""

import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coalm import store
from coalm.bench.apibank.apis import DATABASES
from coalm.errors import DataError
from coalm.sources import Found
from coalm.sources.unpack import files

ARCHIVE = "apibank/init_database.tar.gz"


def read_databases(found: Found) -> Mapping[str, Any]:
    """Every database by name, from the archive or its folder; `DataError` names what is missing."""
    path = found.path(ARCHIVE)
    known = dict(_packed(path) if path.is_file() else _unpacked(path))
    wanted = DATABASES if found.real else tuple(known)
    missing = [name for name in wanted if name not in known]
    if missing or not known:
        raise DataError(f"{path}: lacks {', '.join(f'{name}.json' for name in missing) or 'all'}")
    return known


def _unpacked(folder: Path) -> Iterator[tuple[str, Any]]:
    for file in sorted(folder.glob("*.json")):
        yield file.stem, store.read_json(file)


def _packed(archive: Path) -> Iterator[tuple[str, Any]]:
    for name, content in files(archive):
        parts = name.split("/")
        if len(parts) < 2 or parts[-2] != "init_database" or not parts[-1].endswith(".json"):
            continue
        try:
            yield parts[-1].removesuffix(".json"), json.loads(content.read())
        except (ValueError, zlib.error) as e:
            raise DataError(f"{archive}: {name} is not JSON: {e}") from None
