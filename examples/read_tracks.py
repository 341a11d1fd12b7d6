"""Read a track file into numpy: ``hybridtrack run VIDEO --json FILE``, then ``python examples/read_tracks.py FILE``."""

import sys
from collections import defaultdict

import numpy as np

from hybridtrack.track_file import read_tracks


def paths_of(file: str) -> dict[int, np.ndarray]:
    """Return track id -> float64 (N, 5): time in seconds, then left, top, right, bottom in pixels; confirmed only."""
    paths = defaultdict(list)
    with read_tracks(file) as frames:
        for frame in frames:
            for track in frame.tracks:
                if track.state == "confirmed":
                    paths[track.track_id].append((frame.time_s, *track.xyxy))
    return {track_id: np.array(rows) for track_id, rows in paths.items()}


def main(file: str = "out/table.jsonl") -> None:
    for track_id, path in paths_of(file).items():
        time_s, centre_px = path[:, 0], (path[:, 1:3] + path[:, 3:5]) / 2
        way_px = np.linalg.norm(np.diff(centre_px, axis=0), axis=1).sum()
        print(f"track {track_id}: {time_s[0]:.2f} to {time_s[-1]:.2f} s, {len(path)} boxes, {way_px:.0f} px of way")


if __name__ == "__main__":
    main(*sys.argv[1:])
