"""Command lines to begin with, under the help of each command."""

from __future__ import annotations

from typing import Final

#: what it does, and the line; by command, and for all of them under ""
EXAMPLES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "": (
        ("hands on every third frame, as a track file", "hybridtrack run table.mp4 --json table.jsonl"),
        ("what is in it, as a page", "hybridtrack report table.jsonl"),
        ("does tracking pay on this video?", "hybridtrack bench table.mp4"),
    ),
    "run": (
        (
            "detector on every fifth frame, boxes drawn on the video",
            "hybridtrack run table.mp4 --detect-every 5 --video out.mp4",
        ),
        ("hands and objects of a camera, in a window", "hybridtrack run 0 --detector +tabletop --show"),
        ("the same in a browser, and written down", "hybridtrack run 0 --detector +tabletop --web --json table.jsonl"),
        ("a folder of images, as MOTChallenge text", "hybridtrack run frames/ --fps 25 --mot table.txt"),
        (
            "detect when tracks need it, and write what detectors saw",
            "hybridtrack run table.mp4 --detect-every auto --json table.jsonl --with-detections",
        ),
    ),
    "relations": (
        ("a table of touches and holds", "hybridtrack relations table.jsonl"),
        ("captions for a player", "hybridtrack relations table.jsonl --vtt table.vtt"),
    ),
    "report": (
        ("a page beside the track file", "hybridtrack report table.jsonl"),
        ("tracked against detected on every frame", "hybridtrack report tracked.jsonl detected.jsonl -o both.html"),
    ),
    "view": (("the video with its tracks in the browser", "hybridtrack view table.jsonl --video table.mp4"),),
    "export": (
        ("for training, FiftyOne and more", "hybridtrack export table.jsonl --to coco"),
        ("to correct boxes of hands by hand", "hybridtrack export table.jsonl --to cvat --class hand -o hands.xml"),
        ("into another program", "hybridtrack export table.jsonl --to csv -o -"),
    ),
    "import": (
        (
            "boxes that were corrected by hand",
            "hybridtrack import hands.xml --from cvat --like table.jsonl -o corrected.jsonl",
        ),
        (
            "another tracker's results",
            "hybridtrack import results.txt --from mot --video table.mp4 --class hand -o other.jsonl",
        ),
    ),
    "evaluate": (
        ("against the truth", "hybridtrack evaluate table.jsonl examples/data/table"),
        ("against another run", "hybridtrack evaluate tracked.jsonl detected.jsonl"),
    ),
    "bench": (
        ("which tracker, and every how many frames", "hybridtrack bench table.mp4 --html bench.html"),
        (
            "the same with the truth",
            "hybridtrack bench table.mp4 --gt truth/ --detect-every 1,3,5 --trackers flow,kalman",
        ),
    ),
    "sweep": (("on boxes that were detected once", "hybridtrack sweep table.mp4 --gt truth/ --trackers kalman,flow"),),
    "plugins": (
        ("what is installed", "hybridtrack plugins list"),
        ("options of a detector", "hybridtrack plugins info hand"),
    ),
    "models": (("are the files whole?", "hybridtrack models verify"),),
    "doctor": (("does everything work?", "hybridtrack doctor"),),
    "completion": (("for bash, from now on", "hybridtrack completion bash >> ~/.bashrc"),),
}


def epilog(name: str) -> str | None:
    """Return what stands under the help of a command, None where there is no example."""
    lines = [part for what, line in EXAMPLES.get(name, ()) for part in (f"  # {what}", f"  {line}")]
    return "\n".join(["\b", "Examples:", *lines]) if lines else None
