"""One file by HTTP: resumed, checked, patient; against a server that misbehaves."""

import hashlib
import random
from pathlib import Path

import pytest

from coalm.errors import DataError
from coalm.sources.locks import alone
from coalm.sources.pins import Pin
from coalm.sources.transfer import Patience, Unreachable, fetch
from tests.sources.server import Served, Server

BODY = random.Random(1).randbytes(300_000)
PIN = Pin(hashlib.sha256(BODY).hexdigest(), len(BODY))
QUICK = Patience(tries=3, first=0.01, longest=0.2, connect=2.0, read=2.0)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "some" / "file.json"


def test_a_file_arrives_whole_and_leaves_nothing_else(web: Server, target: Path) -> None:
    web.files["/f"] = Served(BODY)
    seen: list[tuple[int, int | None]] = []
    got = fetch(f"{web.address}/f", target, PIN, progress=lambda d, of: seen.append((d, of)))
    assert target.read_bytes() == BODY
    assert (got.sha256, got.size, got.resumed) == (PIN.sha256, PIN.size, 0)
    assert seen[-1] == (len(BODY), len(BODY))
    assert [p.name for p in target.parent.iterdir()] == ["file.json"]


def test_a_line_that_drops_three_times_is_resumed_and_not_begun_anew(
    web: Server, target: Path
) -> None:
    web.files["/f"] = Served(BODY, drop_after=[100_000, 50_000, 20_000])
    fetch(f"{web.address}/f", target, PIN, patience=QUICK)
    assert target.read_bytes() == BODY
    assert web.ranges() == ["", "bytes=100000-", "bytes=150000-", "bytes=170000-"]


def test_what_one_run_left_the_next_run_uses(web: Server, target: Path) -> None:
    web.files["/f"] = Served(BODY, drop_after=[200_000, 0, 0, 0, 0])
    with pytest.raises(Unreachable, match="200,000 bytes are kept, the same command goes on"):
        fetch(f"{web.address}/f", target, PIN, patience=QUICK)
    assert not target.exists()
    web.files["/f"].drop_after = []
    got = fetch(f"{web.address}/f", target, PIN, patience=QUICK)
    assert got.resumed == 200_000
    assert web.ranges()[-1] == "bytes=200000-"
    assert target.read_bytes() == BODY


def test_ctrl_c_keeps_the_bytes_that_are_here(web: Server, target: Path) -> None:
    web.files["/f"] = Served(BODY)

    def stop(done: int, _of: int | None) -> None:
        if done > 100_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(f"{web.address}/f", target, PIN, progress=stop)
    kept = (target.parent / "file.json.part").stat().st_size
    assert kept > 100_000
    assert fetch(f"{web.address}/f", target, PIN).resumed == kept
    assert target.read_bytes() == BODY


def test_a_server_without_ranges_starts_over_and_still_ends_well(web: Server, target: Path) -> None:
    web.files["/f"] = Served(BODY, ranges=False, drop_after=[100_000])
    fetch(f"{web.address}/f", target, PIN, patience=QUICK)
    assert target.read_bytes() == BODY


def test_without_a_checksum_only_the_same_version_is_resumed(web: Server, target: Path) -> None:
    web.files["/f"] = Served(BODY, drop_after=[100_000, 0, 0, 0], headers={"ETag": '"one"'})
    with pytest.raises(Unreachable):
        fetch(f"{web.address}/f", target, patience=QUICK)
    other = BODY[::-1]
    web.files["/f"] = Served(other, headers={"ETag": '"two"'})
    fetch(f"{web.address}/f", target, patience=QUICK)
    assert target.read_bytes() == other


def test_a_left_over_of_other_bytes_is_thrown_away_and_fetched_anew(
    web: Server, target: Path
) -> None:
    target.parent.mkdir(parents=True)
    (target.parent / "file.json.part").write_bytes(b"x" * 1000)
    web.files["/f"] = Served(BODY)
    assert fetch(f"{web.address}/f", target, PIN).resumed == 0
    assert target.read_bytes() == BODY


def test_a_left_over_that_is_too_long_is_no_obstacle(web: Server, target: Path) -> None:
    target.parent.mkdir(parents=True)
    (target.parent / "file.json.part").write_bytes(b"x" * 400_000)
    web.files["/f"] = Served(BODY)
    fetch(f"{web.address}/f", target, PIN, patience=QUICK)
    assert target.read_bytes() == BODY


def test_wrong_bytes_are_refused_and_removed(web: Server, target: Path) -> None:
    web.files["/f"] = Served(BODY[::-1])
    with pytest.raises(DataError, match=r"has sha256 .*, not .*; removed"):
        fetch(f"{web.address}/f", target, PIN)
    assert not list(target.parent.iterdir())


