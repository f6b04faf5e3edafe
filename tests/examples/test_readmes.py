"""The commands of the examples' READMEs, run as they stand there, in a copy of the folder.

`bash` blocks are run; `bash server` ones stay up meanwhile; in `bash model` ones the model is a
script, or an endpoint of ours. A `text` block holds lines that the command before it must show.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.endpoints.server import Endpoint, Say

ROOT = Path(__file__).parents[2]
NAMES = ("cambridge", "bank", "openapi", "files", "library")
BLOCK = re.compile(r"^ *```(\w+)(?: (\w+))?\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A command of a README."""

    kind: str
    command: str
    shows: tuple[str, ...]
    """Lines that it must show."""


def blocks(readme: str) -> list[Block]:
    found: list[Block] = []
    for language, kind, text in BLOCK.findall(readme):
        if language == "bash":
            found.append(Block(kind, text, ()))
        elif language == "text":
            lines = tuple(line.strip() for line in text.splitlines() if line.strip())
            found[-1] = Block(found[-1].kind, found[-1].command, lines)
    return found


def free_port() -> int:
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        return int(there.getsockname()[1])


def copied(folder: Path, name: str, endpoint: str) -> str:
    """The examples on free ports, with a script as the model; and the README."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    script = f"scripted:{folder}/examples/{name}/script.txt"
    instead = {
        "8321": str(free_port()),
        "8322": str(free_port()),
        "http://localhost:8000/v1": endpoint,
        "smollm2-135m": script,
    }
    for path in (folder / "examples" / name).rglob("*"):
        if path.suffix in (".md", ".yaml"):
            text = path.read_text()
            for old, new in instead.items():
                text = text.replace(old, new)
            path.write_text(text)
    return (folder / "examples" / name / "README.md").read_text()


def environment(folder: Path) -> dict[str, str]:
    quiet = {"COALM_DATA": "", "COALM_CACHE": str(folder / "cache"), "COALM_OFFLINE": "1"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | quiet | {"PATH": path, "NO_COLOR": "1", "OPENAI_API_KEY": "none"}


@contextmanager
def up(folder: Path, command: str) -> Iterator[None]:
    """The server of a block, until the end."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        cwd=folder,
        env=environment(folder) | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    [port] = re.findall(r"\d{4,5}", command)
    try:
        for _ in range(300):
            with socket.socket() as there:
                if there.connect_ex(("127.0.0.1", int(port))) == 0:
                    break
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) in (0, -signal.SIGINT, 130)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_what_a_readme_says_works(name: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        endpoint = stack.enter_context(Endpoint(lambda _: Say("I am a teacher.")))
        ran = 0
        for block in blocks(copied(tmp_path, name, endpoint.url)):
            if block.kind == "server":
                stack.enter_context(up(tmp_path, block.command))
                continue
            typed = "hello\n/tools\n/quit\n" if block.kind == "model" else ""
            done = subprocess.run(
                ["bash", "-c", block.command],
                cwd=tmp_path,
                env=environment(tmp_path),
                input=typed,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            shown = [line.strip() for line in done.stdout.splitlines()]
            assert not [line for line in block.shows if line not in shown], done.stdout
            if "--base-url" in block.command:
                assert "I am a teacher." in shown
            ran += 1
        assert ran


def test_every_example_has_a_readme_and_is_listed() -> None:
    folders = sorted(p.name for p in (ROOT / "examples").iterdir() if p.is_dir())
    assert folders == sorted(NAMES)
    listed = (ROOT / "examples" / "README.md").read_text()
    for name in folders:
        assert (ROOT / "examples" / name / "README.md").is_file()
        assert f"({name}/README.md)" in listed


def test_links_of_the_examples_lead_somewhere() -> None:
    for path in (ROOT / "examples").rglob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path}: {target}"


def test_a_readme_whose_command_fails_is_caught() -> None:
    [one, two] = blocks("x\n\n```bash\nfalse\n```\n\n```text\n  a\n```\n\n```bash model\nb\n```\n")
    assert (one.command, one.shows) == ("false\n", ("a",))
    assert two.kind == "model"
