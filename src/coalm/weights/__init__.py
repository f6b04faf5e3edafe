"""Checkpoints in other programs' files: GGUF for llama.cpp, OpenVINO and what is built on them."""

from coalm.weights.architectures import Architecture, architecture_of, check_whole
from coalm.weights.gguf import NUMBERS, VERSION, write_gguf
from coalm.weights.huggingface import copy_checkpoint

__all__ = [
    "NUMBERS",
    "VERSION",
    "Architecture",
    "architecture_of",
    "check_whole",
    "copy_checkpoint",
    "write_gguf",
]
