import numpy as np

from hybridtrack.detectors.anchors import pyramid_anchors, ssd_anchors


def test_reduced_finest_map_has_three_small_anchors_a_cell() -> None:
    anchors = ssd_anchors([(2, 1)], scale_min=0.2, scale_max=0.2, ratios=[1.0], reduce_finest=True)
    root2 = 2**0.5
    expected = [
        [0.25, 0.5, 0.1, 0.1],
        [0.25, 0.5, 0.2 * root2, 0.2 / root2],
        [0.25, 0.5, 0.2 / root2, 0.2 * root2],
        [0.75, 0.5, 0.1, 0.1],
        [0.75, 0.5, 0.2 * root2, 0.2 / root2],
        [0.75, 0.5, 0.2 / root2, 0.2 * root2],
    ]
    np.testing.assert_allclose(anchors, expected, atol=1e-7)
    assert anchors.dtype == np.float32


def test_square_between_two_scales_closes_each_cell() -> None:
    anchors = ssd_anchors([(1, 2), (1, 1)], scale_min=0.25, scale_max=0.64, ratios=[4.0], reduce_finest=False)
    expected = [
        [0.5, 0.25, 0.5, 0.125],
        [0.5, 0.25, 0.4, 0.4],  # sqrt(.25 × .64)
        [0.5, 0.75, 0.5, 0.125],
        [0.5, 0.75, 0.4, 0.4],
        [0.5, 0.5, 1.28, 0.32],
        [0.5, 0.5, 0.8, 0.8],  # sqrt(.64 × 1): behind the last scale comes the whole picture
    ]
    np.testing.assert_allclose(anchors, expected, atol=1e-7)


def test_zoom_makes_anchors_larger_where_they_are() -> None:
    grids = [(3, 2), (2, 1)]
    one = ssd_anchors(grids, scale_min=0.2, scale_max=0.6, ratios=[1.0, 2.0], reduce_finest=True)
    two = ssd_anchors(grids, scale_min=0.2, scale_max=0.6, ratios=[1.0, 2.0], reduce_finest=True, zoom=1.5)
    np.testing.assert_allclose(two, one * [1, 1, 1.5, 1.5], rtol=1e-6)


def test_map_of_a_pyramid_has_its_own_scales_in_each_ratio() -> None:
    anchors = pyramid_anchors([(2, 1), (1, 1)], scales=[(0.1, 0.2), (0.4, 0.8)], ratios=[1.0, 4.0])
    first = [[0.1, 0.1], [0.2, 0.2], [0.2, 0.05], [0.4, 0.1]]
    expected = [
        *([0.25, 0.5, *size] for size in first),
        *([0.75, 0.5, *size] for size in first),
        *([0.5, 0.5, 4 * width, 4 * height] for width, height in first),
    ]
    np.testing.assert_allclose(anchors, expected, atol=1e-7)
    assert anchors.dtype == np.float32


def test_cells_lie_where_pitch_and_start_say() -> None:
    anchors = pyramid_anchors([(3, 2)], scales=[(0.5,)], ratios=[1.0], pitches=[0.4], starts=[0.0])
    assert (
        anchors[:, :2].tolist() == np.float32([[0, 0], [0.4, 0], [0.8, 0], [0, 0.4], [0.4, 0.4], [0.8, 0.4]]).tolist()
    )
