from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from data_tools.archive import is_archive, unpack
from data_tools.errors import DataError


def zipped(path: Path, members: dict[str, str], links: tuple[str, ...] = ()) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            info = zipfile.ZipInfo(name)
            if name in links:
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, text)
    return path


def tarred(path: Path, members: dict[str, str], links: tuple[str, ...] = ()) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            if name in links:
                info.type, info.linkname = tarfile.SYMTYPE, text
                archive.addfile(info)
            else:
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text.encode()))
    return path


MAKERS = pytest.mark.parametrize("make", [zipped, tarred], ids=["zip", "tar"])


@MAKERS
def test_archive_is_unpacked_into_a_new_folder(make: Callable[..., Path], tmp_path: Path) -> None:
    archive = make(tmp_path / "a", {"top/one.txt": "1", "two.txt": "2"})
    folder = unpack(archive, tmp_path / "out")
    assert is_archive(archive)
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.txt")} == {"top/one.txt", "two.txt"}
    assert (folder / "two.txt").read_text() == "2"
    assert {path.name for path in tmp_path.iterdir()} == {"a", "out"}


@MAKERS
@pytest.mark.parametrize(
    "name", ["../evil.txt", "a/../../evil.txt", "/tmp/evil.txt", "..\\evil.txt", "C:\\evil.txt", "C:/evil.txt"]
)
def test_archive_cannot_write_outside_its_folder(make: Callable[..., Path], name: str, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    archive = make(inner / "a", {"good.txt": "1", name: "2"})
    with pytest.raises(DataError, match="wants to write outside its folder"):
        unpack(archive, inner / "out")
    assert {path.name for path in tmp_path.rglob("*")} == {"inner", "a"}


@MAKERS
def test_links_in_an_archive_are_refused(make: Callable[..., Path], tmp_path: Path) -> None:
    archive = make(tmp_path / "a", {"link": "/etc", "link/passwd": "x"}, ("link",))
    with pytest.raises(DataError, match="has a link"):
        unpack(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_device_in_a_tar_archive_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a", "w") as archive:
        info = tarfile.TarInfo("fifo")
        info.type = tarfile.FIFOTYPE
        archive.addfile(info)
    with pytest.raises(DataError, match="link or device, 'fifo'"):
        unpack(tmp_path / "a", tmp_path / "out")


@MAKERS
def test_damaged_archive_leaves_nothing_behind(make: Callable[..., Path], tmp_path: Path) -> None:
    archive = make(tmp_path / "a", {"one.txt": "1" * 1000, "two.txt": "2" * 1000})
    content = bytearray(archive.read_bytes())
    content[60:70] = b"\xff" * 10
    archive.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"damaged|neither a zip nor a tar"):
        unpack(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_is_no_archive_or_is_there_already_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.zip").write_text("<html>moved</html>")
    assert not is_archive(tmp_path / "page.zip")
    with pytest.raises(DataError, match="neither a zip nor a tar archive"):
        unpack(tmp_path / "page.zip", tmp_path / "out")
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="it exists already"):
        unpack(tmp_path / "page.zip", tmp_path / "out")
