"""The plugin as it is installed, with small networks: they see how bright each cell of 8x8 pixels is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hybridtrack_onnx import create
from hybridtrack_onnx.picture import Placing
from hybridtrack_onnx.settings import OPTIONS
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from hybridtrack.boxes import xyxy_to_cxcywh, xyxy_to_yxyx_norm
from hybridtrack.cli import exit_code
from hybridtrack.errors import DetectorError, MissingPackageError, UsageError
from hybridtrack.plugin_host import PluginHost
from hybridtrack.testing import check_detector
from hybridtrack.types import Detections, Frame

CELL = 8
TYPES = {"float": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "uint8": TensorProto.UINT8}
YOLO = ("yolov8", "yolov5", "yolo-nms")
LAYOUTS = (*YOLO, "ssd-tensorflow", "ssd-torchvision", "ssd-plain")


def write_network(
    path: Path,
    layout: str,
    *,
    number: int | np.ndarray = 1,
    count: int = 3,
    told: int | None = None,
    input_px: tuple[int, int] = (64, 64),
    box_side: int = CELL,
    input_type: str = "float",
    shape: Sequence[int | str] | None = None,
    colours: Sequence[float] = (1 / 3, 1 / 3, 1 / 3),
    names: str | None = None,
) -> str:
    """Write a network whose score in each cell is its mean brightness, of class ``number`` of ``count``.

    With ``told``, a network that tells how many of its boxes count says so many.
    """
    width, height = input_px
    rows, columns = height // CELL, width // CELL
    n = rows * columns
    y, x = np.mgrid[:rows, :columns].reshape(2, n) * CELL + CELL / 2
    xyxy = np.stack([x - box_side / 2, y - box_side / 2, x + box_side / 2, y + box_side / 2], axis=1)
    shape = shape or [1, 3, height, width]
    constants: dict[str, np.ndarray] = {"w": np.reshape(colours, (1, 3, 1, 1)).astype(np.float32)}
    nodes = [helper.make_node("Cast", ["picture"], ["numbers"], to=TensorProto.FLOAT)]
    last = "numbers"

    def then(kind: str, *more: str, out: str, **attributes: Any) -> None:
        nonlocal last
        nodes.append(helper.make_node(kind, [last, *more], [out], **attributes))
        last = out

    def constant(name: str, values: np.ndarray) -> str:
        constants[name] = values
        return name

    if input_type == "uint8":
        then("Div", constant("255", np.array(255, np.float32)), out="unit")
    if len(shape) == 3:
        then("Unsqueeze", constant("axis", np.array([0])), out="batch")
    if shape[-1] == 3:
        then("Transpose", out="nchw", perm=[0, 3, 1, 2])
    then("Conv", "w", out="bright")
    then("AveragePool", out="cells", kernel_shape=[CELL, CELL], strides=[CELL, CELL])
    then("Reshape", constant("to", np.array([1, n])), out="score")

    def column(name: str, values: np.ndarray) -> str:
        return constant(name, values.reshape(1, n, -1).astype(np.float32))

    def output(name: str, parts: Sequence[str], axis: int) -> None:
        nodes.append(helper.make_node("Concat", parts, [name], axis=axis))

    nodes.append(helper.make_node("Unsqueeze", ["score", constant("two", np.array([2]))], ["score column"]))
    nodes.append(helper.make_node("Transpose", ["score column"], ["score row"], perm=[0, 2, 1]))
    if layout == "yolov8":
        boxes = constant("boxes row", xyxy_to_cxcywh(xyxy).T[None].astype(np.float32))
        classes = [constant(f"none {k}", np.zeros((1, 1, n), np.float32)) for k in range(count)]
        classes[number] = "score row"
        output("out", [boxes, *classes], 1)
        outputs = {"out": TensorProto.FLOAT}
    elif layout == "yolov5":
        one_hot = np.eye(count)[np.broadcast_to(number, n)]
        output("out", [column("cxcywh", xyxy_to_cxcywh(xyxy)), "score column", column("classes", one_hot)], 2)
        outputs = {"out": TensorProto.FLOAT}
    elif layout == "yolo-nms":
        output("out", [column("xyxy", xyxy), "score column", column("number", np.full(n, number))], 2)
        outputs = {"out": TensorProto.FLOAT}
    else:
        size = (width, height)
        label = np.full(n, number)
        if layout == "ssd-tensorflow":
            given = {
                "detection_boxes": xyxy_to_yxyx_norm(xyxy, size)[None].astype(np.float32),
                "detection_classes": label[None].astype(np.float32),
                "num_detections": np.array([n if told is None else told], np.float32),
            }
            scores = "detection_scores"
        elif layout == "ssd-torchvision":
            given = {"boxes": xyxy.astype(np.float32), "labels": label}
            scores = "scores"
        else:
            norm = (xyxy / np.tile(size, 2))[None].astype(np.float32)
            given = {"bboxes": norm, "labels": label[None]}
            scores = "scores"
        for name, values in given.items():
            nodes.append(helper.make_node("Identity", [constant(f"{name} given", values)], [name]))
        to = [n] if layout == "ssd-torchvision" else [1, n]
        nodes.append(helper.make_node("Reshape", ["score", constant("score shape", np.array(to))], [scores]))
        outputs = {name: helper.np_dtype_to_tensor_dtype(values.dtype) for name, values in given.items()}
        outputs[scores] = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "cells",
        [helper.make_tensor_value_info("picture", TYPES[input_type], shape)],
        [helper.make_tensor_value_info(name, dtype, None) for name, dtype in outputs.items()],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in constants.items()],
    )
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if names is not None:
        helper.set_model_props(network, {"names": names})
    onnx.save(network, path)
    return str(path)


def options(**given: Any) -> dict[str, Any]:
    return {option.name: option.default for option in OPTIONS} | {"min_score": 0.9} | given


def black(size: tuple[int, int] = (256, 128), *white: tuple[int, int, int, int]) -> np.ndarray:
    """Return a picture with white boxes, uint8 (H, W, 3)."""
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    for left, top, right, bottom in white:
        picture[top:bottom, left:right] = 255
    return picture


def looked_at(picture: np.ndarray, **given: Any) -> tuple[Detections, list[str]]:
    """Return what is found, and the name of each box's class."""
    detector = create(options(**given))
    found = detector.detect(Frame.from_array(picture))
    return found, [detector.classes[class_id].name for class_id in found.class_id]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cells.onnx"


