"""What hybridtrack itself offers, through the hooks that plugins use: nothing is imported until it is built."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from hybridtrack.hookspecs import DetectorSpec, Option, RelationSpec, SinkSpec, TrackerSpec, hookimpl

_TRACKERS = {  # name -> module, summary
    "flow": ("flow", "sparse optical flow fused with a Kalman filter (default)"),
    "kalman": ("motion", "Kalman filter alone, no pictures: boxes go on at a velocity that dies away"),
    "hold": ("motion", "the last box stays where it is"),
    "none": ("motion", "detect only: boxes on frames with a detector run alone"),
    "medianflow": ("opencv", "OpenCV MedianFlow, one a box"),
    "mosse": ("opencv", "OpenCV MOSSE correlation filter, one a box"),
    "kcf": ("opencv", "OpenCV kernelised correlation filter, one a box"),
    "csrt": ("opencv", "OpenCV discriminative correlation filter with channel and spatial reliability, one a box"),
}


def _factory(module: str, function: str) -> Callable[[Mapping[str, Any]], Any]:
    """Return a factory that imports ``hybridtrack.<module>`` when it is called."""

    def create(options: Mapping[str, Any]) -> Any:
        return getattr(importlib.import_module(f"hybridtrack.{module}"), function)(options)

    return create


@hookimpl
def hybridtrack_detectors() -> list[DetectorSpec]:
    """Return the hand detector, one for bundles of the user's own, and what shows boxes of a file."""
    return [
        DetectorSpec(
            name="hand",
            summary="hands, by the SSD of a model bundle",
            create=_factory("detectors.ssd", "create_hand"),
            options=(
                Option(name="bundle", help="folder of a model bundle; default: the one in the package"),
                Option(name="precision", help="int8, fp16 or fp32, as the bundle has it; default: the bundle's own"),
                Option(name="runtime", help="litert or tensorflow; default: the first of them that is installed"),
                Option(name="threads", type=int, default=1, help="threads of one inference"),
            ),
        ),
        DetectorSpec(
            name="ssd",
            summary="what an SSD of your own was trained on: bundle=FOLDER",
            create=_factory("detectors.ssd", "create_ssd"),
            options=(
                Option(name="bundle", help="folder of a model bundle; needed"),
                Option(name="precision", help="int8, fp16 or fp32, as the bundle has it; default: the bundle's own"),
                Option(name="runtime", help="litert or tensorflow; default: the first of them that is installed"),
                Option(name="threads", type=int, default=1, help="threads of one inference"),
                Option(name="min_score", type=float, help="least score of a box; default: the bundle's"),
                Option(name="classes", help="those that count, as cup|bottle; default: all"),
            ),
        ),
        DetectorSpec(
            name="replay",
            summary="boxes that stand in a file: a run again, another detector's results, the truth",
            create=_factory("detectors.replay", "create_replay"),
            options=(
                Option(name="path", help="track file, MOTChallenge text or a folder with one, COCO results; needed"),
                Option(name="min_score", type=float, help="least score of a box, as the file has it; default: all"),
                Option(name="min_visibility", type=float, default=0.0, help="least visibility of a true box, in 0..1"),
                Option(name="class", help="class of boxes whose file has none (MOTChallenge, COCO); default: object"),
                Option(name="labels", help="file that names the classes: classes.txt, or COCO annotations"),
                Option(name="detector", help="of a track file: show what this one saw; default: what all did"),
            ),
        ),
    ]


@hookimpl
def hybridtrack_trackers() -> list[TrackerSpec]:
    """Return the trackers that carry boxes between detector runs."""
    return [
        TrackerSpec(name=name, summary=summary, create=_factory(f"tracking.{module}", f"create_{name}"))
        for name, (module, summary) in _TRACKERS.items()
    ]


@hookimpl
def hybridtrack_relations() -> list[RelationSpec]:
    """Return the relation of hands to objects."""
    return [
        RelationSpec(
            name="hand_object",
            summary="hands near, over and holding objects; pick_up, put_down, hand_over, push, touches (default)",
            create=_factory("relations.hand_object", "create_hand_object"),
            options=(
                Option(name="near", type=float, default=1.0, help="hand widths up to which a pair is near"),
                Option(name="moved", type=float, default=0.07, help="... that both must move together to be holding"),
                Option(name="split", type=float, default=0.3, help="... that they must move apart to end it"),
            ),
        )
    ]


@hookimpl
def hybridtrack_sinks() -> list[SinkSpec]:
    """Return the outputs of the command line."""
    path = Option(name="path", help="the file to write; - is standard output where the format is text")
    detections = Option(name="with_detections", type=_boolean, default=False, help="true: raw detections as well")
    frame = Option(name="frame", type=int, help="number of the frame, from 0; default: the first with the most tracks")
    return [
        SinkSpec(
            name="json",
            summary="JSON Lines, one object a frame",
            create=_factory("sinks.jsonl", "create_jsonl"),
            options=(path, detections),
        ),
        SinkSpec(name="mot", summary="MOTChallenge text", create=_factory("sinks.mot", "create_mot"), options=(path,)),
        SinkSpec(
            name="video",
            summary="H.264 video with boxes and ids",
            create=_factory("sinks.video", "create_video"),
            options=(path,),
        ),
        SinkSpec(
            name="image",
            summary="one frame with boxes and ids",
            create=_factory("sinks.image", "create_image"),
            options=(path, frame),
        ),
        SinkSpec(name="display", summary="a window", create=_factory("sinks.display", "create_display")),
        SinkSpec(name="table", summary="a table of what the run was", create=_factory("sinks.table", "create_table")),
    ]


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("expected true or false")
    return text == "true"
