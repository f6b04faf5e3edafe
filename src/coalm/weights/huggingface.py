"""A checkpoint folder as others load it: config, tokenizer and safetensors, and nothing else."""

import shutil
from pathlib import Path

from coalm import store
from coalm.weights.architectures import check_whole

_ENDINGS = {".json", ".jinja", ".safetensors", ".model", ".txt"}
_NAMES = ("LICENSE", "NOTICE")
_LAST = "config.json"
"""Its presence says that the folder is whole."""


def copy_checkpoint(folder: Path, out: Path) -> Path:
    """Copy a model folder's files to the folder `out`, in which other files stay as they are."""
    check_whole(folder)
    out.mkdir(parents=True, exist_ok=True)
    with store.appearing(out, last=_LAST) as draft:
        for path in sorted(folder.iterdir()):
            if path.is_file() and (path.suffix in _ENDINGS or path.name.startswith(_NAMES)):
                shutil.copyfile(path, draft / path.name)
    return out