def layout_options(layout: str) -> dict[str, Any]:
    """Return what ``auto`` needs to know of a layout."""
    return {"boxes": "xyxy_norm"} if layout == "ssd-plain" else {}


def test_plugin_is_found_and_offers_its_detector(path: Path) -> None:
    offer = PluginHost.load({}).detector("onnx")
    assert (offer.plugin.name, offer.plugin.distribution) == ("onnx", "hybridtrack-onnx")
    assert offer.spec.default_every is None
    given = {
        "model": write_network(path, "yolov8"),
        "labels": "cup|hand|person",
        "scale": "1/255",
        "mean": "0.1|0.2|0.3",
    }
    values = offer.read_options(given | {"roles": "cup=other", "size": "64x64"})
    assert values["scale"] == 1 / 255
    assert values["mean"] == (0.1, 0.2, 0.3)
    assert [(info.name, info.role) for info in offer.build(values).classes] == [
        ("cup", "other"),
        ("hand", "hand"),
        ("person", "other"),
    ]


def test_naming_the_plugin_loads_nothing_heavy() -> None:
    code = "import sys, hybridtrack_onnx; print(*{'numpy', 'cv2', 'onnxruntime'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_detector_keeps_the_contract(path: Path, layout: str) -> None:
    given = {"labels": "background|cup|mug", "first": 0, "min_score": 0.05} | layout_options(layout)
    assert check_detector(create(options(model=write_network(path, layout), **given))) == []


def test_detector_with_open_classes_keeps_the_contract(path: Path) -> None:
    detector = create(options(model=write_network(path, "yolo-nms"), layout="yolo-nms", min_score=0.05))
    assert check_detector(detector) == []


