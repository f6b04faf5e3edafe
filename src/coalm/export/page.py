"""The README.md of an export: what it is, what it could not say, how to load it."""

from collections.abc import Mapping
from typing import Any

from coalm.export.base import Target
from coalm.export.rowfile import features

_SPLITS = {"train": "train", "valid": "validation"}
"""Our name of a split -> what `datasets` calls it."""


def page(
    target: Target,
    name: str,
    made_of: str,
    licences: Mapping[str, tuple[str, ...]],
    hub_licences: tuple[str, ...],
    files: Mapping[str, str],
    rows: Mapping[str, int],
    unsaid: Mapping[str, int],
    remarks: Mapping[str, int],
) -> str:
    """Markdown with the front matter by which `datasets` loads the folder."""
    counted = ", ".join(f"{rows[split]:,} rows in `{file}`" for split, file in files.items())
    lines = [
        *_front_matter(target, hub_licences, files),
        f"# {name} as {target.name}",
        "",
        f"Made of a data folder ({made_of}): {counted}. Read by {target.readers}. Columns: "
        f"{', '.join(f'`{column}`' for column in target.columns)}.",
        "",
        *_counted("Left out: it cannot be said in this format", unsaid),
        *_counted("Worth knowing", remarks),
        "## Licences",
        "",
        *(f"- {licence}: {', '.join(corpora)}" for licence, corpora in licences.items()),
        "",
        "## Use",
        "",
        "```python",
        "from datasets import load_dataset",
        "",
        f'rows = load_dataset("FOLDER")  # splits: {", ".join(_SPLITS[s] for s in files)}',
        "```",
    ]
    return "\n".join(lines) + "\n"


def _front_matter(
    target: Target, hub_licences: tuple[str, ...], files: Mapping[str, str]
) -> list[str]:
    import yaml

    told: dict[str, Any] = {
        "license": hub_licences[0] if len(hub_licences) == 1 else list(hub_licences),
        "language": ["en"],
        "task_categories": ["text-generation"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": _SPLITS[split], "path": file} for split, file in files.items()
                ],
            }
        ],
        "dataset_info": {"config_name": "default", "features": features(target.columns)},
    }
    return ["---", yaml.safe_dump(told, sort_keys=False, width=100).rstrip(), "---", ""]


def _counted(title: str, counts: Mapping[str, int]) -> list[str]:
    if not counts:
        return []
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [f"## {title}", "", *(f"- {n:,} samples: {reason}" for reason, n in ordered), ""]
