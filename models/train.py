"""Train an SSD on TFRecords.

    python -m models.train --config models/configs/hands.toml [--out FOLDER] [--set training.steps=500]...
    python -m models.train --resume FOLDER [--stop-at STEP]

The folder then holds the resolved settings, metrics.jsonl, checkpoints, curves for TensorBoard, and the best network,
for ``models.evaluate`` and ``models.export``. Ctrl-C writes a checkpoint; ``--resume`` goes on from the last one, with
the same losses as without the stop. Exit status 2 when something is to be mended, 130 when interrupted.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hybridtrack.errors import HybridTrackError, UsageError
from models.run_folder import RunFolder
from models.settings import read_settings
from models.training import train

RUNS = Path("out/runs")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.train", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--config", type=Path, help="TOML file with the settings; models/configs has some")
    parser.add_argument("--out", type=Path, help="folder of the training (default: out/runs/<name of the config>)")
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="change a setting")
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with the training in this folder")
    parser.add_argument("--stop-at", type=int, metavar="STEP", help="stop after this step with a checkpoint")
    options = parser.parse_args(arguments)
    try:
        if (options.config is None) == (options.resume is None):
            raise UsageError("give either --config FILE, to begin, or --resume FOLDER, to go on")
        if options.resume is not None and (options.set or options.out):
            raise UsageError(
                "--resume goes on with the settings and in the folder that it began with: no --set, no --out"
            )
        path = options.resume or options.out or RUNS / options.config.stem
        settings = read_settings(options.config or path / "config.toml", options.set)
        best = train(settings, RunFolder(path), resume=options.resume is not None, stop_at=options.stop_at)
    except HybridTrackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"interrupted; go on with --resume {path}", file=sys.stderr)
        return 130
    print(f"wrote {path}" + (f": AP50 {best.ap50:.3f} at step {best.step}" if best.step else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
