"""Write a bundle: the Keras network as .tflite in full, half and 8-bit precision, with what is needed to use it.

    python -m models.export out/models/hand-ssdlite-mobilenetv2 [--out FOLDER] [--calibration VIDEO_OR_FOLDER]...

The folder is what ``models.import_handtrackjs`` wrote: ``hand.keras`` and ``LICENSE``. 8-bit networks are
quantised in full (weights per channel, activations per tensor), with ranges from the calibration pictures.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from hybridtrack.detectors.bundle import MANIFEST, load_bundle, verify
from hybridtrack.errors import HybridTrackError, UsageError
from hybridtrack.types import Array
from models.import_handtrackjs import KERAS_FILE, LICENCE_FILE, OUT
from models.pictures import DEMO_CLIP, read_pictures
from models.ssdlite import ANCHORS_PER_CELL, SIZE_PX, build_ssdlite

PRECISIONS = ("int8", "fp16", "fp32")
SAVED_MODEL = "saved_model"
SHIPPED = Path("hybridtrack/bundles/hand-ssdlite-mobilenetv2")
SHIPPED_PRECISIONS = ("int8", "fp16")
PADDING_PERIOD = 32  #: px; sizes that differ by so much are even and odd in the same places down to stride 32
MAPS = len(ANCHORS_PER_CELL)
CALIBRATION_EVERY = 12  #: 30 frames of the demo clip; 67 more, of real pictures, were no better

MANIFEST_TEXT = """\
format = "hybridtrack.bundle"
version = 1
name = "hand-ssdlite-mobilenetv2"
task = "detect"
summary = "hands, seen by a person or a camera at a table: SSDLite-MobileNetV2, {size}x{size}"
licence = "MIT"
origin = "weights of npm handtrackjs@0.1.5 (Victor Dibia), folder models/web/ssdlitemobilenetv2, trained on EgoHands"
default_precision = "{default}"

[[labels]]
name = "hand"
role = "hand"
identity = "hand"

[input]
width_px = {size}
height_px = {size}
channels = "rgb"
range = [-1.0, 1.0]

[outputs]
encodings = "encodings"
logits = "logits"
score = "sigmoid"

[anchors]
grids = {grids}
scale_min = 0.2
scale_max = 0.95
ratios = [1.0, 2.0, 0.5, 3.0, 0.3333]
reduce_finest = true{zoom}

[box_coder]
scales = [10.0, 10.0, 5.0, 5.0]

[thresholds]
score = 0.05
nms_iou = 0.45

[models]
{models}

[sha256]
{sums}
"""


def at_size(network: keras.Model, size_px: int) -> keras.Model:
    """Return the network for pictures of another size, with the same weights: all of its layers are convolutions.

    Where a layer of stride 2 pads, and so where its cells lie, depends on whether its input is even or odd. Raises
    UsageError for a size at which that is not as at ``SIZE_PX``: boxes would lie up to half a cell off.
    """
    if (size_px - SIZE_PX) % PADDING_PERIOD or size_px < PADDING_PERIOD:
        near = SIZE_PX + round((size_px - SIZE_PX) / PADDING_PERIOD) * PADDING_PERIOD
        raise UsageError(
            f"--size {size_px}: layers pad otherwise than at {SIZE_PX}, and boxes would lie beside things; use "
            f"{max(near, SIZE_PX % PADDING_PERIOD + PADDING_PERIOD)}"
        )
    other = build_ssdlite(size_px=size_px)
    other.set_weights(network.get_weights())
    return other


def grids_of(size_px: int) -> list[list[int]]:
    """Return the columns and rows of the six maps that boxes are predicted from, the finest first."""
    cells = [-(-size_px // 16)]  # at stride 16; every further map halves, rounding up
    while len(cells) < MAPS:
        cells.append(-(-cells[-1] // 2))
    return [[one, one] for one in cells]


def save_model(network: keras.Model, folder: Path) -> None:
    """Write the network as a SavedModel: ``serving_default`` takes one picture, float32 (1, H, W, 3)."""
    archive = keras.export.ExportArchive()
    archive.track(network)
    archive.add_endpoint(
        "serving_default",
        lambda rgb: network(rgb, training=False),
        input_signature=[tf.TensorSpec((1, *network.input_shape[1:]), tf.float32, name="rgb")],
    )
    archive.write_out(folder, verbose=False)


def convert(
    saved_model: Path,
    precision: str,
    calibration: Sequence[Array] = (),
    value_range: tuple[float, float] = (-1.0, 1.0),
) -> bytes:
    """Return the .tflite of a SavedModel.

    ``calibration``: uint8 (H, W, 3) RGB pictures, needed for int8. ``value_range``: what the network takes 0..255 as.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model), signature_keys=["serving_default"])
    if precision == "fp16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        converter.representative_dataset = lambda: _batches(calibration, value_range)
    content: bytes = converter.convert()
    return content


