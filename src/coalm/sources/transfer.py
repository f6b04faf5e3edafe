"""One file by HTTP: resumed, checked, and patient with a bad line.

The bytes so far stand in `NAME.part`, so that whatever stops a download, the next run goes on
where it was. A file takes its name only when its size and sha256 are right.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from coalm.errors import DataError
from coalm.sources.locks import alone
from coalm.sources.pins import Pin

if TYPE_CHECKING:
    import httpx

Progress = Callable[[int, int | None], object]
"""Told the bytes that are here, and of how many, if that is known."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a bad line is borne; times in seconds."""

    tries: int = 6
    """Failures in a row without a single byte of progress."""
    first: float = 1.0
    """The pause after the first failure; it doubles with each."""
    longest: float = 60.0
    connect: float = 15.0
    read: float = 60.0


HASTE = Patience(tries=1, connect=5.0)
"""For a download that nobody asked for: one try, then something else is taken."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that was downloaded."""

    sha256: str
    size: int
    resumed: int
    """Bytes that an earlier run had left."""
    revision: str
    """The commit that the hub says it served; empty elsewhere."""


class Unreachable(DataError):
    """The line is down: the next file would fail as well."""


class _Passing(Exception):
    """A failure that may be gone at the next try."""

    def __init__(self, why: str, pause: float | None = None, *, weight: int = 1) -> None:
        super().__init__(why)
        self.pause = pause
        self.weight = weight
        """As how many failures it counts: without a network there is little to wait for."""


def located(address: str) -> str:
    """Where an address is asked for: `HF_ENDPOINT` and `COALM_MIRROR_URL` may say another host.

    A mirror `https://mirror.example/x` is asked for `https://mirror.example/x/HOST/PATH`.
    """
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/")
    if endpoint and address.startswith("https://huggingface.co/"):
        return endpoint + address.removeprefix("https://huggingface.co")
    base = os.environ.get("COALM_MIRROR_URL", "").rstrip("/")
    return f"{base}/{address.partition('://')[2]}" if base else address


def fetch(
    address: str,
    target: Path,
    pin: Pin | None = None,
    *,
    patience: Patience | None = None,
    progress: Progress = lambda _done, _of: None,
) -> Fetched:
    """Download a file; a `DataError` says why it cannot be had and what is kept."""
    import httpx

    pin, patience = pin or Pin(), patience or Patience()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    tag = target.with_name(target.name + ".part.etag")
    limits = httpx.Timeout(patience.read, connect=patience.connect)
    with (
        _tidy(part, tag),
        httpx.Client(timeout=limits, follow_redirects=True, headers=_headers(address)) as http,
        alone(part) as file,
    ):
        resumed = _size(file)
        one = _Transfer(http, located(address), file, tag, pin, progress)
        one.run(patience)
        digest = _sha256(file)
        if pin.sha256 and digest != pin.sha256 and resumed:
            one.restart()  # the old part may be of other bytes
            resumed = 0
            one.run(patience)
            digest = _sha256(file)
        size = _size(file)
        why = _unlike(file, size, digest, pin)
        if why:
            one.restart()
    if why:
        raise DataError(f"{located(address)} {why}; removed")
    part.replace(target)
    tag.unlink(missing_ok=True)
    return Fetched(digest, size, resumed, one.revision)


@contextmanager
def _tidy(part: Path, tag: Path) -> Iterator[None]:
    """Nothing stays of a download that never brought a byte."""
    try:
        yield
    finally:
        if part.exists() and not part.stat().st_size:
            part.unlink(missing_ok=True)
            tag.unlink(missing_ok=True)