# 256x128 in 64x64: a quarter of the width and height with a rim of 16 above and below, or a quarter and a half
@pytest.mark.parametrize(
    ("resize", "white"),
    [("letterbox", (64, 32, 96, 64)), ("stretch", (64, 48, 96, 64))],
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_white_box_is_found_where_it_is_in_the_source(
    path: Path, layout: str, resize: str, white: tuple[int, int, int, int]
) -> None:
    model = write_network(path, layout)
    given = {"labels": "cup|mug|jug", "first": 0, "resize": resize} | layout_options(layout)
    found, names = looked_at(black((256, 128), white), model=model, **given)
    assert names == ["mug"]
    np.testing.assert_allclose(found.xyxy, [white], atol=1e-3)
    np.testing.assert_allclose(found.score, 1, atol=1e-3)


@pytest.mark.parametrize(
    ("layout", "white"),
    [("yolov8", (64, 32, 96, 64)), ("ssd-tensorflow", (64, 48, 96, 64))],
)
def test_default_is_letterbox_for_yolo_and_stretch_for_ssd(
    path: Path, layout: str, white: tuple[int, int, int, int]
) -> None:
    found, _ = looked_at(black((256, 128), white), model=write_network(path, layout), labels="cup|mug|jug")
    np.testing.assert_allclose(found.xyxy, [white], atol=1e-3)


@pytest.mark.parametrize("layout", ["ssd-tensorflow", "ssd-torchvision"])
def test_first_label_of_an_ssd_is_number_1_as_0_is_the_background(path: Path, layout: str) -> None:
    picture = black((64, 64), (16, 24, 24, 32))
    model = write_network(path, layout, number=1)
    assert looked_at(picture, model=model, labels="cup|mug")[1] == ["cup"]
    assert looked_at(picture, model=model, labels="background|cup", first=0)[1] == ["cup"]


@pytest.mark.parametrize(
    ("input_type", "shape"),
    [
        ("float", [1, 64, 64, 3]),
        ("float16", [1, 3, 64, 64]),
        ("uint8", [1, 64, 64, 3]),
        ("uint8", ["batch", 3, 64, 64]),
        ("float", [3, 64, 64]),
        ("float", [1, 3, "height", "width"]),
    ],
)
def test_input_of_any_type_and_order_is_fed(path: Path, input_type: str, shape: list[int | str]) -> None:
    model = write_network(path, "yolov8", input_type=input_type, shape=shape)
    found, _ = looked_at(black((64, 64), (16, 24, 24, 32)), model=model, layout="yolov8", size=(64, 64))
    np.testing.assert_allclose(found.xyxy, [(16, 24, 24, 32)], atol=1e-3)
    np.testing.assert_allclose(found.score, 1, atol=1e-3)


def test_input_that_is_wider_than_high_is_no_input_that_is_higher(path: Path) -> None:
    model = write_network(path, "yolov8", input_px=(64, 32))
    found, _ = looked_at(black((128, 64), (32, 48, 48, 64)), model=model, layout="yolov8")
    np.testing.assert_allclose(found.xyxy, [(32, 48, 48, 64)], atol=1e-3)


def test_channels_decide_which_colour_is_red(path: Path) -> None:
    model = write_network(path, "yolov8", colours=(1, 0, 0))
    picture = black((64, 64))
    picture[24:32, 16:24] = (0, 0, 255)  # OpenCV's red
    assert len(looked_at(picture, model=model, channels="rgb")[0]) == 1
    assert len(looked_at(picture, model=model, channels="bgr")[0]) == 0


@pytest.mark.parametrize(
    ("given", "score"),
    [
        ({}, 1.0),
        ({"scale": 1 / 510}, 0.5),
        ({"mean": (0.25, 0.25, 0.25)}, 0.75),
        ({"mean": (0.5, 0.5, 0.5), "std": (2.0, 2.0, 2.0)}, 0.25),
    ],
)
def test_pixels_are_scaled_then_centred_then_divided(path: Path, given: dict[str, Any], score: float) -> None:
    picture = black((64, 64), (16, 24, 24, 32))
    found, _ = looked_at(picture, model=write_network(path, "yolov8"), min_score=0.2, **given)
    np.testing.assert_allclose(found.score, [score], atol=1e-3)


# two cells side by side whose boxes of 16 share 8x16 of 384: an IoU of a third
@pytest.mark.parametrize(("layout", "iou", "kept"), [("yolov8", 0.3, 1), ("yolov8", 0.4, 2), ("yolo-nms", 0.3, 2)])
def test_weaker_box_is_dropped_above_the_iou_unless_the_network_does_that(
    path: Path, layout: str, iou: float, kept: int
) -> None:
    model = write_network(path, layout, box_side=16)
    picture = black((64, 64), (16, 24, 32, 32))
    assert len(looked_at(picture, model=model, layout=layout, iou=iou)[0]) == kept


def test_box_of_another_class_is_no_duplicate(path: Path) -> None:
    model = write_network(path, "yolov5", number=np.arange(64) % 2, box_side=16)
    _, names = looked_at(black((64, 64), (16, 24, 32, 32)), model=model, labels="cup|mug|jug", iou=0.3)
    assert sorted(names) == ["cup", "mug"]


# the bright cell is the 27th: three rows of 8, and the third in its row
@pytest.mark.parametrize(("told", "found"), [(26, 0), (27, 1)])
def test_boxes_beyond_those_that_an_ssd_counts_are_none(path: Path, told: int, found: int) -> None:
    model = write_network(path, "ssd-tensorflow", told=told)
    assert len(looked_at(black((64, 64), (16, 24, 24, 32)), model=model, labels="cup|mug")[0]) == found


def test_letterbox_lies_in_the_middle_with_a_grey_rim() -> None:
    placing = Placing.letterbox((256, 128), (64, 64))
    assert (placing.inner_px, placing.left, placing.top) == ((64, 32), 0, 16)
    placed = placing.source_to_input(np.array([[0, 0, 256, 128], [64, 32, 96, 64]]))
    assert placed.tolist() == [[0, 16, 64, 48], [16, 24, 24, 32]]
    pixels = placing.pixels(Frame.from_array(black((256, 128), (0, 0, 256, 128))), "rgb")
    assert pixels[:, 5, 0].tolist() == [114] * 16 + [255] * 32 + [114] * 16


def test_least_score_leaves_dark_cells_out(path: Path) -> None:
    model = write_network(path, "yolov8")
    picture = black((64, 64), (16, 24, 24, 32))
    picture[40:48, 40:48] = 51  # a fifth
    assert looked_at(picture, model=model, min_score=0.1)[0].score.tolist() == pytest.approx([1, 0.2], abs=1e-3)
    assert len(looked_at(picture, model=model, min_score=0.3)[0]) == 1


def test_box_that_reaches_out_of_the_picture_is_cut_at_its_edge(path: Path) -> None:
    model = write_network(path, "yolov8", box_side=16)
    found, _ = looked_at(black((64, 64), (0, 56, 8, 64)), model=model)
    np.testing.assert_allclose(found.xyxy, [(0, 52, 12, 64)], atol=1e-3)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cup\nmug\n\njug\n", ["cup", "mug", "jug"]),
        ("", None),
        ("{0: 'glass', 1: 'bowl', 2: 'hand'}", ["glass", "bowl", "hand"]),
        ('["glass", "bowl", "hand"]', ["glass", "bowl", "hand"]),
        (None, ["class0", "class1", "class2"]),
    ],
)
def test_labels_come_from_a_file_or_the_metadata_or_are_numbered(
    path: Path, tmp_path: Path, text: str | None, names: list[str] | None
) -> None:
    is_metadata = bool(text) and text[0] in "{["
    model = write_network(path, "yolov8", names=text if is_metadata else None)
    file = tmp_path / "labels.txt"
    file.write_text(text or "")
    labels = str(file) if text is not None and not is_metadata else None
    if names is None:
        with pytest.raises(UsageError, match=r"labels '.*labels\.txt': a class has no name, or there is none"):
            create(options(model=model, labels=labels))
    else:
        assert [info.name for info in create(options(model=model, labels=labels)).classes] == names


