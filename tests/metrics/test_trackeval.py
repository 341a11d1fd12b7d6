"""HOTA, CLEAR and Identity against the stored numbers of TrackEval; ``make oracle`` computes them anew."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle.__main__ import main, read_stored
from tests.oracle.figures import differences, our_figures
from tests.oracle.scenes import KINDS


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    return read_stored()


def test_figures_of_stored_scenes_and_their_sum_are_those_of_trackeval(stored: dict[str, Any]) -> None:
    assert list(differences(our_figures(stored["scenes"]), stored["figures"])) == []
    assert {*stored["figures"]} == {*KINDS, "combined"}


def test_stored_scenes_have_the_faults_that_they_are_meant_to_have(stored: dict[str, Any]) -> None:
    figures = stored["figures"]
    assert (figures["exact"]["MOTA"], figures["exact"]["HOTA"]) == (1, [1] * 19)
    assert figures["swaps"]["IDSW"] > 5
    assert figures["breaks"]["Frag"] > 2
    assert figures["misses"]["ML"] + figures["misses"]["CLR_FN"] > 50
    assert figures["false alarms"]["CLR_FP"] > 20
    assert (figures["no truth"]["CLR_FN"], figures["no tracks"]["CLR_FP"]) == (0, 0)
    assert figures["nothing"]["CLR_TP"] == figures["nothing"]["CLR_FP"] == figures["nothing"]["CLR_FN"] == 0


def test_a_figure_that_is_off_by_more_than_a_millionth_is_named(stored: dict[str, Any]) -> None:
    ours = {name: dict(figures) for name, figures in our_figures(stored["scenes"]).items()}
    ours["swaps"]["IDF1"] += 2e-6
    ours["swaps"]["MOTA"] += 2e-7
    ours["noise"].pop("HOTA")
    assert [line.split(" is ")[0] for line in differences(ours, stored["figures"])] == [
        "noise: figures differ: ['HOTA']",
        "swaps: IDF1",
    ]


def test_an_oracle_that_cannot_be_run_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--python", "no-such-python", "--fresh", "1"]) == 1
    assert "the oracle cannot be run" in capsys.readouterr().err
