"""Our format for `vllm serve`: a chat template and parsers with the same grammar."""

from coalm.export.vllm.files import Written, write
from coalm.export.vllm.reading import Part, Reading, whole
from coalm.export.vllm.template import chat_template

__all__ = ["Part", "Reading", "Written", "chat_template", "whole", "write"]