def _batches(calibration: Sequence[Array], value_range: tuple[float, float]) -> Iterator[list[Array]]:
    """Yield calibration batches; one black and one white pixel make the input's range what a picture can hold.

    With that range a stored input is the pixel minus 128, which costs a hundredth of a millisecond.
    """
    low, high = value_range
    for rgb in calibration:
        batch = (rgb.astype(np.float32) * ((high - low) / 255) + low)[None]
        batch[0, 0, 0] = low
        batch[0, 0, 1] = high
        yield [batch]


def write_bundle(
    folder: Path,
    models: dict[str, bytes],
    *,
    default: str,
    licence: str,
    saved_model: Path | None = None,
    size_px: int = SIZE_PX,
) -> None:
    """Write the models, the licence and bundle.toml with all sums; other files of the folder are left alone.

    ``models``: precision -> .tflite. A SavedModel goes in as the precision ``saved_model``, for TensorFlow alone.
    """
    names = {precision: f"model_{precision}.tflite" for precision in models}
    files = {names[precision]: content for precision, content in models.items()}
    files[LICENCE_FILE] = licence.encode("utf-8")
    if saved_model is not None:
        names[SAVED_MODEL] = SAVED_MODEL
        for path in sorted(x for x in saved_model.rglob("*") if x.is_file()):
            files[f"{SAVED_MODEL}/{path.relative_to(saved_model).as_posix()}"] = path.read_bytes()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    manifest = MANIFEST_TEXT.format(
        default=default,
        size=size_px,
        grids=grids_of(size_px),
        zoom="" if size_px == SIZE_PX else f"\nzoom = {SIZE_PX / size_px!r}",
        models="\n".join(f'{precision} = "{name}"' for precision, name in names.items()),
        sums="\n".join(f'"{name}" = "{hashlib.sha256(content).hexdigest()}"' for name, content in files.items()),
    )
    (folder / MANIFEST).write_text(manifest, encoding="utf-8")


def calibration_pictures(paths: Sequence[Path], size_px: int = SIZE_PX) -> list[Array]:
    """Return the pictures to calibrate on: every twelfth of a video, all of a folder, resized as in use."""
    return [
        frame.rgb((size_px, size_px))
        for path in paths
        for frame in read_pictures(path, every=1 if path.is_dir() else CALIBRATION_EVERY)
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.export", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "network", type=Path, nargs="?", default=OUT, help="folder of the network (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder of the bundle (default: %(default)s)")
    parser.add_argument("--precision", action="append", choices=PRECISIONS, help="default: int8 and fp16")
    parser.add_argument(
        "--size",
        type=int,
        default=SIZE_PX,
        help="width and height of the input, px: 300 (default), or 32, 64, ... less or more, with the same weights",
    )
    parser.add_argument("--saved-model", action="store_true", help="put a SavedModel for TensorFlow in, too")
    parser.add_argument("--default", choices=PRECISIONS, help="precision that is used when none is asked for")
    parser.add_argument(
        "--calibration", type=Path, action="append", help="video or folder of pictures (default: the demo clip)"
    )
    options = parser.parse_args(arguments)
    precisions = options.precision or SHIPPED_PRECISIONS
    try:
        calibration = (
            calibration_pictures(options.calibration or [DEMO_CLIP], options.size) if "int8" in precisions else []
        )
        network = keras.saving.load_model(options.network / KERAS_FILE)
        if options.size != SIZE_PX:
            network = at_size(network, options.size)
        with tempfile.TemporaryDirectory() as scratch:
            saved_model = Path(scratch)
            save_model(network, saved_model)
            models = {precision: convert(saved_model, precision, calibration) for precision in precisions}
            write_bundle(
                options.out,
                models,
                default=options.default or precisions[0],
                licence=(options.network / LICENCE_FILE).read_text(encoding="utf-8"),
                saved_model=saved_model if options.saved_model else None,
                size_px=options.size,
            )
        verify(load_bundle(options.out))
    except HybridTrackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for precision, content in models.items():
        print(f"{precision}: {len(content) / 1e6:.2f} MB")
    print(f"wrote {options.out}, calibrated on {len(calibration)} pictures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
