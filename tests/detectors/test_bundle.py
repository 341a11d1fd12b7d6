from __future__ import annotations

import re
from pathlib import Path

import pytest

from hybridtrack.detectors.bundle import Bundle, default_bundle, find_bundle, list_bundles, load_bundle, verify
from hybridtrack.detectors.ssd import create_hand
from hybridtrack.errors import BundleError, UsageError


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "bundle.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_shipped_bundle_is_whole(bundle: Bundle) -> None:
    assert list_bundles() == ("hand-ssdlite-mobilenetv2",)
    assert set(verify(bundle)) == {"model_int8.tflite", "model_fp16.tflite", "LICENSE"}
    assert [(x.name, x.role, x.identity) for x in bundle.classes] == [("hand", "hand", "hand")]
    assert bundle.manifest.anchors.boxes().shape == (1917, 4)


def test_shipped_bundle_fits_into_the_wheel(bundle: Bundle) -> None:
    assert sum(path.stat().st_size for path in bundle.folder.iterdir()) < 15e6


def test_bundle_is_found_by_name_by_folder_and_by_default(folder: Path) -> None:
    assert find_bundle() == find_bundle("hand-ssdlite-mobilenetv2") == default_bundle()
    assert find_bundle(folder).folder == folder


def test_name_of_no_bundle_is_refused_with_those_that_ship() -> None:
    with pytest.raises(BundleError, match=r"no bundle 'hnd'.*hand-ssdlite-mobilenetv2"):
        find_bundle("hnd")


def test_changed_byte_is_refused(folder: Path) -> None:
    model = folder / "model_int8.tflite"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    with pytest.raises(BundleError, match=r"'model_int8.tflite' .* has sha256 .* says .* altered") as refusal:
        create_hand({"bundle": folder})
    assert "\n" not in str(refusal.value)
    with pytest.raises(BundleError, match="altered"):
        verify(load_bundle(folder))


def test_classes_are_chosen_by_name_in_their_own_order(root: Path) -> None:
    bundle = load_bundle(root / "plugins/hybridtrack-tabletop/src/hybridtrack_tabletop/bundle")
    names = [info.name for info in bundle.classes]
    rows = bundle.class_ids(("bottle", "mug", "mug"))
    assert [names[row] for row in rows] == ["mug", "bottle"]
    assert bundle.class_ids().tolist() == list(range(23))


@pytest.mark.parametrize(("names", "asked"), [(("hnd", "hand"), "'hnd'"), ((), "no class")])
def test_classes_that_are_not_there_are_refused_with_those_that_are(
    bundle: Bundle, names: tuple[str, ...], asked: str
) -> None:
    with pytest.raises(UsageError, match=rf"asks for {asked}, bundle 'hand-ssdlite-mobilenetv2' has hand"):
        bundle.class_ids(names)


def test_bundle_of_another_kind_of_network_is_not_taken_for_an_ssd(folder: Path) -> None:
    edit(folder, "[box_coder]\nscales = [10.0, 10.0, 5.0, 5.0]\n", "")
    assert load_bundle(folder).manifest.box_coder is None
    with pytest.raises(BundleError, match=r"has no anchors or no box_coder, so it is not an SSD's"):
        create_hand({"bundle": folder})


def test_missing_model_is_refused(folder: Path) -> None:
    (folder / "model_int8.tflite").unlink()
    with pytest.raises(BundleError, match=r"cannot read 'model_int8\.tflite'"):
        create_hand({"bundle": folder})


def test_unknown_precision_is_refused_with_those_there_are(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="no precision 'int4'; choose from int8, fp16"):
        bundle.model("int4")


def test_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=re.escape("cannot read bundle.toml")):
        load_bundle(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("version = 1", "version = 2", "version 2, expected 'hybridtrack.bundle' version 1"),
        ('task = "detect"', "task = ", "is not TOML"),
        ('task = "detect"', 'task = "segment"', "segment"),
        ("nms_iou = 0.45", "nms_iou = 1.45", r"thresholds\.nms_iou"),
        ("nms_iou = 0.45", 'nms_iou = "half"', r"thresholds\.nms_iou"),
        ("nms_iou = 0.45", "nms_iuo = 0.45", "nms_iuo"),
        ("nms_iou = 0.45", "", "nms_iou"),
        ("scale_min = 0.2\n", "", "anchors need scale_min and scale_max, or scales"),
        ("scale_min = 0.2\n", "scales = [[0.1], [0.2]]\n", "6 grids and 2 scales, expected as many"),
        ("scale_min = 0.2\n", f"scale_min = 0.2\npitches = {[0.1] * 6}\n", "need both or neither"),
        ('default_precision = "int8"', 'default_precision = "int4"', "'int4' is none of its models"),
    ],
)
def test_wrong_manifest_is_refused_in_one_line(folder: Path, old: str, new: str, complaint: str) -> None:
    edit(folder, old, new)
    with pytest.raises(BundleError, match=complaint) as refusal:
        load_bundle(folder)
    assert "\n" not in str(refusal.value)
