"""An npm package (.tgz) whose published sum was checked; files are read into memory, nothing is unpacked."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path, PurePosixPath

from hybridtrack.errors import BundleError


def open_package(path: Path, *, sha512: str) -> tarfile.TarFile:
    """Return the archive whose published sha512 (hex) is given. Raises BundleError when it is missing or another."""
    try:
        found = hashlib.sha512(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BundleError(f"cannot read the package {str(path)!r}: {error.strerror}; get it with `npm pack`") from error
    if found != sha512:
        raise BundleError(f"package {str(path)!r} has sha512 {found[:12]}…, expected {sha512[:12]}…; fetch it again")
    return tarfile.open(path)


def read_member(archive: tarfile.TarFile, name: PurePosixPath) -> bytes:
    """Return the content of the file with exactly this name. Raises BundleError when there is none."""
    try:
        stream = archive.extractfile(str(name))
    except KeyError:
        stream = None
    if stream is None:
        raise BundleError(f"package has no file {str(name)!r}; is it the right one?")
    return stream.read()