def test_classes_without_labels_come_up_as_they_are_seen(path: Path) -> None:
    model = write_network(path, "yolo-nms", number=2)
    detector = create(options(model=model, layout="yolo-nms", roles={"class2": "hand"}))
    assert detector.classes == ()
    assert detector.open_classes
    found = detector.detect(Frame.from_array(black((64, 64), (16, 24, 24, 32))))
    assert found.class_id.tolist() == [2]
    assert [(info.name, info.role) for info in detector.classes] == [
        ("class0", "object"),
        ("class1", "object"),
        ("class2", "hand"),
    ]


@pytest.mark.parametrize(
    ("layout", "count", "given", "message"),
    [
        (
            "yolov5",
            1,
            {},
            r"the layout is ambiguous, yolov5 and yolo-nms fit; .*out \[1, 64, 6\] float32; say which with",
        ),
        (
            "yolov8",
            3,
            {"labels": "a|b"},
            r"none of the layouts \(yolov8, .*\) fits; labels: 2; outputs: out \[1, 7, 64\]",
        ),
        ("yolov8", 3, {"labels": "a|b", "layout": "yolov8"}, r"has 3 classes as yolov8, but there are 2 labels"),
        ("yolov8", 3, {"labels": "a|b|a"}, r"'a' stands there twice"),
        (
            "yolov8",
            3,
            {"labels": "no/such.txt"},
            r"labels 'no/such.txt' cannot be read: No such file or directory; give",
        ),
        (
            "yolov8",
            3,
            {"layout": "yolov9000"},
            r"unknown layout 'yolov9000'; known: auto, ssd, .*; did you mean 'yolov",
        ),
        ("yolov8", 3, {"layout": "ssd"}, r"layout 'ssd' does not fit; .*out \[1, 7, 64\]"),
        ("yolov8", 3, {"boxes": "xyxy_px"}, r"boxes=xyxy_px is for the layout ssd"),
        (
            "yolov8",
            3,
            {"roles": {"cup": "hand"}},
            r"roles cup=hand: unknown class 'cup'; known: class0, class1, class2",
        ),
        ("yolov8", 3, {"roles": {"class1": "foot"}}, r"unknown role of 'class1' 'foot'; known: hand, object, other"),
        ("yolov8", 3, {"size": (32, 32)}, r"size is 32x32, but the network's input is .*: leave size out"),
        ("yolov8", 3, {"std": (1.0, 0.0, 1.0)}, r"std has a 0"),
        ("yolov8", 3, {"channels": "rbg"}, r"unknown channels 'rbg'; known: bgr, rgb"),
        ("yolov8", 3, {"model": None}, r"asked for without a network: add model=FILE\.onnx"),
        ("yolov8", 3, {"model": "no.onnx"}, r"model 'no\.onnx' is no file: give the path of an ONNX file"),
        ("ssd-plain", 3, {}, r"do not tell what the boxes are: give boxes=xyxy_px, xyxy_norm, yxyx_norm"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    path: Path, layout: str, count: int, given: dict[str, Any], message: str
) -> None:
    model = write_network(path, layout, count=count, number=0)
    with pytest.raises(UsageError, match=message) as refusal:
        create(options(**{"model": model} | given))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"shape": [1, 3, "h", "w"]}, r"\['?1'?, 3, 'h', 'w'\].* its size left open: give size=640 or size=WxH"),
        ({"shape": [2, 3, 64, 64]}, r"input is picture \[2, 3, 64, 64\] tensor\(float\), expected one picture"),
        ({"names": "{0: 'cup', 2: 'mug'}"}, r"metadata 'names' is .*, no list of names: give labels=FILE"),
        ({"names": "__import__('os')"}, r"metadata 'names' is .*, no list of names: give labels=FILE"),
    ],
)
def test_network_that_cannot_be_used_is_refused_in_one_line(path: Path, network: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        create(options(model=write_network(path, "yolov8", **network)))


def test_pixels_of_a_uint8_input_cannot_be_scaled(path: Path) -> None:
    model = write_network(path, "yolov8", input_type="uint8")
    with pytest.raises(UsageError, match="takes pixels as they are: leave scale, mean and std out"):
        create(options(model=model, scale=1 / 255))


@pytest.mark.parametrize("content", [b"", b"weights, but no network", b"\x08\x07\x12\x04"])
def test_file_that_is_no_network_is_refused_in_one_line(
    path: Path, capfd: pytest.CaptureFixture[str], content: bytes
) -> None:
    path.write_bytes(content)
    assert exit_code(["run", "0", "--detector", f"onnx,model={path}"]) == 2
    said = capfd.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert "cannot be loaded" in said[0]
    assert "give a valid ONNX file" in said[0]


def test_size_that_the_network_cannot_take_is_refused_in_one_line(path: Path) -> None:
    model = write_network(path, "yolov8", shape=[1, 3, "h", "w"])
    with pytest.raises(
        DetectorError, match=r"fails on an input of \[1, 3, 32, 32\]: .*; give another size="
    ) as refusal:
        create(options(model=model, size=(32, 32)))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("first", "number"), [(0, 3), (2, 1)])
