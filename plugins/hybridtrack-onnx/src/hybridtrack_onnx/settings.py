"""The options of the detector: what texts become, and what can be checked of them before the network is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hybridtrack.errors import UsageError, unknown_name
from hybridtrack.hookspecs import Option

LAYOUTS = ("yolov8", "yolov5", "yolo-nms", "ssd")
BOX_FORMATS = ("xyxy_px", "xyxy_norm", "yxyx_norm")
RESIZES = ("letterbox", "stretch")
CHANNELS = ("rgb", "bgr")
ROLES = ("hand", "object", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What ``OPTIONS`` say, by their names; ``size`` is (width, height), px. Raises UsageError."""

    model: str | None
    labels: str | None
    layout: str
    size: tuple[int, int] | None
    resize: str | None
    boxes: str | None
    first: int | None
    channels: str
    scale: float | None
    mean: tuple[float, float, float] | None
    std: tuple[float, float, float] | None
    min_score: float
    iou: float
    roles: Mapping[str, str] | None
    threads: int

    def __post_init__(self) -> None:
        if not self.model:
            raise UsageError("detector 'onnx' is asked for without a network: add model=FILE.onnx")
        for option, value, known in (
            ("layout", self.layout, ("auto", *LAYOUTS)),
            ("resize", self.resize, RESIZES),
            ("boxes", self.boxes, BOX_FORMATS),
            ("channels", self.channels, CHANNELS),
            *((f"role of {name!r}", role, ROLES) for name, role in (self.roles or {}).items()),
        ):
            if value is not None and value not in known:
                raise UsageError(unknown_name(option, value, known))
        if self.std is not None and not all(self.std):
            raise UsageError("std has a 0, by which nothing can be divided: leave it out or give another")


def parse_size(text: str) -> tuple[int, int]:
    """Return (width, height), px, of ``640`` or ``640x384``. Raises ValueError."""
    words = text.split("x")
    if len(words) > 2 or not all(word.isdecimal() and int(word) > 0 for word in words):
        raise ValueError("write a number of pixels such as 640, or WxH such as 640x384")
    return int(words[0]), int(words[-1])


def parse_scale(text: str) -> float:
    """Return the factor that ``1/255`` or ``0.00392`` names. Raises ValueError."""
    above, _, below = text.partition("/")
    try:
        scale = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        scale = 0.0
    if not 0 < scale < float("inf"):
        raise ValueError("write a positive number or a fraction such as 1/255")
    return scale


def parse_channels(text: str) -> tuple[float, float, float]:
    """Return the three numbers of ``0.485|0.456|0.406``; one number stands for all three. Raises ValueError."""
    try:
        numbers = [float(word) for word in text.split("|")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 3):
        raise ValueError("write one number, or three with | between them such as 0.485|0.456|0.406")
    return numbers[0], numbers[len(numbers) // 2], numbers[-1]


def parse_share(text: str) -> float:
    """Return a number above 0 and below 1. Raises ValueError."""
    share = float(text)
    if not 0 < share < 1:
        raise ValueError("write a number between 0 and 1")
    return share


def parse_count(text: str) -> int:
    """Return a whole number from 1. Raises ValueError."""
    if not text.isdecimal() or int(text) < 1:
        raise ValueError("write a whole number from 1")
    return int(text)


def parse_roles(text: str) -> dict[str, str]:
    """Return the roles by class that ``glove=hand|desk=other`` names. Raises ValueError."""
    pairs = [word.partition("=") for word in text.split("|")]
    if not all(name.strip() and equals and role.strip() for name, equals, role in pairs):
        raise ValueError("write CLASS=ROLE with | between them, such as glove=hand|desk=other")
    return {name.strip(): role.strip() for name, _, role in pairs}


OPTIONS = (
    Option(name="model", help="the ONNX file"),
    Option(name="labels", help="text file with a class a line, or names such as cup|hand; default: as the file says"),
    Option(name="layout", default="auto", help="auto, yolov8, yolov5, yolo-nms or ssd: what the outputs are"),
    Option(name="size", type=parse_size, help="640 or 640x384, where the file leaves its input's size open"),
    Option(name="resize", help="letterbox or stretch; default: stretch for ssd, else letterbox"),
    Option(name="boxes", help="xyxy_px, xyxy_norm or yxyx_norm, where ssd outputs do not tell"),
    Option(name="first", type=int, help="number that the network gives the first label; default: 1 for ssd, else 0"),
    Option(name="channels", default="rgb", help="order of the colours, rgb or bgr"),
    Option(name="scale", type=parse_scale, help="factor of pixels; default: 1/255, of a uint8 input 1"),
    Option(
        name="mean", type=parse_channels, help="taken off after scaling, such as 0.5 or 0.485|0.456|0.406; default: 0"
    ),
    Option(name="std", type=parse_channels, help="divided by after that; default: 1"),
    Option(name="min_score", type=parse_share, default=0.05, help="least score of a box, in 0..1"),
    Option(name="iou", type=parse_share, default=0.45, help="IoU above which the weaker box of a class is dropped"),
    Option(name="roles", type=parse_roles, help="roles of classes, such as glove=hand|desk=other"),
    Option(name="threads", type=parse_count, default=1, help="threads of one inference"),
)
