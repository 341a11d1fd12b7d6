from __future__ import annotations

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest

from hybridtrack.errors import BundleError, ConfigError
from hybridtrack.types import Array

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # of Keras, with numpy 2
]
keras = pytest.importorskip("keras")

from models import network  # noqa: E402
from models.anchors import fitted, mean_best_overlap, pyramid_anchors, ssdlite_anchors  # noqa: E402
from models.fpnlite import build_fpnlite  # noqa: E402
from models.mobilenet_v2 import filters_at  # noqa: E402
from models.settings import Settings, parse_settings, read_settings, settings_text  # noqa: E402
from models.ssdlite import build_ssdlite  # noqa: E402


def settings(**tables: dict[str, object]) -> Settings:
    content = {
        "bundle": {"name": "a", "summary": "b"},
        "labels": [{"name": "cup", "role": "object"}, {"name": "hand", "role": "hand"}],
        "data": {"train": ["x"]},
        "training": {"steps": 1},
    }
    return parse_settings({**content, **tables}, where="here")


SIZES = np.array([[0.1, 0.2], [0.3, 0.3]])


@pytest.mark.parametrize("size_px", [192, 224, 300, 320])
@pytest.mark.parametrize("head", ["ssdlite", "fpnlite"])
def test_network_has_a_prediction_for_each_anchor(head: str, size_px: int) -> None:
    trained = network.build(settings(network={"head": head, "size_px": size_px, "width": 0.25}), SIZES)
    assert trained.manifest.anchors is not None
    count = len(trained.manifest.anchors.boxes())
    shapes = {name: x.shape for name, x in trained.network.output.items()}
    assert shapes == {"encodings": (None, count, 4), "logits": (None, count, 3)}


@pytest.mark.parametrize("head", ["ssdlite", "fpnlite"])
def test_anchor_lies_where_the_network_looks(head: str) -> None:
    """What a prediction sees of the picture is centred about its anchor."""
    import tensorflow as tf

    trained = network.build(settings(network={"head": head, "size_px": 320, "width": 0.25}), SIZES)
    anchors = trained.manifest.anchors.boxes()
    rng = np.random.default_rng(0)
    picture = tf.constant(rng.normal(size=(1, 320, 320, 3)).astype(np.float32))
    cell = int(np.flatnonzero((np.abs(anchors[:, :2] - [0.6, 0.3]) < 0.03).all(axis=1))[0])
    with tf.GradientTape() as tape:
        tape.watch(picture)
        said = trained.network(picture, training=False)["encodings"][0, cell, 0]
    seen = np.abs(tape.gradient(said, picture).numpy()[0]).sum(axis=2)
    rows, columns = np.indices(seen.shape)
    centre = np.array([(seen * columns).sum(), (seen * rows).sum()]) / seen.sum() / 320
    assert np.abs(centre - anchors[cell, :2]).max() < 0.08


def test_width_multiplies_filters_in_steps_of_eight() -> None:
    assert [filters_at(n, 0.5) for n in (32, 16, 24, 96, 4)] == [16, 8, 16, 48, 8]
    assert filters_at(1280, 1.0) == 1280
    half, whole = build_ssdlite(1, 192, 0.5).count_params(), build_ssdlite(1, 192).count_params()
    assert 0.2 < half / whole < 0.4


def test_maps_of_the_pyramid_share_their_predictor() -> None:
    built = build_fpnlite(2, 320, 0.25)
    assert sum(layer.name == "classes" for layer in built.layers) == 1
    assert built.output["logits"].shape[1] == 6 * (40**2 + 20**2 + 10**2 + 5**2 + 3**2)


def test_class_heads_begin_rare_and_the_rest_is_taken_over_when_classes_differ() -> None:
    old = network.build(settings(network={"width": 0.1}), SIZES).network
    new = build_ssdlite(3, 300, 0.1)
    fresh = network.copy_weights(old, new)
    assert fresh == [f"classes_{number}" for number in range(6)]
    np.testing.assert_array_equal(new.get_layer("boxes_2").kernel, old.get_layer("boxes_2").kernel)
    score = 1 / (1 + np.exp(-np.asarray(old.get_layer("classes_0").bias)))
    np.testing.assert_allclose(score, 0.01, rtol=1e-5)


