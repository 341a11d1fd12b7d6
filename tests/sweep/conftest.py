"""A thing that lies still: what is missed is what nobody has looked at yet, and scores can be worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

COUNT = 24


@pytest.fixture
def still(tmp_path: Path) -> Path:
    """A MOTChallenge folder with detections and truth of a thing that lies still for all of its 24 frames."""
    folder = tmp_path / "still"
    for kind, track_id in (("gt", 7), ("det", -1)):
        (folder / kind).mkdir(parents=True)
        rows = "".join(f"{n},{track_id},10,20,60,70,1,-1,-1,-1\n" for n in range(1, COUNT + 1))
        (folder / kind / f"{kind}.txt").write_text(rows)
    (folder / "seqinfo.ini").write_text(f"[Sequence]\nseqLength={COUNT}\nimWidth=640\nimHeight=360\nframeRate=30\n")
    return folder
