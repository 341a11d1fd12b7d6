from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from hybridtrack.errors import BundleError
from models.graph_weights import read_constants, read_model_json, read_package

ENTRIES = [
    {"name": "a", "shape": [2, 2], "dtype": "float32"},
    {"name": "b", "shape": [], "dtype": "int32"},
]
SHARDS = np.array([1, 2, 3, 4], "<f4").tobytes() + np.array(7, "<i4").tobytes()


def package(path: Path, files: dict[str, bytes]) -> str:
    """Write an npm package and return its sha512."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return hashlib.sha512(path.read_bytes()).hexdigest()


def test_constants_are_read_in_the_order_of_the_manifest() -> None:
    constants = read_constants(ENTRIES, SHARDS)
    assert constants["a"].tolist() == [[1, 2], [3, 4]]
    assert constants["b"].tolist() == 7
    assert constants["b"].dtype == np.int32


@pytest.mark.parametrize(
    ("entries", "shards", "complaint"),
    [
        (ENTRIES, SHARDS[:-1], "end at byte 19, within constant 'b'"),
        (ENTRIES, SHARDS + b"\0", "hold 21 bytes, the manifest names 20"),
        ([ENTRIES[0] | {"quantization": {"min": 0, "scale": 1}}], SHARDS, "expected plain float32"),
        ([ENTRIES[0] | {"dtype": "uint8"}], SHARDS, "expected plain float32"),
    ],
)
def test_shards_that_do_not_fit_are_refused(entries: list[dict[str, object]], shards: bytes, complaint: str) -> None:
    with pytest.raises(BundleError, match=complaint):
        read_constants(entries, shards)


def test_package_is_read_across_shards(tmp_path: Path) -> None:
    manifest = json.dumps([{"paths": ["s1", "s2"], "weights": ENTRIES}]).encode()
    files = {"package/m/tensorflowjs_model.pb": b"graph", "package/m/weights_manifest.json": manifest}
    files |= {"package/m/s1": SHARDS[:9], "package/m/s2": SHARDS[9:], "package/LICENSE": b"free"}
    sha512 = package(tmp_path / "p.tgz", files)
    found = read_package(tmp_path / "p.tgz", sha512=sha512, folder="package/m")
    assert (found.graph_def, found.licence) == (b"graph", "free")
    assert found.constants["a"].tolist() == [[1, 2], [3, 4]]


def test_halves_become_floats() -> None:
    half = {"name": "h", "shape": [2], "dtype": "float32", "quantization": {"dtype": "float16"}}
    constants = read_constants([half, ENTRIES[1]], np.array([0.5, -3], "<f2").tobytes() + SHARDS[-4:])
    assert constants["h"].dtype == np.float32
    assert constants["h"].tolist() == [0.5, -3]
    assert constants["b"].tolist() == 7


def test_model_json_is_read_with_the_shards_beside_it(tmp_path: Path) -> None:
    model = {"modelTopology": {"node": []}, "weightsManifest": [{"paths": ["m.bin"], "weights": ENTRIES}]}
    files = {"package/models/m.json": json.dumps(model).encode(), "package/models/m.bin": SHARDS}
    sha512 = package(tmp_path / "p.tgz", files)
    topology, constants = read_model_json(tmp_path / "p.tgz", sha512=sha512, file="package/models/m.json")
    assert topology == {"node": []}
    assert constants["a"].tolist() == [[1, 2], [3, 4]]


def test_other_missing_and_incomplete_packages_are_refused(tmp_path: Path) -> None:
    sha512 = package(tmp_path / "p.tgz", {"package/LICENSE": b"free"})
    with pytest.raises(BundleError, match="expected 0000"):
        read_package(tmp_path / "p.tgz", sha512="0" * 128, folder="package/m")
    with pytest.raises(BundleError, match=r"no file 'package/m/weights_manifest\.json'"):
        read_package(tmp_path / "p.tgz", sha512=sha512, folder="package/m")
    with pytest.raises(BundleError, match="cannot read the package"):
        read_package(tmp_path / "absent.tgz", sha512=sha512, folder="package/m")