def test_weights_of_another_backbone_are_refused() -> None:
    with pytest.raises(BundleError, match="those of another backbone"):
        network.copy_weights(build_ssdlite(1, 192, 0.25), build_ssdlite(1, 192, 0.5))


def test_statistics_are_restored_without_changing_what_is_computed() -> None:
    built = build_ssdlite(1, 192, 0.25)
    rng = np.random.default_rng(0)
    for layer in built.layers:  # as imported weights are: mean 0, variance 1
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([rng.uniform(0.5, 2, gamma.shape), rng.normal(size=beta.shape), mean, variance])
    rgb = rng.uniform(-1, 1, (8, 192, 192, 3)).astype(np.float32)

    def out(training: bool) -> Array:
        return np.asarray(built(rgb, training=training)["encodings"])

    before = out(False)
    wrong = np.abs(out(True) - before).mean()
    for layer in built.layers:  # the step above has moved the statistics a little: back
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([gamma, beta, np.zeros_like(mean), np.ones_like(variance)])
    before = out(False)
    network.restore_statistics(built, rgb)
    scale = np.abs(before).mean()
    np.testing.assert_allclose(out(False), before, atol=2e-3 * scale)
    assert np.abs(out(True) - before).mean() < 0.02 * scale < wrong


@pytest.mark.parametrize("usual", [ssdlite_anchors(300), pyramid_anchors(320)], ids=["ssdlite", "pyramid"])
def test_fitted_anchors_overlap_the_boxes_of_the_data_more(usual: object) -> None:
    rng = np.random.default_rng(0)
    long = np.column_stack([rng.uniform(0.05, 0.12, 200), rng.uniform(0.4, 0.6, 200)])
    anchors = fitted(usual, long)
    assert anchors.grids == usual.grids
    assert len(anchors.boxes()) == len(usual.boxes())
    assert mean_best_overlap(anchors, long) > mean_best_overlap(usual, long) + 0.1


def test_anchors_stay_where_others_would_be_no_better() -> None:
    usual = ssdlite_anchors(300)
    shapes = usual.boxes()[:, 2:]
    assert fitted(usual, shapes[(shapes < 1).all(axis=1)]) == usual


def test_overlap_of_a_box_with_its_best_anchor_is_as_worked_out_by_hand() -> None:
    anchors = pyramid_anchors(320, (0.2, 0.2), (1.0, 4.0, 0.25))  # .2 × .2, .4 × .1, .1 × .4
    assert mean_best_overlap(anchors, np.array([[0.2, 0.1], [0.4, 0.1]])) == pytest.approx((0.5 + 1) / 2, abs=1e-6)


def test_ratios_of_another_number_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"anchors\.ratios has 2 ratios; ssdlite needs 5"):
        network.choose_anchors(settings(anchors={"ratios": [1.0, 2.0]}), SIZES)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"netwrok": {}}, "unknown table 'netwrok'.*did you mean 'network'"),
        ({"network": {"szie_px": 300}}, "unknown key 'szie_px'.*did you mean 'size_px'"),
        ({"network": {"size_px": 301}}, r"network\.size_px|Invalid enum value 301"),
        ({"training": {"steps": 0}}, r"training\.steps"),
        ({"labels": [{"name": "a", "role": "hand"}] * 2}, "two labels have one name"),
        ({"data": {"train": ["x"], "flip_pairs": [["hand", "left"]]}}, "unknown label 'left'"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as refusal:
        settings(**change)
    assert "\n" not in str(refusal.value)


def test_settings_are_read_as_they_are_written(tmp_path: Path) -> None:
    wanted = settings(data={"train": ["a", 'b "c"'], "flip_pairs": [["cup", "hand"]]}, anchors={"scale_min": 0.1})
    (tmp_path / "a.toml").write_text(settings_text(wanted))
    assert read_settings(tmp_path / "a.toml") == wanted


def test_settings_that_ship_are_right_and_explain_every_key(root: Path) -> None:
    text = (root / "models/configs/hands.toml").read_text()
    shown = read_settings(root / "models/configs/hands.toml")
    assert read_settings(root / "models/configs/drawn.toml").network.size_px == 192
    for table, values in msgspec.to_builtins(shown).items():
        for key in values[0] if table == "labels" else values:
            assert re.search(rf"\b{key}\b", text), f"{table}.{key}"
