"""Downloads that can be resumed: to a temporary name, with the sum recorded beside the file."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from data_tools.errors import DataError

CHUNK_BYTES = 1 << 20
TIMEOUT_S: Final = 60.0  #: without a byte


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that was downloaded: ``resumed_at`` is how many bytes of it an earlier run had left."""

    path: Path
    sha256: str
    resumed_at: int


def download(
    url: str,
    path: Path,
    *,
    sha256: str | None = None,
    timeout_s: float = TIMEOUT_S,
    on_progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> Download:
    """Download a file, and record its sum in ``PATH.sha256`` (as ``sha256sum -c`` reads it).

    It grows as ``PATH.part``, which a later call goes on with if the server's file is still the same (``ETag``,
    ``Last-Modified``). ``on_progress(done, total)``: bytes. Raises DataError when it cannot be had (the part is
    kept), or is not the file with this ``sha256`` (it is not).
    """
    if not url.lower().startswith(("http://", "https://")):
        raise DataError(f"cannot download {url!r}: expected an address that begins with http:// or https://")
    part = path.with_name(path.name + ".part")
    version = path.with_name(path.name + ".part.version")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        resumed_at = _fetch(url, part, version, timeout_s, on_progress)
        with part.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        version.unlink(missing_ok=True)
        if sha256 is not None and found != sha256.lower():
            part.unlink()
            raise DataError(f"{url!r} has the sha256 {found}, {sha256.lower()} was asked for: it is another file")
        path.with_name(path.name + ".sha256").write_text(f"{found}  {path.name}\n", encoding="utf-8")
        os.replace(part, path)
    except urllib.error.HTTPError as error:
        raise DataError(f"cannot download {url!r}: the server says {error.code} {error.reason}") from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(
            f"cannot download {url!r}: {reason}; run it again to go on, or get the file another way and give its path"
        ) from error
    except OSError as error:
        raise DataError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
    return Download(path=path, sha256=found, resumed_at=resumed_at)


def _fetch(
    url: str, part: Path, version: Path, timeout_s: float, on_progress: Callable[[int, int | None], None]
) -> int:
    """Bring the part to its full size, and return at how many bytes that began."""
    have = part.stat().st_size if part.is_file() and version.is_file() else 0
    headers = {"User-Agent": "hybridtrack"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": version.read_text(encoding="utf-8")}
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout_s)
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            if error.headers.get("Content-Range") == f"bytes */{have}":  # an earlier run had all of it
                return have
            part.unlink()
            return _fetch(url, part, version, timeout_s, on_progress)
        raise
    with response:
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            have = 0
        _note_version(response.headers, version)
        length = response.headers.get("Content-Length")
        total = None if length is None else have + int(length)
        done = _copy(response, part, have, total, on_progress)
    if total is not None and done < total:
        raise ConnectionError(f"it broke off after {done} of {total} bytes")
    return have


def _copy(
    response: Any, part: Path, have: int, total: int | None, on_progress: Callable[[int, int | None], None]
) -> int:
    done = have
    with part.open("ab" if have else "wb") as stream:
        while chunk := response.read(CHUNK_BYTES):
            stream.write(chunk)
            done += len(chunk)
            on_progress(done, total)
    return done


def _note_version(headers: Message | Mapping[str, str], version: Path) -> None:
    """Keep by what the server tells one version of the file from another; without it, nothing can be resumed."""
    tag = headers.get("ETag") or ""
    validator = headers.get("Last-Modified") if not tag or tag.startswith("W/") else tag
    if validator:
        version.write_text(validator, encoding="utf-8")
    else:
        version.unlink(missing_ok=True)