@dataclass(slots=True)
class _Transfer:
    http: "httpx.Client"
    address: str
    file: IO[bytes]
    tag: Path
    """Holds the ETag of the bytes so far, for files whose checksum is not known."""
    pin: Pin
    progress: Progress
    revision: str = ""

    def restart(self) -> None:
        self.file.seek(0)
        self.file.truncate()
        self.tag.unlink(missing_ok=True)

    def run(self, patience: Patience) -> None:
        """Ask until the file is whole; `Unreachable` when patience is at its end."""
        failures = 0
        while True:
            before = _size(self.file)
            try:
                self.more()
            except _Passing as e:
                failures = 1 if _size(self.file) > before else failures + e.weight
                pause = min(patience.first * 2 ** (failures - 1), patience.longest)
                if failures >= patience.tries or (e.pause or 0) > patience.longest:
                    kept = _size(self.file)
                    then = f"; {kept:,} bytes are kept, the same command goes on" if kept else ""
                    raise Unreachable(f"{self.address}: {e}{then}") from None
                time.sleep(pause if e.pause is None else e.pause)
            else:
                return

    def more(self) -> None:
        """One request for what is not there yet."""
        import httpx

        have = _size(self.file)
        if have and have == self.pin.size:
            return
        headers = {}
        if have and (self.pin.sha256 or self.tag.exists()):
            headers["Range"] = f"bytes={have}-"
            if not self.pin.sha256:
                headers["If-Range"] = self.tag.read_text(encoding="utf-8")
        elif have:
            self.restart()
        try:
            with self.http.stream("GET", self.address, headers=headers) as answer:
                self._judge(answer, have)
                self._take(answer)
        except httpx.TimeoutException:
            raise _Passing("no answer in time") from None
        except httpx.ConnectError as e:
            raise _Passing(f"no connection ({e}); is there a network?", weight=3) from None
        except httpx.TransportError as e:
            raise _Passing(str(e) or type(e).__name__) from None
        except (httpx.InvalidURL, httpx.TooManyRedirects, httpx.DecodingError) as e:
            raise DataError(f"{self.address}: {e}") from None

    def _judge(self, answer: "httpx.Response", have: int) -> None:
        """Whether this is the file, or the rest of it."""
        status = answer.status_code
        if status == 416:
            self.restart()
            raise _Passing("the server has fewer bytes than are here; begun anew")
        if status in {401, 403}:
            raise DataError(f"{self.address}: refused ({status}){_token_hint(self.address)}")
        if status in {408, 425, 429} or status >= 500:
            wait = _wait(answer)
            said = f" and asks to wait {wait:.0f} s" if wait else ""
            raise _Passing(f"the server answers {status}{said}", wait)
        if status not in {200, 206}:
            raise DataError(f"{self.address}: the server answers {status}, so it is not there")
        if status == 206 and not answer.headers.get("content-range", "").startswith(
            f"bytes {have}-"
        ):
            self.restart()
            raise _Passing("the server sent another range; begun anew")
        if "html" in answer.headers.get("content-type", ""):
            raise DataError(f"{self.address}: a web page came in place of the file")
        if status == 200:
            self.restart()

    def _take(self, answer: "httpx.Response") -> None:
        packed = answer.headers.get("content-encoding", "identity") != "identity"
        length = answer.headers.get("content-length", "")
        have = _size(self.file)
        total = have + int(length) if length.isdigit() and not packed else None
        if total is not None and self.pin.size not in {None, total}:
            raise DataError(f"{self.address}: {total:,} bytes, not {self.pin.size:,}; not taken")
        if total and shutil.disk_usage(self.tag.parent).free < total - have:
            raise DataError(f"{self.tag.parent}: no room for {total - have:,} bytes")
        self.revision = self.revision or answer.headers.get("x-repo-commit", "")
        etag = answer.headers.get("etag", "")
        if etag and not etag.startswith("W/") and not packed:
            self.tag.write_text(etag, encoding="utf-8")
        try:
            for block in answer.iter_bytes() if packed else answer.iter_raw():
                self.file.write(block)
                have += len(block)
                self.progress(have, total or self.pin.size)
        finally:
            self.file.flush()
            if packed and total is None and not answer.is_stream_consumed:
                self.restart()  # unpacked bytes cannot be resumed
        if total is not None and have < total:
            raise _Passing(f"cut off after {have:,} of {total:,} bytes")


def _headers(address: str) -> dict[str, str]:
    """Bytes as they are, so that they can be resumed; the hub's token goes to the hub only."""
    token = os.environ.get("HF_TOKEN", "")
    hub = address.startswith("https://huggingface.co/")
    elsewhere = urlsplit(located(address)).netloc != urlsplit(address).netloc
    trusted = not elsewhere or bool(os.environ.get("HF_ENDPOINT"))
    auth = {"Authorization": f"Bearer {token}"} if token and hub and trusted else {}
    return {"Accept-Encoding": "identity", "User-Agent": "coalm"} | auth


def _token_hint(address: str) -> str:
    if "/datasets/" not in address:
        return ""
    page = address.partition("/resolve/")[0]
    if os.environ.get("HF_TOKEN"):
        return f"; has the account of HF_TOKEN accepted the terms at {page}?"
    return f"; accept the terms at {page} and set HF_TOKEN"


def _wait(answer: "httpx.Response") -> float | None:
    said = answer.headers.get("retry-after", "")
    return float(said) if said.isdigit() else None


def _unlike(file: IO[bytes], size: int, digest: str, pin: Pin) -> str:
    """Why the bytes are not the file that is meant; empty where they are."""
    if pin.sha256 and digest != pin.sha256:
        return f"has sha256 {digest[:12]}..., not {pin.sha256[:12]}..."
    if pin.size not in {None, size}:
        return f"has {size:,} bytes, not {pin.size:,}"
    file.seek(0)
    if file.read(40).startswith(b"version https://git-lfs"):
        return "is a pointer to a large file and not the file"
    return ""


def _size(file: IO[bytes]) -> int:
    return file.seek(0, os.SEEK_END)


def _sha256(file: IO[bytes]) -> str:
    file.flush()
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
