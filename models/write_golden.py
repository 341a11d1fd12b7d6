"""Write what the published graph itself says of frames of the demo clip: the numbers that tests hold the bundle to.

    python -m models.write_golden handtrackjs-0.1.5.tgz [--out tests/golden/hand_ssd]

Each file holds the picture as the network gets it (``rgb`` uint8, so that no decoder and no resize comes between) and
the graph's raw ``encodings`` and ``logits``, float32.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from hybridtrack.errors import HybridTrackError
from models.graph_weights import read_package
from models.import_handtrackjs import FOLDER, PACKAGE, SHA512
from models.original_graph import raw_outputs
from models.pictures import DEMO_CLIP, read_pictures
from models.ssdlite import SIZE_PX

OUT = Path("tests/golden/hand_ssd")
FRAMES = (99, 180, 280)  #: one hand at an object, two hands, a pass in front of the other hand


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.write_golden", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("package", type=Path, help=f"the npm package {PACKAGE} (.tgz)")
    parser.add_argument("--out", type=Path, default=OUT, help="default: %(default)s")
    options = parser.parse_args(arguments)
    try:
        run = raw_outputs(read_package(options.package, sha512=SHA512, folder=FOLDER))
        options.out.mkdir(parents=True, exist_ok=True)
        for frame in read_pictures(DEMO_CLIP):
            if frame.index in FRAMES:
                rgb = frame.rgb((SIZE_PX, SIZE_PX))
                encodings, logits = run((rgb.astype(np.float32) * (2 / 255) - 1)[None])
                path = options.out / f"frame_{frame.index:04d}.npz"
                np.savez_compressed(path, rgb=rgb, encodings=encodings, logits=logits)
                print(f"wrote {path}")
    except HybridTrackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
