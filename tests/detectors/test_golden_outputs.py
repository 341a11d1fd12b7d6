"""The shipped networks' raw outputs against those of the published graph, on the same pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hybridtrack.detectors.bundle import Bundle
from hybridtrack.detectors.runtime import open_network

FRAMES = sorted((Path(__file__).parents[1] / "golden/hand_ssd").glob("frame_*.npz"))


@pytest.mark.parametrize("path", FRAMES, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    ("precision", "largest", "mean"),
    [
        # found: .038 and .092 (mean .003 and .005), from rounding the weights of some fifty layers to 11 bits; summing
        # in another order, as other processors do, moves raw outputs by less than 1e-4
        pytest.param("fp16", {"encodings": 0.06, "logits": 0.14}, {"encodings": 0.005, "logits": 0.008}, id="fp16"),
        # found: .80 and 1.05 (mean .068 and .108); a step of the stored outputs is .07 and .12
        pytest.param("int8", {"encodings": 1.2, "logits": 1.5}, {"encodings": 0.1, "logits": 0.15}, id="int8"),
    ],
)
def test_raw_outputs_are_those_of_the_published_graph(
    bundle: Bundle, path: Path, precision: str, largest: dict[str, float], mean: dict[str, float]
) -> None:
    network = open_network(bundle, precision=precision)
    with np.load(path) as golden:
        encodings, logits = network.run(golden["rgb"])
        found = {"encodings": network.encodings.real(encodings), "logits": network.logits.real(logits)}
        for name, values in found.items():
            difference = np.abs(values - golden[name])
            assert difference.max() < largest[name], name
            assert difference.mean() < mean[name], name
