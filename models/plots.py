"""What an evaluation shows as pictures: precision-recall curves, and the pictures on which most went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.average_precision import Judged, figures, picture_errors
from models.curves import draw_boxes
from models.truth import read_truth

if TYPE_CHECKING:
    from models.evaluate import Verdict

WORST = 12
COLUMNS = 4
TILE_PX = (320, 240)
SURE = 0.5


def write(folder: Path, verdicts: Sequence[Verdict], names: Sequence[str], data: Sequence[Path]) -> None:
    """Write ``precision_recall.png`` of all, and ``worst_<number>.png`` of each, in the order of the verdicts."""
    folder.mkdir(parents=True, exist_ok=True)
    _curves(folder / "precision_recall.png", verdicts, names)
    for number, verdict in enumerate(verdicts):
        worst = worst_pictures(verdict.pictures)
        wanted = {one.name: one for one, _, _ in worst}
        tiles = {}
        for path in data:
            for true in read_truth(path, names):
                if true.name in wanted:
                    tiles[true.name] = draw_boxes(true.frame.rgb(), wanted[true.name], SURE)
        if worst:
            sheet = _sheet([(tiles[one.name], f"{one.name}: {m} missed, {a} false") for one, m, a in worst])
            cv2.imwrite(str(folder / f"worst_{number}.png"), sheet[..., ::-1])


def worst_pictures(pictures: Sequence[Judged], count: int = WORST) -> list[tuple[Judged, int, int]]:
    """Return the pictures with the most boxes missed and false ones found at a score of .5, the worst first."""
    errors = [(one, *picture_errors(one, SURE)) for one in pictures]
    wrong = [row for row in errors if row[1] + row[2]]
    return sorted(wrong, key=lambda row: (-row[1] - row[2], row[0].name))[:count]


def _sheet(tiles: Sequence[tuple[np.ndarray, str]]) -> np.ndarray:
    """Return pictures of any size side by side, each with its text below."""
    width, height = TILE_PX
    rows = -(-len(tiles) // COLUMNS)
    sheet = np.full((rows * (height + 24), COLUMNS * width, 3), 255, np.uint8)
    for place, (rgb, text) in enumerate(tiles):
        scale = min(width / rgb.shape[1], height / rgb.shape[0])
        small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        y, x = place // COLUMNS * (height + 24), place % COLUMNS * width
        sheet[y : y + small.shape[0], x : x + small.shape[1]] = small
        cv2.putText(sheet, text[-48:], (x + 4, y + height + 16), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1)
    return sheet


def _curves(path: Path, verdicts: Sequence[Verdict], names: Sequence[str]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.add_subplot(xlabel="recall", ylabel="precision", title="IoU .5", xlim=(0, 1), ylim=(0, 1.02))
    for verdict in verdicts:
        for name, curve in figures(verdict.pictures, names).curves.items():
            axes.plot(np.linspace(0, 1, len(curve)), curve, label=f"{verdict.subject.name}: {name}")
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=120)
