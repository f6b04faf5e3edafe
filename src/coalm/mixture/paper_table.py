"""Table 1 of the paper beside a data folder that was built to match it."""

from typing import TYPE_CHECKING

from coalm.published.table1 import Built, Table, compare, markdown

if TYPE_CHECKING:
    from coalm.mixture.manifest import Manifest


def beside_paper(manifest: "Manifest") -> Table:
    """The rows and tokens of each part beside the paper's, with the reasons why they differ."""
    built = {
        part.corpus: Built(part.kept, part.tokens, part.partial, sum(part.dropped.values()))
        for part in manifest.parts
    }
    return compare(built, str(manifest.recipe["tokenizer"]))


def table1(manifest: "Manifest") -> str:
    """The same as Markdown; empty where the recipe does not ask for it."""
    return markdown(beside_paper(manifest)) if manifest.recipe.get("table1") else ""
