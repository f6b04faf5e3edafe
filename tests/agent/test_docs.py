"""docs/agent.md says of every setting what the code says, and what it shows can be opened."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from coalm.agent.definition import BELONGS, AgentFile, AuthFrom, Limits, MannersOf, ToolsFrom, load
from coalm.agent.guard import Manners
from coalm.recipe import help_texts

PAGE = Path(__file__).parents[2] / "docs" / "agent.md"
KINDS = (AgentFile, ToolsFrom, AuthFrom, MannersOf, Limits)


def table(kind: type) -> str:
    """The settings of a class as rows of a Markdown table."""
    told = help_texts(kind)
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for field in fields(kind):
        default = field.default
        if default is MISSING:
            default = MISSING if field.default_factory is MISSING else field.default_factory()
        if default is MISSING:
            said = "required"
        elif default in ("", (), {}, None) or isinstance(default, Limits):
            said = ""
        else:
            said = f"`{str(default).lower() if isinstance(default, bool) else default}`"
        rows.append(f"| `{field.name}` | {said} | {told[field.name]} |")
    return "\n".join(rows)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_the_page_has_every_setting_with_its_default_and_meaning(kind: type) -> None:
    assert set(help_texts(kind)) == {f.name for f in fields(kind)}
    assert table(kind) in PAGE.read_text(), f"the page should have:\n{table(kind)}"


def test_the_page_has_the_usual_manners() -> None:
    usual = Manners()
    words = " ".join(PAGE.read_text().split())
    for said in (
        f"{usual.timeout:g} seconds",
        f"{usual.retries} further try",
        f"{usual.longest:,} characters",
    ):
        assert said in words


def test_every_setting_of_tools_is_said_to_be_for_some_kind() -> None:
    kinds = {"python", "openapi", "mcp", "tables", "cambridge"}
    assert {f.name for f in fields(ToolsFrom)} == kinds | set(BELONGS)
    assert all(set(theirs) <= kinds for theirs in BELONGS.values())


def test_the_agents_on_the_page_can_be_loaded(tmp_path: Path) -> None:
    shown = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert shown
    for number, text in enumerate(shown):
        path = tmp_path / f"{number}.yaml"
        path.write_text(text)
        assert load(str(path)).tools
