"""Unpacking zip and tar archives: nothing is written outside the folder, which is there whole or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from data_tools.errors import DataError

_SYMLINK_SHIFT = 16  #: where zip keeps the Unix mode in its external attributes


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack an archive into a new folder, and return it. Raises DataError when it is none, damaged or malicious.

    Members with an absolute path, ``..`` or a link are refused before anything is written; devices too.
    """
    if folder.exists():
        raise DataError(f"cannot unpack into {str(folder)!r}: it exists already; remove it or give another folder")
    temporary = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(temporary, ignore_errors=True)  # of a run that was killed
    try:
        temporary.mkdir(parents=True)
        if zipfile.is_zipfile(archive):
            _unpack_zip(archive, temporary)
        elif tarfile.is_tarfile(archive):
            _unpack_tar(archive, temporary)
        else:
            raise DataError(f"{str(archive)!r} is neither a zip nor a tar archive")
        os.replace(temporary, folder)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise DataError(f"the archive {str(archive)!r} is damaged: {error}; get it again") from error
    except OSError as error:
        raise DataError(f"cannot unpack {str(archive)!r}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def is_archive(path: Path) -> bool:
    """Say whether a file is a zip or tar archive."""
    return path.is_file() and (zipfile.is_zipfile(path) or tarfile.is_tarfile(path))


def check_member(name: str, archive: Path) -> None:
    """Raise DataError when a member's name leads out of the folder that it is unpacked into."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[:1] or (path.parts and path.parts[0][1:2] == ":"):
        raise DataError(f"the archive {str(archive)!r} wants to write outside its folder: {name!r}; do not trust it")


def _unpack_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as members:
        for member in members.infolist():
            check_member(member.filename, archive)
            if stat.S_ISLNK(member.external_attr >> _SYMLINK_SHIFT):
                raise DataError(f"the archive {str(archive)!r} has a link, {member.filename!r}; do not trust it")
        members.extractall(folder)


def _unpack_tar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as members:
        for member in members.getmembers():
            check_member(member.name, archive)
            if not (member.isfile() or member.isdir()):
                raise DataError(f"the archive {str(archive)!r} has a link or device, {member.name!r}; do not trust it")
        members.extractall(folder, filter="data")
