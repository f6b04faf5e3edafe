"""The example file server: what lies in the folder, and nothing else."""

import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coalm.agent.toolbox import Failed, Kit
from coalm.agent.toolbox.mcp import opened

SERVER = Path(__file__).parents[2] / "examples" / "files" / "server.py"


def module() -> Any:
    spec = importlib.util.spec_from_file_location("example_files_server", SERVER)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "open"
    (root / "sub").mkdir(parents=True)
    (root / "a.txt").write_text("one line\nTwo Lines\n")
    (root / "sub" / "b.txt").write_text("x" * 20_000 + "the end")
    (root / "photo.png").write_bytes(b"\x89PNG\xff\x00")
    (root / ".env").write_text("KEY=two lines")
    (tmp_path / "secret.txt").write_text("two lines")
    (root / "out.txt").symlink_to(tmp_path / "secret.txt")
    (root / "up").symlink_to(tmp_path)
    return root


@pytest.fixture
def kit(root: Path) -> Iterator[Kit]:
    with opened(module().made(root)) as made:
        yield made


def called(kit: Kit, tool: str, **arguments: Any) -> Any:
    said = kit.tools[tool](arguments)
    try:
        return json.loads(said)["result"]
    except ValueError:
        return said


def test_files_are_listed_searched_and_read(kit: Kit) -> None:
    assert kit.writes == {"add_file"}
    assert called(kit, "list_files") == ["a.txt (19)", "photo.png (6)", "sub/b.txt (20007)"]
    assert called(kit, "list_files", folder="sub") == ["sub/b.txt (20007)"]
    assert called(kit, "read_file", file="./sub/../a.txt") == "one line\nTwo Lines\n"
    assert called(kit, "search_files", words="TWO lines") == ["a.txt:2: Two Lines"]


def test_a_long_file_comes_in_pieces(kit: Kit) -> None:
    first = called(kit, "read_file", file="sub/b.txt")
    assert first.endswith("... (12007 more, from 8000)")
    last = called(kit, "read_file", file="sub/b.txt", start=16_000)
    assert last == "x" * 4_000 + "the end"
    assert not called(kit, "read_file", file="a.txt", start=99)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.txt",
        "sub/../../secret.txt",
        "/etc/hostname",
        "out.txt",
        "up/secret.txt",
        ".env",
        "sub/../.env",
        "a.txt\0.png",
        "photo.png",
        "sub",
        "nothing.txt",
        "x" * 5_000,
    ],
)
def test_nothing_else_can_be_read(kit: Kit, name: str) -> None:
    with pytest.raises(Failed):
        called(kit, "read_file", file=name)


def test_no_folder_outside_can_be_listed_or_searched(kit: Kit) -> None:
    for folder in ("..", "/", "up"):
        with pytest.raises(Failed, match="outside of the folder"):
            called(kit, "list_files", folder=folder)
    assert len(called(kit, "search_files", words="two lines")) == 1


def test_a_new_file_is_written_and_an_old_one_never(kit: Kit, root: Path) -> None:
    assert called(kit, "add_file", file="new/c.txt", text="hi") == "new/c.txt is written"
    assert (root / "new" / "c.txt").read_text() == "hi"
    for name in ("a.txt", "../c.txt", "out.txt", ".bashrc", "up/d.txt"):
        with pytest.raises(Failed):
            called(kit, "add_file", file=name, text="changed")
    assert (root / "a.txt").read_text() == "one line\nTwo Lines\n"
    assert not (root.parent / "d.txt").exists()


def test_a_pipe_and_a_file_too_long_are_refused(kit: Kit, root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "long.txt").write_bytes(b"x" * 2_000_001)
    for name, why in (("pipe", "there is no file"), ("long.txt", "is longer than")):
        with pytest.raises(Failed, match=why):
            called(kit, "read_file", file=name)
