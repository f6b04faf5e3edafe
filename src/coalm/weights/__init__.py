"""Checkpoints in other programs' files: GGUF for llama.cpp, OpenVINO and what is built on them."""

from coalm.weights.architectures import Architecture, architecture_of, kind_of
from coalm.weights.gguf import NUMBERS, VERSION, write_gguf

__all__ = ["NUMBERS", "VERSION", "Architecture", "architecture_of", "kind_of", "write_gguf"]
