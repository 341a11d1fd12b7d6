from __future__ import annotations

from pathlib import Path

import pytest

from hybridtrack.detectors.bundle import MANIFEST, load_bundle
from hybridtrack.errors import BundleError
from models.import_objectron import (
    LABELS,
    LICENCE,
    LICENCE_FILE,
    MODEL_FILE,
    OBJECTS,
    OUT,
    cut_out,
    main,
    manifest_text,
)

LABEL_MAP = (
    "???\nBicycle\nBoot\nLaptop\nPerson\nChair\nCattle\nDesk\nCat\nComputer mouse\nComputer monitor\nBox\nMug\n"
    "Coffee cup\nStationary bicycle\nTable\nBottle\nHigh heels\nVehicle\nFootwear\nDog\nBook\nCamera\nCar\n"
)


@pytest.fixture
def model(root: Path) -> bytes:
    """The network as it is committed."""
    return (root / OUT / MODEL_FILE).read_bytes()


def test_label_map_and_network_are_cut_out(model: bytes) -> None:
    assert len(LABEL_MAP) == LABELS.stop
    names, found = cut_out(LABEL_MAP.encode() + model)
    assert names == tuple(LABEL_MAP.lower().splitlines()[1:])
    assert found == model


def test_committed_manifest_and_licence_are_what_the_import_writes(root: Path, model: bytes) -> None:
    names, _ = cut_out(LABEL_MAP.encode() + model)
    files = {MODEL_FILE: model, LICENCE_FILE: LICENCE.read_bytes()}
    assert (root / OUT / MANIFEST).read_text(encoding="utf-8") == manifest_text(names, files)
    assert (root / OUT / LICENCE_FILE).read_bytes() == LICENCE.read_bytes()


def test_every_object_is_a_class_and_the_anchors_are_those_of_the_network(root: Path) -> None:
    bundle = load_bundle(root / OUT)
    assert {info.name for info in bundle.classes if info.role == "object"} == OBJECTS
    assert bundle.manifest.anchors.boxes().shape == (1917, 4)


@pytest.mark.parametrize("assets", [b"", LABEL_MAP.encode(), b"\n" + LABEL_MAP.encode() + bytes(1000)])
def test_assets_that_lie_otherwise_are_refused(assets: bytes) -> None:
    with pytest.raises(BundleError, match="does not hold the label map and the network where they should be"):
        cut_out(assets)


def test_another_package_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = tmp_path / "other.tgz"
    package.write_bytes(b"other")
    assert main([str(package), "--out", str(tmp_path / "out")]) == 2
    assert "has sha512" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
