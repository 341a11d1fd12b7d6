"""Looks at an installation: what is there, what is missing, and how fast the whole way is on this machine."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import Distribution, PackageNotFoundError, distributions, version
from typing import TYPE_CHECKING

import hybridtrack
from hybridtrack.errors import HybridTrackError

if TYPE_CHECKING:
    from hybridtrack.sources.source import RecordedSource
    from hybridtrack.types import Array, Frame

LIBRARIES = ("numpy", "scipy", "filterpy", "av", "pluggy", "msgspec", "click", "rich")
SELF_TEST_SIZE = (640, 360)  #: px
SELF_TEST_FRAMES = 300
SELF_TEST_S = 5.0  #: a slow machine sees fewer frames
TENSORFLOWS = ("tensorflow", "tensorflow-cpu", "tensorflow_cpu", "tensorflow-macos")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line about an installation; ``is_ok`` is False when the user has to mend something."""

    subject: str
    text: str
    is_ok: bool = True


def examine() -> Iterator[Finding]:
    """Yield what there is to say of this installation, the slow things last; a check that fails is a finding."""
    for check in (_versions, _opencv, _back_ends, _plugins, _bundles, _self_test):
        yield from _guarded(check)


def _guarded(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except (HybridTrackError, ImportError) as error:
        yield Finding(check.__name__.strip("_").replace("_", " "), " ".join(str(error).split()), is_ok=False)


def _versions() -> Iterator[Finding]:
    yield Finding("hybridtrack", hybridtrack.__version__)
    yield Finding("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Finding("libraries", ", ".join(f"{name} {version(name)}" for name in LIBRARIES))


def opencv_distributions() -> list[Distribution]:
    """Return the installed distributions that bring the module cv2; two of them overwrite each other's files."""
    found = {dist.name.lower(): dist for dist in distributions() if dist.name.lower().startswith("opencv")}
    return [dist for name, dist in sorted(found.items()) if "python" in name]


def _opencv() -> Iterator[Finding]:
    import cv2

    found = opencv_distributions()
    text = " and ".join(f"{dist.name} {dist.version}" for dist in found) or f"cv2 {cv2.__version__} of no distribution"
    if len(found) > 1:
        names = " ".join(dist.name for dist in found)
        text += f"; they overwrite each other: pip uninstall {names}, then pip install opencv-contrib-python-headless"
    elif not hasattr(cv2, "legacy"):
        text += "; without the contrib trackers: install opencv-contrib-python-headless in its place"
    yield Finding("opencv", text, is_ok=len(found) < 2 and hasattr(cv2, "legacy"))


def _installed(*names: str) -> str | None:
    for name in names:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return None


def _back_ends() -> Iterator[Finding]:
    litert, tensorflow = _installed("ai-edge-litert"), _installed(*TENSORFLOWS)
    if not (litert or tensorflow):
        yield Finding("back ends", "nothing runs the network: install ai-edge-litert or tensorflow", is_ok=False)
    yield Finding("litert", litert or "not installed")
    yield Finding("tensorflow", tensorflow or "not installed (optional)")


def _plugins() -> Iterator[Finding]:
    from hybridtrack.plugin_host import PluginHost

    host = PluginHost.load()
    for plugin in host.plugins:
        is_ok = not plugin.error or plugin.is_disabled
        text = f"{plugin.name} of {plugin.distribution} {plugin.version}"
        yield Finding("plugin", f"{text}: {plugin.error}" if plugin.error else text, is_ok)
    for kind, names in (("detectors", host.detectors), ("trackers", host.trackers), ("sinks", host.sinks)):
        yield Finding(kind, ", ".join(names))


def _bundles() -> Iterator[Finding]:
    from hybridtrack.detectors.bundle import find_bundle, list_bundles, verify

    for name in list_bundles():
        yield Finding("bundle", f"{name}: {len(verify(find_bundle(name)))} files are as they were made")


def _self_test() -> Iterator[Finding]:
    """Yield how fast hands are looked for and a patch is followed that moves over generated pictures."""
    from hybridtrack.boxes import iou
    from hybridtrack.engine import Engine

    def patch_detector(frame: Frame) -> Array:
        return _patch_xyxy(frame.index)

    begin = time.perf_counter()
    followed = frames = 0
    with (
        closing(_moving_patch()) as pictures,
        Engine(detectors=["hand", patch_detector], detect_every=3) as engine,
        closing(engine.run(pictures)) as results,
    ):
        for frame, result in results:
            overlap = iou(_patch_xyxy(frame.index), result.tracks.xyxy)
            followed += bool((overlap > 0.5).any())
            frames += 1
            if time.perf_counter() - begin > SELF_TEST_S:
                break
    rate = frames / (time.perf_counter() - begin)
    text = f"{rate:.0f} frames/s of {SELF_TEST_SIZE[0]}x{SELF_TEST_SIZE[1]} generated pictures, detector every 3 frames"
    yield Finding("self-test", f"{text}; a moving patch was followed on {followed} of {frames}", followed == frames)


def _patch_xyxy(frame_index: int) -> Array:
    """Return where the patch is on a frame, float32 (1, 4), px: it goes round an ellipse in two seconds."""
    import numpy as np

    angle = np.pi * frame_index / 30
    left, top = 280 + 200 * np.cos(angle), 140 + 100 * np.sin(angle)
    return np.array([[left, top, left + 80, top + 80]], np.float32)


def _moving_patch() -> RecordedSource:
    """Return a source of generated pictures on which a rough patch moves over a smooth ground."""
    import cv2
    import numpy as np

    from hybridtrack.sources.source import RecordedSource
    from hybridtrack.types import Frame, VideoInfo

    width, height = SELF_TEST_SIZE
    random = np.random.default_rng(0)
    ground = cv2.GaussianBlur(random.integers(0, 256, (height, width, 3), np.uint8), (0, 0), 3)
    patch = cv2.GaussianBlur(random.integers(0, 256, (80, 80, 3), np.uint8), (0, 0), 1)

    def frames() -> Generator[Frame, None, None]:
        for index in range(SELF_TEST_FRAMES):
            picture = ground.copy()
            left, top = _patch_xyxy(index)[0, :2].round().astype(int)
            picture[top : top + 80, left : left + 80] = patch
            yield Frame.from_array(picture, index=index, time_s=index / 30)

    generated = frames()
    info = VideoInfo(width_px=width, height_px=height, fps=Fraction(30), frame_count=SELF_TEST_FRAMES)
    return RecordedSource("generated pictures", info, next(generated), generated)
