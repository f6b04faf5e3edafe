"""The plugin as a folder: a parser file, a chat template, and how to serve with them."""

import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from coalm import store
from coalm.errors import RecipeError
from coalm.export.vllm.template import chat_template
from coalm.formats import Chat

PARSER, TEMPLATE, README = "coalm_parsers.py", "chat_template.jinja", "README.md"


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, and the command that uses it."""

    files: tuple[Path, ...]
    command: str


def write(
    fmt: Chat, out: Path, model: str, *, markers: Iterable[str] = (), force: bool = False
) -> Written:
    """Write the plugin of a format for a model; `markers` are all those of its tokenizer."""
    taken = [out / name for name in (PARSER, TEMPLATE, README) if (out / name).exists()]
    if (out.exists() and not out.is_dir()) or (taken and not force):
        raise RecipeError(f"{taken[0] if taken else out} is there already; --force writes over it")
    out.mkdir(parents=True, exist_ok=True)
    plugin = (files("coalm.export.vllm") / "plugin.txt").read_text(encoding="utf-8")
    plugin = plugin.replace("@@DIALECT@@", fmt.dialect.name)
    plugin = plugin.replace("@@STOPS@@", json.dumps(list(fmt.stops)))
    command = serve_command(model, out)
    told = _README.format(name=fmt.name, command=command, parser=PARSER, template=TEMPLATE)
    for name, text in ((PARSER, plugin), (TEMPLATE, chat_template(fmt, markers)), (README, told)):
        store.write_text(out / name, text)
    return Written(tuple(out / name for name in (PARSER, TEMPLATE, README)), command)


def serve_command(model: str, out: Path) -> str:
    """The `vllm serve` that uses a plugin."""
    words = ["vllm", "serve", model, "--chat-template", str(out / TEMPLATE)]
    words += ["--chat-template-content-format", "string", "--enable-auto-tool-choice"]
    words += ["--tool-parser-plugin", str(out / PARSER), "--tool-call-parser", "coalm"]
    words += ["--reasoning-parser-plugin", str(out / PARSER), "--reasoning-parser", "coalm"]
    return shlex.join(words)


_README = """# vLLM with the format {name}

```
{command}
```

- `{template}` renders dialogues and tools exactly as the model was trained on them.
- `{parser}` reads its replies: words, thoughts (`reasoning`), tool calls. It needs `coalm`
  installed beside vLLM, and was made for the parser interface of vLLM 0.33.
- Use both parsers together: the reasoning parser alone leaves calls in the words.
- `tool_choice` `required`, or a tool by name, is read like `auto`: nothing forces the model. Put
  `coalm serve --upstream` in front of a server to have it forced.
"""
