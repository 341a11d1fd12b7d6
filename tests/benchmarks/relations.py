"""Print how well holds, touches, pick-ups and put-downs are found on random scenes, whose truth is exact.

    python -m tests.benchmarks.relations [--seeds 0-19] [--sway 6] [--every 3] [--scenes FOLDER] [-- RUN OPTIONS]

Every seed is another scene (tests.scenes). The detector ``replay`` shows its true boxes every N frames, or with
--box-noise and --misses noisy ones; everything else is a run as from the command line, and what follows ``--`` goes to
it. Scenes are kept in --scenes and used again. With --scorer, an independent script scores the same files.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.relation_scores import Scores, read_truth, score_file
from tests.scenes.scene import Scene
from tests.scenes.truth import write_folder

HEAD = "| scene | hold F1 | right/reported/true | touch F1 | pick_up (false) | put_down (false) | invented | events |"


@dataclass(frozen=True, slots=True)
class Setting:
    """What the scenes are like; its values make up the name of their folders."""

    frames: int
    sway_cm: float
    speed: float
    box_noise: float
    misses: float

    def folder(self, place: Path, seed: int) -> Path:
        """Return where a scene is kept; it is drawn when it is not there yet."""
        folder = place / "_".join([f"scene_{seed}", *(f"{value:g}" for value in astuple(self))])
        if not (folder / "gt.json").exists():
            scene = Scene(seed, frames=self.frames, sway_cm=self.sway_cm, speed=self.speed)
            write_folder(scene, folder, box_noise=self.box_noise, misses=self.misses)
        return folder

    def boxes(self, folder: Path) -> Path:
        """Return the folder of the boxes that the detector shows."""
        return folder / "noisy" if self.box_noise or self.misses else folder


def run(clip: Path, boxes: Path, file: Path, *, every: int, arguments: Sequence[str]) -> None:
    """Track a clip from replayed boxes. Raises RuntimeError with what the program said."""
    command = [
        sys.executable,
        "-m",
        "hybridtrack",
        "run",
        str(clip),
        "--detector",
        f"replay,path={boxes},every={every}",
    ]
    done = subprocess.run([*command, "--json", str(file), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")


def row(name: str, scores: Scores, events: Sequence[str] = ()) -> str:
    """Return a row of the table."""
    hold, ends = scores.hold, (scores.pick_up, scores.put_down)
    cells = (
        name,
        f"{hold.f1:.2f}",
        f"{hold.right}/{hold.reported}/{hold.true}",
        f"{scores.touch.f1:.2f}",
        *(f"{count.right}/{count.true} ({count.false})" for count in ends),
        str(scores.invented),
        ", ".join(events),
    )
    return f"| {' | '.join(cells)} |"


def seeds(text: str) -> list[int]:
    """Return the numbers that a text such as 0-4,9 names."""
    ends = [[int(number) for number in part.split("-")] for part in text.split(",")]
    return [seed for part in ends for seed in range(part[0], part[-1] + 1)]


def main(arguments: Sequence[str] | None = None) -> None:
    summary = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.relations", description=summary)
    parser.add_argument("--seeds", type=seeds, default=seeds("0-19"), metavar="A-B,...")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--sway", type=float, default=0.0, metavar="CM")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--box-noise", type=float, default=0.0, metavar="SHARE")
    parser.add_argument("--misses", type=float, default=0.0, metavar="SHARE")
    parser.add_argument("--every", type=int, default=3, metavar="N")
    parser.add_argument("--scenes", type=Path, metavar="FOLDER", help="where scenes are kept and looked for")
    parser.add_argument("--scorer", type=Path, metavar="SCRIPT", help="an independent scorer of relations")
    parser.add_argument("--scorer-python", default=sys.executable, metavar="PYTHON", help="the interpreter for it")
    parser.add_argument("rest", nargs="*", metavar="RUN OPTIONS", help="after --: for hybridtrack run")
    options = parser.parse_args(arguments)
    setting = Setting(options.frames, options.sway, options.speed, options.box_noise, options.misses)
    total = Scores()
    print(f"{HEAD}\n|{'---|' * HEAD.count(' | ')}---|")
    with ExitStack() as stack:
        work = Path(stack.enter_context(TemporaryDirectory()))
        for seed in options.seeds:
            folder = setting.folder(options.scenes or work, seed)
            file = work / f"{seed}.jsonl"
            run(folder / "clip.mp4", setting.boxes(folder), file, every=options.every, arguments=options.rest)
            scores = score_file(file, read_truth(folder))
            total += scores
            print(row(str(seed), scores, json.loads((folder / "gt.json").read_text())["events"]), flush=True)
            if options.scorer:
                command = [options.scorer_python, str(options.scorer), str(file), str(folder)]
                print(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip(), flush=True)
    print(row("total", total))


if __name__ == "__main__":
    main()
