"""Write a random scene as a folder: python -m tests.scenes OUT --seed 7."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from tests.scenes.scene import Scene
from tests.scenes.script import EVENTS
from tests.scenes.truth import write_folder


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.scenes", description=(__doc__ or "").split(":")[0] + ".")
    parser.add_argument("folder", type=Path, metavar="OUT")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--sway", type=float, default=0.0, metavar="CM", help="how far the camera sways")
    parser.add_argument("--speed", type=float, default=1.0, help="of the hands, 1 = usual")
    parser.add_argument("--noise", type=float, default=2.5, metavar="LEVELS", help="spread of the pixels' noise")
    parser.add_argument("--box-noise", type=float, default=0.0, metavar="SHARE", help="of OUT/noisy, of a box's size")
    parser.add_argument("--misses", type=float, default=0.0, metavar="SHARE", help="of OUT/noisy: boxes left out")
    parser.add_argument("--events", default="", metavar="NAME,...", help=f"instead of random ones: {', '.join(EVENTS)}")
    parser.add_argument("--no-clip", action="store_true", help="the truth alone")
    options = parser.parse_args(arguments)
    events = tuple(name for name in options.events.split(",") if name)
    if unknown := set(events) - set(EVENTS):
        parser.error(f"no event {', '.join(sorted(unknown))}: there are {', '.join(EVENTS)}")
    scene = Scene(
        options.seed,
        frames=options.frames,
        sway_cm=options.sway,
        speed=options.speed,
        noise=options.noise,
        events=events,
    )
    write_folder(
        scene, options.folder, with_clip=not options.no_clip, box_noise=options.box_noise, misses=options.misses
    )
    print(f"{options.folder}: {scene.frames} frames, {', '.join(scene.events) or 'no event fits'}")


if __name__ == "__main__":
    main()
