"""The command lines that serve a model with `vllm serve` as our engines want it.

One server may use several GPUs (tensor and pipeline parallel) and hold several copies (data
parallel). Servers on many machines are asked as one: `coalm eval` takes several base URLs.
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from coalm.engines.vllm import VllmOptions, engine_arguments
from coalm.errors import RecipeError
from coalm.recipe import build

_FLAGS = ("enable_prefix_caching", "enforce_eager", "trust_remote_code")
"""Settings that are a flag alone."""


def serve_command(
    path: str,
    *,
    name: str,
    dtype: str = "auto",
    options: Mapping[str, Any] | None = None,
    copies: int = 1,
    host: str = "127.0.0.1",
    port: int = 8000,
    tools: str = "",
) -> list[str]:
    """The words of `vllm serve` for a model folder, under the name `name`.

    `copies` is vLLM's data parallel size. `tools` names vLLM's parser of tool calls, without
    which a server takes no native tools. A key comes from the environment (VLLM_API_KEY).
    """
    if copies < 1 or not 0 < port < 65536:
        raise RecipeError("copies must be at least 1, and a port is a number from 1 to 65535")
    chosen = build(VllmOptions, options or {}, "engine option")
    given = engine_arguments(path, dtype, chosen)
    del given["model"]
    words = ["vllm", "serve", path, "--served-model-name", name]
    words += ["--host", host, "--port", str(port)]
    for setting, value in given.items():
        flag = "--" + setting.replace("_", "-")
        if setting in _FLAGS:
            words += [flag] if value else []
        else:
            words += [flag, str(value)]
    words += ["--data-parallel-size", str(copies)] if copies > 1 else []
    return words + (["--enable-auto-tool-choice", "--tool-call-parser", tools] if tools else [])


def eval_command(name: str, urls: Sequence[str], *, layout: str = "") -> str:
    """The `coalm eval` that asks servers as one: our raw prompts where a layout is given."""
    words = ["coalm", "eval", name, "--engine", "server"]
    words += [word for url in urls for word in ("--base-url", url)]
    return shlex.join([*words, *(["--raw", "--layout", layout] if layout else [])])
