from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from hybridtrack.detectors.bundle import Bundle, load_bundle
from hybridtrack.detectors.runtime import FLOAT32, Quantisation, input_filler, input_table, open_network
from hybridtrack.errors import BundleError, MissingPackageError, UsageError

INT8 = np.dtype(np.int8)


def test_picture_of_the_full_range_becomes_int8_by_taking_128_off() -> None:
    for zero_point in (-1, 0):  # -1..1 lies half a step from either
        table = input_table((-1.0, 1.0), Quantisation(INT8, 2 / 255, zero_point))
        assert table.tolist() == list(range(-128, 128))


def test_input_table_saturates_where_the_network_has_no_number_left() -> None:
    table = input_table((-1.0, 1.0), Quantisation(INT8, 1 / 255, 0))
    assert (table[0], table[127], table[128], table[255]) == (-128, -1, 1, 127)


def test_float_input_table_spans_the_range_of_the_bundle() -> None:
    table = input_table((0.0, 1.0), FLOAT32)
    np.testing.assert_allclose(table[[0, 51, 255]], [0, 0.2, 1])


@pytest.mark.parametrize(
    "table",
    [
        np.arange(-128, 128).astype(np.int8),
        np.clip(np.arange(256) * 2 - 256, -128, 127).astype(np.int8),
        np.linspace(-1, 1, 256, dtype=np.float32),
    ],
    ids=["shift", "look-up", "float"],
)
def test_input_is_filled_by_the_table(table: np.ndarray) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (7, 5, 3), np.uint8)
    out = np.zeros((7, 5, 3), table.dtype)
    input_filler(table)(rgb, out)
    np.testing.assert_array_equal(out, table[rgb])


def test_least_stored_number_is_the_first_that_reaches_the_real_one() -> None:
    quantisation = Quantisation(INT8, 0.125, 3)
    least = quantisation.least_stored(-2.9)
    assert least == -20  # (-20 - 3) / 8 = -2.875, (-21 - 3) / 8 = -3
    assert quantisation.real(np.array([least], np.int8)) >= -2.9 > quantisation.real(np.array([least - 1], np.int8))
    assert FLOAT32.least_stored(-2.9) == -2.9


def test_unknown_runtime_and_no_thread_are_refused(bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="unknown runtime 'onnx'; choose from litert, tensorflow"):
        open_network(bundle, runtime="onnx")
    with pytest.raises(UsageError, match="threads is 0"):
        open_network(bundle, threads=0)


def test_absent_runtime_says_what_to_install(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(MissingPackageError, match="'litert' needs the package ai-edge-litert"):
        open_network(bundle, runtime="litert")
    with pytest.raises(MissingPackageError, match="'tensorflow' needs the package tensorflow"):
        open_network(bundle)


def test_file_that_is_no_network_is_refused_in_one_line(folder: Path) -> None:
    manifest = folder / "bundle.toml"
    manifest.write_text(manifest.read_text().replace('int8 = "model_int8.tflite"', 'int8 = "LICENSE.tflite"'))
    (folder / "LICENSE").rename(folder / "LICENSE.tflite")
    manifest.write_text(manifest.read_text().replace('"LICENSE" =', '"LICENSE.tflite" ='))
    with pytest.raises(BundleError, match=r"cannot load 'LICENSE\.tflite'") as refusal:
        open_network(load_bundle(folder))
    assert "\n" not in str(refusal.value)


def test_network_of_another_size_than_the_manifest_says_is_refused(folder: Path) -> None:
    manifest = folder / "bundle.toml"
    manifest.write_text(manifest.read_text().replace("height_px = 300", "height_px = 320"))
    with pytest.raises(BundleError, match=r"input has shape \(1, 300, 300, 3\), bundle\.toml says \(1, 320, 300, 3\)"):
        open_network(load_bundle(folder))


def test_loading_prints_nothing(bundle: Bundle, capfd: pytest.CaptureFixture[str]) -> None:
    network = open_network(bundle)
    network.run(np.zeros((300, 300, 3), np.uint8))
    assert capfd.readouterr() == ("", "")
