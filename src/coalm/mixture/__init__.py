"""Mixtures: a list of corpora and shares becomes a data folder with a manifest."""

from coalm.mixture.folder import build, is_current
from coalm.mixture.manifest import Manifest, PartReport, read_manifest
from coalm.mixture.readers import CORPORA
from coalm.mixture.settings import DataSettings, Part

__all__ = [
    "CORPORA",
    "DataSettings",
    "Manifest",
    "Part",
    "PartReport",
    "build",
    "is_current",
    "read_manifest",
]