def test_another_size_is_seen_before_anything_is_fetched(web: Server, target: Path) -> None:
    web.files["/f"] = Served(BODY + b"!")
    with pytest.raises(DataError, match="300,001 bytes, not 300,000"):
        fetch(f"{web.address}/f", target, PIN)


def test_a_file_that_is_not_there_is_said_at_once(web: Server, target: Path) -> None:
    with pytest.raises(DataError, match=r"answers 404, so it is not there"):
        fetch(f"{web.address}/f", target, PIN)
    assert len(web.asked) == 1


def test_a_server_that_asks_to_wait_is_waited_for(web: Server, target: Path) -> None:
    web.files["/f"] = Served(BODY, statuses=[429, 503], headers={"Retry-After": "0"})
    fetch(f"{web.address}/f", target, PIN, patience=QUICK)
    assert len(web.asked) == 3
    assert target.read_bytes() == BODY


def test_a_server_that_asks_to_wait_too_long_is_not(web: Server, target: Path) -> None:
    web.files["/f"] = Served(BODY, statuses=[429], headers={"Retry-After": "3600"})
    with pytest.raises(Unreachable, match="answers 429 and asks to wait 3600 s"):
        fetch(f"{web.address}/f", target, PIN, patience=QUICK)


def test_a_server_that_always_fails_is_given_up(web: Server, target: Path) -> None:
    web.files["/f"] = Served(BODY, statuses=[500] * 9)
    with pytest.raises(Unreachable, match="answers 500"):
        fetch(f"{web.address}/f", target, PIN, patience=QUICK)
    assert len(web.asked) == QUICK.tries


def test_no_server_at_all_is_one_sentence(target: Path) -> None:
    with pytest.raises(Unreachable, match="is there a network"):
        fetch("http://127.0.0.1:9/f", target, PIN, patience=QUICK)


def test_a_redirect_is_followed(web: Server, target: Path) -> None:
    web.files["/f"] = Served(redirect=f"{web.address}/g")
    web.files["/g"] = Served(BODY)
    fetch(f"{web.address}/f", target, PIN)
    assert web.paths() == ["/f", "/g"]
    assert target.read_bytes() == BODY


def test_redirects_in_a_circle_end(web: Server, target: Path) -> None:
    web.files["/f"] = Served(redirect=f"{web.address}/f")
    with pytest.raises(DataError, match="redirects"):
        fetch(f"{web.address}/f", target, PIN, patience=QUICK)


def test_a_web_page_in_place_of_the_file_is_refused(web: Server, target: Path) -> None:
    web.files["/f"] = Served(b"<html>log in</html>", headers={"Content-Type": "text/html"})
    with pytest.raises(DataError, match="a web page came in place of the file"):
        fetch(f"{web.address}/f", target)
    assert not target.exists()


def test_a_pointer_to_a_large_file_is_not_the_file(web: Server, target: Path) -> None:
    web.files["/f"] = Served(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n")
    with pytest.raises(DataError, match="a pointer to a large file"):
        fetch(f"{web.address}/f", target)


def test_two_downloads_of_one_file_do_not_collide(web: Server, target: Path) -> None:
    web.files["/f"] = Served(BODY)
    target.parent.mkdir(parents=True)
    with (
        alone(target.with_name("file.json.part")),
        pytest.raises(DataError, match="another process is downloading"),
    ):
        fetch(f"{web.address}/f", target, PIN)


def test_the_hub_gets_the_token_and_nobody_else_does(
    web: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    path = "/datasets/a/b/resolve/main/x.json"
    web.files |= {path: Served(b"[1]"), f"/huggingface.co{path}": Served(b"[1]")}
    web.files["/y"] = Served(b"[2]")
    monkeypatch.setenv("HF_ENDPOINT", web.address)
    fetch(f"https://huggingface.co{path}", target)
    fetch(f"{web.address}/y", target)
    monkeypatch.delenv("HF_ENDPOINT")
    monkeypatch.setenv("COALM_MIRROR_URL", web.address)
    fetch(f"https://huggingface.co{path}", target)
    tokens = [headers.get("authorization", "") for _, headers in web.asked]
    assert tokens == ["Bearer secret", "", ""]


@pytest.mark.parametrize(
    ("token", "said"),
    [("", "accept the terms at .*a/b and set HF_TOKEN"), ("t", "has the account")],
)
def test_a_gate_says_how_to_open_it(
    token: str, said: str, web: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setenv("HF_ENDPOINT", web.address)
    path = "/datasets/a/b/resolve/main/x.json"
    web.files[path] = Served(statuses=[401])
    with pytest.raises(DataError, match=said):
        fetch(f"https://huggingface.co{path}", target)
