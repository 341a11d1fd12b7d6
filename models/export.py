"""Make a bundle of a trained network: .tflite in 8-bit, half and full precision, judged before it is written.

    python -m models.export out/runs/hands --out my-bundle [--calibration PATH]... [--data PATH]...
    python -m models.export out/models/hand-ssdlite-mobilenetv2 --out FOLDER --size 204

The folder is one of a training, or what an importer wrote. 8-bit ranges come from training pictures, AP50 from the
validation records, as the folder's config.toml names both; --calibration and --data name others. Where AP50 of a
precision falls by more than --largest-fall, nothing is written and the exit status is 1.

    hybridtrack run VIDEO --detector ssd,bundle=my-bundle
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import msgspec

from hybridtrack.detectors.bundle import MANIFEST, Manifest, load_bundle, verify
from hybridtrack.errors import HybridTrackError, UsageError
from hybridtrack.types import Array
from models import network as networks
from models.anchors import ssdlite_anchors
from models.average_precision import figures
from models.conversion import PRECISIONS, convert, save_model
from models.evaluate import Subject, evaluate, open_subjects, table
from models.frozen_graph import FROZEN_GRAPH, LABEL_MAP, label_map, write_frozen_graph
from models.manifest import manifest_text
from models.network import LICENCE_FILE, TrainedNetwork
from models.pictures import DEMO_CLIP, read_pictures
from models.records import find_records
from models.settings import Settings, read_settings
from models.ssdlite import SIZE_PX, build_ssdlite
from models.truth import read_truth

IMPORTED = Path("out/models/hand-ssdlite-mobilenetv2")
SHIPPED = Path("hybridtrack/bundles/hand-ssdlite-mobilenetv2")
SHIPPED_PRECISIONS = ("int8", "fp16")
SAVED_MODEL = "saved_model"
PADDING_PERIOD = 32  #: px; sizes that differ by so much are even and odd in the same places down to stride 32
CALIBRATION_EVERY = 12  #: 30 frames of the demo clip; 67 more, of real pictures, were no better
CALIBRATION_PICTURES = 100  #: of records, at most, spread over them
LARGEST_FALL = 0.02  #: of AP50, from the Keras network to a precision of the bundle


class QualityError(HybridTrackError):
    """A precision finds too little of what the network found before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of AP50 in a precision."""

    precision: str
    megabytes: float
    milliseconds: float
    ap50: float
    fall: float  #: below the Keras network's


def at_size(network: keras.Model, size_px: int) -> keras.Model:
    """Return SSDLite for pictures of another size, with the same weights: all of its layers are convolutions.

    Where a layer of stride 2 pads, and so where its cells lie, depends on whether its input is even or odd. Raises
    UsageError for a size at which that is not as at ``SIZE_PX``: boxes would lie up to half a cell off.
    """
    if (size_px - SIZE_PX) % PADDING_PERIOD or size_px < PADDING_PERIOD:
        near = SIZE_PX + round((size_px - SIZE_PX) / PADDING_PERIOD) * PADDING_PERIOD
        raise UsageError(
            f"--size {size_px}: layers pad otherwise than at {SIZE_PX}, and boxes would lie beside things; use "
            f"{max(near, SIZE_PX % PADDING_PERIOD + PADDING_PERIOD)}"
        )
    other = build_ssdlite(network.output["logits"].shape[-1] - 1, size_px)
    other.set_weights(network.get_weights())
    return other


def resized(trained: TrainedNetwork, size_px: int) -> TrainedNetwork:
    """Return a network for smaller or larger pictures, whose anchors cover as many pixels as those that were trained.

    Raises UsageError for a size or a network that this cannot be done with.
    """
    manifest, anchors = trained.manifest, trained.manifest.anchors
    if manifest.input.width_px != SIZE_PX or anchors is None or anchors.scales:
        raise UsageError(f"--size is for SSDLite trained at {SIZE_PX}; train a network with another network.size_px")
    if anchors.scale_min is None or anchors.scale_max is None:
        raise UsageError("the network has anchors without scale_min and scale_max")
    return TrainedNetwork(
        network=at_size(trained.network, size_px),
        manifest=msgspec.structs.replace(
            manifest,
            input=msgspec.structs.replace(manifest.input, width_px=size_px, height_px=size_px),
            summary=manifest.summary.replace(f"{SIZE_PX}x{SIZE_PX}", f"{size_px}x{size_px}"),
            anchors=ssdlite_anchors(
                size_px, (anchors.scale_min, anchors.scale_max), anchors.ratios, zoom=anchors.zoom * SIZE_PX / size_px
            ),
        ),
    )


def write_bundle(
    folder: Path,
    manifest: Manifest,
    models: Mapping[str, bytes],
    *,
    licence: str | None,
    saved_model: Path | None = None,
) -> None:
    """Write the models, the licence and bundle.toml with all sums; other files of the folder are left alone.

    ``models``: precision -> .tflite, the first one the default. A SavedModel goes in as the precision ``saved_model``,
    for TensorFlow alone.
    """
    names = {precision: f"model_{precision}.tflite" for precision in models}
    files = {names[precision]: content for precision, content in models.items()}
    if licence is not None:
        files[LICENCE_FILE] = licence.encode("utf-8")
    if saved_model is not None:
        names[SAVED_MODEL] = SAVED_MODEL
        for path in sorted(x for x in saved_model.rglob("*") if x.is_file()):
            files[f"{SAVED_MODEL}/{path.relative_to(saved_model).as_posix()}"] = path.read_bytes()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    written = msgspec.structs.replace(manifest, models=names, default_precision=next(iter(names)), sha256=sums)
    (folder / MANIFEST).write_text(manifest_text(written), encoding="utf-8")


def calibration_pictures(paths: Sequence[Path], size_px: int) -> list[Array]:
    """Return pictures to calibrate on, resized as in use: some of a video or of records, all of a folder."""
    pictures: list[Array] = []
    for path in paths:
        if ".tfrecord" in path.name:
            pictures += [one.frame.rgb((size_px, size_px)) for one in read_truth(path, ())]
        else:
            every = 1 if path.is_dir() else CALIBRATION_EVERY
            pictures += [frame.rgb((size_px, size_px)) for frame in read_pictures(path, every=every)]
    return pictures[:: max(1, len(pictures) // CALIBRATION_PICTURES)] if len(paths) else []


def judge(folder: Path, trained: TrainedNetwork, data: Sequence[Path]) -> list[Judged]:
    """Return AP50 of each precision of the bundle in a folder, beside that of the network that it was made of."""
    names = [label.name for label in trained.manifest.labels]
    subjects = [Subject(name=networks.KERAS, detector=networks.detector(trained)), *open_subjects(str(folder))]
    before, *verdicts = evaluate(subjects, data, names)
    ap50 = figures(before.pictures, names).coco["AP50"]
    rows = []
    for precision, verdict in zip(load_bundle(folder).manifest.models, verdicts, strict=True):
        found = figures(verdict.pictures, names).coco["AP50"]
        taken = sorted(verdict.taken_ms)[len(verdict.taken_ms) // 2]
        size = verdict.subject.megabytes or 0.0
        rows.append(Judged(precision=precision, megabytes=size, milliseconds=taken, ap50=found, fall=ap50 - found))
    return rows


def check(rows: Sequence[Judged], largest_fall: float) -> None:
    """Raise QualityError when AP50 of a precision falls by more than ``largest_fall``, or cannot be told."""
    for row in rows:
        if not row.fall <= largest_fall:
            raise QualityError(
                f"{row.precision}: AP50 is {row.ap50:.3f}, {row.fall:.3f} below the network before; at most "
                f"{largest_fall:g} is allowed: leave it out with --precision, calibrate on more pictures, or allow "
                "more with --largest-fall"
            )


def run_settings(folder: Path) -> Settings | None:
    """Return the settings of the training that a network is of; None when it is of none."""
    for place in (folder, folder.parent):
        if (place / "config.toml").is_file():
            return read_settings(place / "config.toml")
    return None


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.export", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("network", type=Path, nargs="?", default=IMPORTED, help="folder (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=None, help="folder of the bundle; needed, but for the default one")
    parser.add_argument("--precision", action="append", choices=PRECISIONS, help="the first is what is used unasked")
    parser.add_argument("--size", type=int, help="width and height of the input, px: 300, or 32, 64, ... less or more")
    parser.add_argument("--saved-model", action="store_true", help="put a SavedModel for TensorFlow in, too")
    parser.add_argument("--frozen-graph", action="store_true", help=f"put {FROZEN_GRAPH} and {LABEL_MAP} in, too")
    parser.add_argument("--calibration", type=Path, action="append", help="video, folder of pictures, or TFRecords")
    parser.add_argument("--data", type=Path, action="append", help="truth that AP50 is told from")
    parser.add_argument("--largest-fall", type=float, default=LARGEST_FALL, help="of AP50 (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        if options.out is None and options.network != IMPORTED:
            raise UsageError("give the folder of the bundle: --out FOLDER")
        out = options.out or SHIPPED
        export(options, out)
    except QualityError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except HybridTrackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def export(options: argparse.Namespace, out: Path) -> None:
    """Write the bundle that the options ask for, once it was judged. Raises HybridTrackError."""
    precisions = options.precision or SHIPPED_PRECISIONS
    trained = networks.load(options.network)
    settings = run_settings(options.network)
    if options.size is not None and options.size != trained.manifest.input.width_px:
        trained = resized(trained, options.size)
    sources = options.calibration or _records(settings.data.train if settings else ()) or [DEMO_CLIP]
    data = options.data or _records(settings.data.validation if settings else ())
    size_px = trained.manifest.input.width_px
    calibration = calibration_pictures(sources, size_px) if "int8" in precisions else []
    licence = options.network / LICENCE_FILE
    with tempfile.TemporaryDirectory() as scratch:
        saved_model, bundle = Path(scratch) / "saved", Path(scratch) / "bundle"
        save_model(trained.network, saved_model)
        models = {one: convert(saved_model, one, calibration, trained.manifest.input.range) for one in precisions}
        write_bundle(
            bundle,
            trained.manifest,
            models,
            licence=licence.read_text(encoding="utf-8") if licence.is_file() else None,
            saved_model=saved_model if options.saved_model else None,
        )
        if options.frozen_graph:
            write_frozen_graph(trained, bundle / FROZEN_GRAPH)
            (bundle / LABEL_MAP).write_text(label_map([one.name for one in trained.manifest.labels]), encoding="utf-8")
        verify(load_bundle(bundle))
        if data:
            rows = judge(bundle, trained, data)
            print(_report(rows))
            check(rows, options.largest_fall)
        shutil.copytree(bundle, out, dirs_exist_ok=True)
    for precision, content in models.items():
        print(f"{precision}: {len(content) / 1e6:.2f} MB")
    print(f"wrote {out}, calibrated on {len(calibration)} pictures" + ("" if data else "; not judged: give --data"))


def _records(patterns: Sequence[str]) -> list[Path]:
    return [Path(name) for name in find_records(patterns)] if patterns else []


def _report(rows: Sequence[Judged]) -> str:
    head = ["precision", "MB", "ms", "AP50", "change"]
    cells = [
        [one.precision, f"{one.megabytes:.2f}", f"{one.milliseconds:.1f}", f"{one.ap50:.3f}", f"{-one.fall:+.3f}"]
        for one in rows
    ]
    return table([head, *cells])


if __name__ == "__main__":
    sys.exit(main())
