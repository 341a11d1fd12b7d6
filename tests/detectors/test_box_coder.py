import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hybridtrack.boxes import cxcywh_to_xyxy
from hybridtrack.detectors.box_coder import decode, encode

SCALES = (10.0, 10.0, 5.0, 5.0)


def test_encoding_of_zero_is_the_anchor() -> None:
    anchors = np.array([[0.5, 0.25, 0.2, 0.1]], np.float32)
    np.testing.assert_allclose(decode(np.zeros((1, 4), np.float32), anchors, SCALES), [[0.4, 0.2, 0.6, 0.3]], atol=1e-7)


def test_encoding_counts_y_x_height_width_in_tenths_and_fifths_of_the_anchor() -> None:
    anchors = np.array([[0.5, 0.25, 0.2, 0.1]])
    encodings = np.array([[10.0, -5.0, 5 * np.log(2), 5 * np.log(3)]])
    # centre x .5 - .5 × .2, centre y .25 + 1 × .1, height .1 × 2, width .2 × 3
    np.testing.assert_allclose(decode(encodings, anchors, SCALES), [[0.1, 0.25, 0.7, 0.45]], atol=1e-12)


def test_no_rows_decode_to_no_boxes() -> None:
    none = np.empty((0, 4), np.float32)
    assert decode(none, none, SCALES).shape == (0, 4)


boxes_cxcywh = st.tuples(st.floats(-1, 2), st.floats(-1, 2), st.floats(0.01, 2), st.floats(0.01, 2))


@given(box=boxes_cxcywh, anchor=boxes_cxcywh)
def test_decode_inverts_encode(box: tuple[float, ...], anchor: tuple[float, ...]) -> None:
    xyxy, anchors = cxcywh_to_xyxy(np.array([box])), np.array([anchor])
    np.testing.assert_allclose(decode(encode(xyxy, anchors, SCALES), anchors, SCALES), xyxy, atol=1e-9)
