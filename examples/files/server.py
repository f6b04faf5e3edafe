"""An MCP server over one folder: lists, searches and reads text files, and adds new ones.

python server.py FOLDER              spoken to over stdio
python server.py FOLDER --http 8322  over streamable HTTP, on this machine only

Nothing outside of the folder can be named: not by `..`, not by an absolute path, not through a
link that leads out. Files are read a piece at a time; what is no text is refused.
"""

import argparse
import os
from pathlib import Path
from typing import Annotated

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

PIECE = 8_000
"""Characters of a file that are given at once."""
LARGEST = 2_000_000
"""Bytes of a file that are looked at."""
MOST = 200
"""Files or lines that are listed."""

Name = Annotated[str, Field(description="A path inside of the folder, such as minutes/june.txt")]
READS = ToolAnnotations(read_only_hint=True)


def made(root: Path) -> MCPServer:
    """The server for a folder."""
    root = root.resolve(strict=True)
    server = MCPServer("files", log_level="WARNING")

    def inside(name: str) -> Path:
        """The path, links followed; an error for one that leads out, or is hidden."""
        if "\0" in name:
            raise ToolError("a name cannot hold that")
        try:
            path = (root / name).resolve()
        except (OSError, RuntimeError):  # too long, or a link that leads to itself
            raise ToolError(f"{name[:60]} cannot be a name") from None
        if not path.is_relative_to(root):
            raise ToolError(f"{name} is outside of the folder")
        if any(part.startswith(".") for part in path.relative_to(root).parts):
            raise ToolError(f"{name} is hidden")
        return path

    def text_of(path: Path) -> str:
        # Opened first and measured then: it may grow, and must not be a pipe or a device.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise ToolError(f"{path.relative_to(root)} is longer than {LARGEST} bytes")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise ToolError(f"{path.relative_to(root)} is no text") from None

    def files(folder: str) -> list[Path]:
        top = inside(folder)
        if not top.is_dir():
            raise ToolError(f"there is no folder {folder}")
        found = [Path(at) / name for at, _, names in os.walk(top) for name in names]
        shown = [p for p in sorted(found) if p.is_file() and not p.is_symlink()]
        return [p for p in shown if not any(s[0] == "." for s in p.relative_to(root).parts)]

    @server.tool(annotations=READS)
    def list_files(folder: Name = ".") -> list[str]:
        """List the files of the folder, or of a folder inside of it, with their sizes in bytes."""
        found = files(folder)
        rows = [f"{p.relative_to(root).as_posix()} ({p.stat().st_size})" for p in found[:MOST]]
        return rows + ([f"... and {len(found) - MOST} more"] if len(found) > MOST else [])

    @server.tool(annotations=READS)
    def read_file(
        file: Name,
        start: Annotated[int, Field(ge=0, description="Character to begin at")] = 0,
    ) -> str:
        """Read a text file, a piece at a time."""
        path = inside(file)
        if not path.is_file():
            raise ToolError(f"there is no file {file}")
        text = text_of(path)
        piece = text[start : start + PIECE]
        left = len(text) - start - len(piece)
        return piece + (f"\n... ({left} more, from {start + len(piece)})" if left > 0 else "")

    @server.tool(annotations=READS)
    def search_files(
        words: Annotated[str, Field(min_length=2, description="What a line must hold")],
    ) -> list[str]:
        """Find the lines of all files that hold these words, in any case."""
        hits: list[str] = []
        for path in files("."):
            try:
                lines = text_of(path).splitlines()
            except (ToolError, OSError):
                continue
            name = path.relative_to(root).as_posix()
            hits += [
                f"{name}:{number}: {line.strip()[:200]}"
                for number, line in enumerate(lines, 1)
                if words.casefold() in line.casefold()
            ]
        return hits[:MOST]

    @server.tool()
    def add_file(file: Name, text: Annotated[str, Field(max_length=20_000)]) -> str:
        """Write a new text file. None that is there already is changed."""
        path = inside(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as new:
                new.write(text)
        except FileExistsError:
            raise ToolError(f"{file} is there already") from None
        return f"{file} is written"

    return server


def main() -> None:
    """Serve a folder until the other side hangs up, or Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--http", type=int, metavar="PORT", help="not stdio but HTTP")
    asked = parser.parse_args()
    if not asked.folder.is_dir():
        parser.error(f"{asked.folder} is no folder")
    server = made(asked.folder)
    try:
        if asked.http:
            print(f"files at http://127.0.0.1:{asked.http}/mcp (Ctrl-C ends)", flush=True)
            server.run("streamable-http", host="127.0.0.1", port=asked.http)
        else:
            server.run()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
