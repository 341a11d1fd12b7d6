"""Track the hands of a video in a loop of your own: ``python examples/loop_over_video.py [VIDEO]``."""

import sys

from hybridtrack.engine import Engine
from hybridtrack.types import Origin, TrackState


def main(video: str = "examples/data/table.mp4") -> None:
    with Engine(detectors=["hand"], tracker="flow", detect_every=3) as engine:
        for frame, result in engine.run(video):
            hands = result.tracks[result.tracks.state == TrackState.CONFIRMED]
            for track_id, xyxy, origin in zip(hands.track_id, hands.xyxy, hands.origin, strict=True):
                print(
                    f"{frame.time_s:.3f} s  hand {track_id}  {xyxy.astype(int).tolist()}  {Origin(origin).name.lower()}"
                )


if __name__ == "__main__":
    main(*sys.argv[1:])
