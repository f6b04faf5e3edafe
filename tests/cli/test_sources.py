"""`coalm data list | get | check | validate` as a person uses them."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coalm.sources import SOURCES
from tests.sources.server import Served, serving


def coalm(*words: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    base = {"COLUMNS": "160", "NO_COLOR": "1", "COALM_DATA": "", "COALM_OFFLINE": "1"}
    return subprocess.run(
        [sys.executable, "-c", "from coalm.cli import main; main()", *words],
        cwd=cwd,
        env=os.environ | base | {"COALM_CACHE": str(cwd / "cache")} | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


ROW = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}


def test_the_list_names_every_source_its_licence_and_where_it_is(tmp_path: Path) -> None:
    done = coalm("data", "list", "--long", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for source in SOURCES.values():
        assert source.name in done.stdout
        assert source.revision in done.stdout
    assert "CC-BY-NC-4.0" in done.stdout
    assert "off; needs --allow gated" in done.stdout
    assert "not here" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("list snps", "did you mean 'snips'?"),
        ("get", "which source?"),
        ("get tolace", "did you mean 'toolace'?"),
        ("get hammer --allow noncommercial", "did you mean 'non-commercial'?"),
        ("check snps", "did you mean 'snips'?"),
        ("validate", "which file?"),
        ("validate x.jsonl --style opnai", "did you mean 'openai'?"),
    ],
)
def test_typos_get_a_suggestion(words: str, said: str, tmp_path: Path) -> None:
    done = coalm("data", *words.split(), cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["list", "check", "get snips"])
def test_a_mirror_that_is_not_there_is_one_line(words: str, tmp_path: Path) -> None:
    done = coalm("data", *words.split(), cwd=tmp_path, COALM_DATA="/nowhere")
    assert done.returncode in {1, 2}
    assert (done.stdout + done.stderr).count("COALM_DATA names '/nowhere'") == 1


def test_what_is_off_is_named_with_what_opens_it(tmp_path: Path) -> None:
    done = coalm("data", "get", "xlam-irrelevance", cwd=tmp_path)
    assert done.returncode == 1
    assert "--allow non-commercial" in done.stdout


def test_a_broken_file_fails_the_check_and_is_named(tmp_path: Path) -> None:
    mirror = tmp_path / "m"
    (mirror / "apibank/hammer").mkdir(parents=True)
    (mirror / "apibank/hammer/apibank_l1.json").write_text("[]")
    done = coalm("data", "check", "apibank", "snips", cwd=tmp_path, COALM_DATA=str(mirror))
    assert done.returncode == 1
    assert "BROKEN apibank: apibank/hammer/apibank_l1.json: has sha256" in done.stdout
    assert "BROKEN apibank: apibank/hammer/apibank_l2.json: missing from" in done.stdout
    assert "snips: not here" in done.stdout
    assert "2 files checked, 2 broken" in done.stdout


@pytest.mark.data
def test_the_real_mirror_is_sound(tmp_path: Path) -> None:
    from coalm import sources

    done = coalm(
        "data", "check", "snips", "apibank", cwd=tmp_path, COALM_DATA=str(sources.mirror())
    )
    assert done.returncode == 0, done.stdout
    assert "13,084 records" in done.stdout


def test_ctrl_c_and_the_same_command_again_goes_on(tmp_path: Path) -> None:
    body = random.Random(2).randbytes(4_000_000)
    [(path, address)] = SOURCES["multiwoz-original"].upstream.items()
    with serving() as web:
        served = web.files["/" + address.removeprefix("https://")] = Served(
            body, headers={"ETag": '"1"'}, slow=0.02
        )
        words = [sys.executable, "-c", "from coalm.cli import main; main()"]
        env = {"COALM_DATA": "", "COALM_CACHE": str(tmp_path), "COALM_MIRROR_URL": web.address}
        first = subprocess.Popen(
            [*words, "data", "get", "multiwoz-original"],
            env=os.environ | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        part = tmp_path / "data" / f"{path}.part"
        for _ in range(1000):
            if part.exists() and part.stat().st_size > 500_000:
                break
            time.sleep(0.02)
        first.send_signal(signal.SIGINT)
        _, said = first.communicate(timeout=20)
        assert first.returncode == 130, said
        assert "the same command goes on" in said
        kept = part.stat().st_size
        assert 0 < kept < len(body)
        served.slow = 0.0
        done = coalm("data", "get", "multiwoz-original", cwd=tmp_path, **env, COALM_OFFLINE="")
        assert done.returncode == 0, done.stdout
        assert "of it from an earlier run" in done.stdout
        assert web.ranges()[-1] == f"bytes={kept}-"
    assert (tmp_path / "data" / path).read_bytes() == body


def test_a_download_that_fails_is_one_line_and_exit_1(tmp_path: Path) -> None:
    with serving() as web:
        env = {"COALM_MIRROR_URL": web.address, "COALM_OFFLINE": ""}
        done = coalm("data", "get", "toolace", "apibank", cwd=tmp_path, **env)
    assert done.returncode == 1
    assert "FAILED toolace: 1 of 1 files are not here" in done.stdout
    assert "answers 404" in done.stdout
    assert "2 of 2 sources failed" in done.stdout
    assert "Traceback" not in done.stderr


def test_conversations_are_validated_line_by_line(tmp_path: Path) -> None:
    lines = [json.dumps(ROW), "{", json.dumps(ROW | {"messages": []}), json.dumps(ROW)]
    (tmp_path / "x.jsonl").write_text("\n".join(lines))
    done = coalm("data", "validate", "x.jsonl", cwd=tmp_path)
    assert done.returncode == 1
    assert "x.jsonl:2: not readable as JSON" in done.stdout
    assert "x.jsonl:3: no turns at all" in done.stdout
    assert "doubt: x.jsonl:4: the same conversation as in line 1" in done.stdout
    assert "4 rows (3 openai), 4 turns, 0 calls, 0 tools; 2 problems in 2 rows" in done.stdout


def test_good_conversations_pass_and_several_files_are_checked(tmp_path: Path) -> None:
    for name in ("x.jsonl", "y.jsonl"):
        (tmp_path / name).write_text(json.dumps(ROW))
    done = coalm("data", "validate", "x.jsonl", "y.jsonl", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("0 problems in 0 rows") == 2
    (tmp_path / "y.jsonl").write_bytes(b"\xff\xfe")
    done = coalm("data", "validate", "x.jsonl", "y.jsonl", "z.jsonl", cwd=tmp_path)
    assert done.returncode == 1
    assert "y.jsonl is UTF-16" in done.stdout
    assert "z.jsonl is not there" in done.stdout


def test_too_many_problems_are_counted_and_not_printed(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("{\n" * 30)
    done = coalm("data", "validate", "x.jsonl", "--max-errors", "5", cwd=tmp_path)
    assert done.stdout.count("not readable as JSON") == 5
    assert "30 problems in 30 rows" in done.stdout
    assert "25 more; --max-errors 0 prints all" in done.stdout
    done = coalm("data", "validate", "x.jsonl", "--max-errors", "0", cwd=tmp_path)
    assert done.stdout.count("not readable as JSON") == 30


def test_what_a_file_says_does_nothing_to_the_terminal(tmp_path: Path) -> None:
    row = {"messages": [{"role": "\u001b[31m", "content": "x"}]}
    (tmp_path / "x.jsonl").write_text(json.dumps(row))
    done = coalm("data", "validate", "x.jsonl", cwd=tmp_path)
    assert "\x1b" not in done.stdout
    assert "[31m" in done.stdout


def test_the_schema_is_printed_as_json(tmp_path: Path) -> None:
    done = coalm("data", "validate", "--schema", cwd=tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stdout)["title"] == "A conversation with tools"