def test_class_that_has_no_label_fails_the_run(path: Path, first: int, number: int) -> None:
    model = write_network(path, "yolo-nms", number=number)
    detector = create(options(model=model, labels="a|b|c", first=first))
    with pytest.raises(DetectorError, match=rf"gave class {number}, but labels count 3 from {first}: give all labels="):
        detector.detect(Frame.from_array(black((64, 64), (16, 24, 24, 32))))


def test_scores_above_1_are_no_probabilities(path: Path) -> None:
    detector = create(options(model=write_network(path, "yolov8"), scale=1.0))
    with pytest.raises(DetectorError, match="gave a score of 255, expected 0 to 1"):
        detector.detect(Frame.from_array(black((64, 64), (16, 24, 24, 32))))


def test_missing_onnxruntime_is_named_with_what_to_install(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.delitem(sys.modules, "hybridtrack_onnx.detector", raising=False)
    offer = PluginHost.load({}).detector("onnx")
    with pytest.raises(MissingPackageError, match="pip install onnxruntime"):
        offer.build(options(model=write_network(path, "yolov8")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size=64x", "write a number of pixels such as 640"),
        ("scale=1/0", "write a positive number or a fraction"),
        ("mean=1|2", "write one number, or three"),
        ("roles=hand", r"write CLASS=ROLE with \| between them"),
        ("iou=2", "write a number between 0 and 1"),
        ("threads=0", "write a whole number from 1"),
    ],
)
def test_option_that_cannot_be_read_is_refused(text: str, message: str) -> None:
    key, _, value = text.partition("=")
    with pytest.raises(UsageError, match=message):
        PluginHost.load({}).detector("onnx").read_options({key: value})


sizes = st.tuples(st.integers(1, 4000), st.integers(1, 4000))


@given(source=sizes, input_px=sizes)
def test_placing_inverts_and_keeps_the_picture_inside_the_input(
    source: tuple[int, int], input_px: tuple[int, int]
) -> None:
    whole = np.array([[0, 0, *source]], float)
    for placing in (Placing.letterbox(source, input_px), Placing.stretch(source, input_px)):
        placed = placing.source_to_input(whole)
        assert (placed[:, :2] >= 0).all()
        assert (placed[:, 2:] <= np.array(input_px) + 1e-9).all()
        np.testing.assert_allclose(placing.input_to_source(placed), whole, atol=1e-6)


def test_run_writes_tracks_of_the_network_and_which_file_it_was(path: Path, tmp_path: Path) -> None:
    import cv2

    for index in range(6):
        left = 64 + 4 * index
        cv2.imwrite(str(tmp_path / f"{index}.png"), black((256, 128), (left, 32, left + 40, 72)))
    model = write_network(path, "yolov8", names="{0: 'cup', 1: 'hand', 2: 'mug'}", box_side=12)
    file = tmp_path / "tracks.jsonl"
    detector = f"onnx,model={model},min_score=.5,every=1"
    assert exit_code(["run", str(tmp_path / "*.png"), "--detector", detector, "--json", str(file)]) == 0
    header, *frames, summary = map(json.loads, file.read_text().splitlines())
    (told,) = header["detectors"]
    assert (told["name"], told["distribution"], len(told["sha256"])) == ("onnx", "hybridtrack-onnx", 64)
    assert summary["failures"] == {}
    assert {track["class"] for frame in frames for track in frame["tracks"]} == {"hand"}
    assert all(frame["tracks"] for frame in frames)
