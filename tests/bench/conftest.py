"""A run that takes no time: boxes of a file, on frames without a picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridtrack.bench.mode import Conditions
from hybridtrack.config import parse_detectors

COUNT = 24
BLANK = f"blank:640x360@30:{COUNT}"


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """MOTChallenge truth of one thing that goes right, 6 px a frame, on all frames of the blank source."""
    folder = tmp_path / "boxes"
    (folder / "gt").mkdir(parents=True)
    rows = "".join(f"{n},7,{10 + 6 * n},20,60,70,1,1,1\n" for n in range(1, COUNT + 1))
    (folder / "gt/gt.txt").write_text(rows)
    (folder / "classes.txt").write_text("1 hand\n")
    (folder / "seqinfo.ini").write_text(f"[Sequence]\nseqLength={COUNT}\nimWidth=640\nimHeight=360\nframeRate=30\n")
    return folder


@pytest.fixture
def conditions(boxes: Path) -> Conditions:
    """Of runs in which the detector shows the boxes."""
    return Conditions(detectors=parse_detectors((f"replay,path={boxes}",)), rounds=2)
