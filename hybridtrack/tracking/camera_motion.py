"""How the camera moves over the table: direct alignment of every frame with a key frame, so that nothing adds up.

Baker & Matthews, "Lucas-Kanade 20 years on" (2004), for the inverse compositional step: gradients are those of the key
frame and are taken once. Single pixels with a gradient take part, not corners: wood grain and the rims of a mat have
edges alone, and together these tell a homography. Weights are Tukey's, and whole neighbourhoods are set aside where
most pixels disagree, since an arm over the table agrees with it here and there by chance.
"""

from __future__ import annotations

import cv2
import numpy as np

from hybridtrack.tracking.flow import flow_size
from hybridtrack.types import Array, Frame

_CELL_PX = 16  #: side of the squares that pixels are chosen from, so that they spread over the picture
_PIXELS_PER_CELL = 6
_MIN_GRADIENT = 2.0  #: grey levels a pixel below which noise tells the gradient
_MIN_PIXELS = 100  #: of a key frame; with fewer there is too little texture to tell a motion
_BLUR_PX = 1.0
_RIM_PX = 2  #: around boxes and inside the picture's border that takes no part
_NOISE_LEVELS = 1.5  #: spread of a pixel's value ...
_PLACE_PX = 0.12  #: ... and of where it is: compression moves edges about
_CUT = 3.5  #: spreads beyond which a pixel says nothing
_TRUST = (0.5, 0.9)  #: share of a neighbourhood's pixels that agree: trusted not at all, and fully
_DAMPING = np.array([1e-3] * 6 + [1e-2] * 2 + [1e-6] * 2)  #: of a step, as shares of the mean diagonal
_MIN_GAIN = 0.15  #: share of the disagreement that a motion must explain: less is noise, and nothing has moved
_NEAR_SHARE, _FAR_SHARE = 0.8, 0.5  #: of agreeing pixels: above, the last place is near; below, nowhere near
_CUTS_NEAR: tuple[float, ...] = (1.0, 1.0)  #: times ``_CUT``, step by step
_CUTS: tuple[float, ...] = (3.0, 3.0, 2.0, 1.0, 1.0)
_CUTS_FAR: tuple[float, ...] = (3.0, 3.0, 3.0, 2.0, 2.0, 1.0, 1.0)
_NO_STEP = 3e-4  #: halves of the picture's width; a smaller step was the last
_COARSE = 2  #: times smaller the picture in which a far way is looked for
_MIN_INSIDE_SHARE = 0.5  #: of a key frame's pixels that must be in the picture; with fewer a new one is taken
_BACK_SHARE = 0.7  #: ... of the first key frame's that make it worth trying again
_LOST_FRAMES = 30  #: that in a row lie nowhere near the key frame until a new one is taken


class _KeyFrame:
    """Pixels of a picture with all that a step of the alignment needs of them."""

    def __init__(self, picture: Array, blocked: Array, camera: Array) -> None:
        self.camera = camera  #: at this picture
        height, width = picture.shape
        rows, columns = max(1, height // _CELL_PX), max(1, width // _CELL_PX)
        dx = cv2.Sobel(picture, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
        dy = cv2.Sobel(picture, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
        steep = np.where(blocked == 0, np.hypot(dx, dy), 0.0)
        y, x = _steepest(steep, rows, columns)
        self.count = len(x)
        self.neighbourhood = (rows, columns)
        self.cell = np.minimum(y // _CELL_PX, rows - 1) * columns + np.minimum(x // _CELL_PX, columns - 1)
        self.place = np.stack([x, y, np.ones(self.count)]).astype(np.float32)
        self.value = picture[y, x].astype(np.float32)
        self.precision = (1 / np.hypot(_NOISE_LEVELS, _PLACE_PX * steep[y, x])).astype(np.float32)
        self.light = np.stack([np.full(self.count, 10.0), (self.value - 128) / 5]).astype(np.float32)
        self.trust = np.ones(self.count, np.float32)
        # lengths are halves of the width, so that the eight parameters are of one size
        half = width / 2
        self.to_unit = np.array([[1 / half, 0, -1], [0, 1 / half, -height / 2 / half], [0, 0, 1]])
        self.from_unit = np.linalg.inv(self.to_unit)
        dx, dy = dx[y, x] * half, dy[y, x] * half
        x, y = x / half - 1, (y - height / 2) / half
        away = dx * x + dy * y
        shape = np.stack([dx * x, dx * y, dx, dy * x, dy * y, dy, -x * away, -y * away])
        self.jacobian = (np.concatenate([shape, self.light]) * self.precision).astype(np.float32)

    def seen_at(self, motion: Array, shape: tuple[int, ...]) -> tuple[Array, Array, Array]:
        """Return x and y of the pixels after ``motion``, float32 (K,), and which lie in a picture of ``shape``."""
        x, y, z = motion.astype(np.float32) @ self.place
        x, y = x / z, y / z
        inside = (x >= _RIM_PX) & (y >= _RIM_PX) & (x < shape[1] - _RIM_PX) & (y < shape[0] - _RIM_PX)
        return x, y, inside & (z > 0)

    def moved(self, motion: Array, step: Array) -> Array:
        """Return ``motion`` after a step of the eight parameters."""
        a, b, c, d, e, f, g, h = step
        warp = np.array([[1 + a, b, c], [d, 1 + e, f], [g, h, 1]])
        return _normalised(motion @ self.from_unit @ np.linalg.inv(warp) @ self.to_unit)

    def settle(self, fit: _Fit, *, is_lost: bool) -> None:
        """Trust the neighbourhoods in which most of the pixels that are seen agree; all, when the picture is lost."""
        count = self.neighbourhood[0] * self.neighbourhood[1]
        agreed, seen = (np.bincount(self.cell, which, count) for which in (fit.agrees & fit.seen, fit.seen))
        sums: Array = np.stack([agreed, seen], axis=1).astype(np.float64).reshape(*self.neighbourhood, 2)
        sums = cv2.boxFilter(sums, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        share = np.where(sums[..., 1] > 0, sums[..., 0] / np.maximum(sums[..., 1], 1), 1.0)
        share[:] = 1.0 if is_lost else (share - _TRUST[0]) / (_TRUST[1] - _TRUST[0])
        self.trust = np.clip(share, 0, 1).ravel()[self.cell].astype(np.float32)


class _Fit:
    """A motion from the key frame to a picture, and how its pixels disagree with it."""

    def __init__(self, key: _KeyFrame, motion: Array, light: Array, picture: Array, blocked: Array) -> None:
        self.motion, self.light = motion, light
        x, y, self.inside = key.seen_at(motion, picture.shape)
        value = cv2.remap(picture, x[None], y[None], cv2.INTER_LINEAR)[0]
        hidden = cv2.remap(blocked, x[None], y[None], cv2.INTER_NEAREST)[0]
        self.residual = (value - key.value - light.astype(np.float32) @ key.light) * key.precision
        self.seen = self.inside & (hidden == 0)

    @property
    def agrees(self) -> Array:
        """Which pixels are where the motion says, bool (K,)."""
        agrees: Array = np.abs(self.residual) < _CUT
        return agrees

    def relight(self, key: _KeyFrame, light: Array) -> None:
        """See the same picture in another light."""
        self.residual -= (light - self.light).astype(np.float32) @ key.light * key.precision
        self.light = light

    def disagreement(self, key: _KeyFrame, seen: Array) -> float:
        """Return the sum of Tukey's losses, each 0 to 1, over the pixels ``seen``."""
        near = 1 - np.minimum((self.residual / _CUT) ** 2, 1)
        return float(((1 - near**3) * key.trust)[seen].sum())

    def agreeing_share(self, key: _KeyFrame) -> float:
        """Return the share of what is seen and trusted that agrees."""
        weight = key.trust * self.seen
        return float(weight[self.agrees].sum() / max(float(weight.sum()), 1e-9))


class CameraMotion:
    """Measures the homography that maps pixels of the first frame to those of the present one.

    It is that of the plane in which most of the picture's texture lies: the table, when the camera looks down on one.
    What the boxes of tracks cover takes no part. It stays as it was, at first the identity, where a motion would not
    explain what has changed, and where there is too little texture: fewer than a hundred pixels with a gradient.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin a new source."""
        self._camera = np.eye(3)  # of flow pixels, whose centres are whole numbers
        self._light = np.zeros(2)
        self._keys: list[_KeyFrame] = []  # the first and, far from it, a later one
        self._before: Array | None = None
        self._shape: tuple[int, ...] = ()
        self._lost = 0
        self._inside = 1.0  # share of the key frame's pixels

    def step(self, frame: Frame, xyxy: Array) -> Array:
        """Return the homography, float64 (3, 3), px; ``xyxy`` (N, 4) are the boxes of what may move by itself."""
        size = flow_size(frame.detail_px)
        scale = np.array(size) / np.array(frame.size_px)
        picture = cv2.GaussianBlur(frame.gray(size), (5, 5), _BLUR_PX)
        blocked = _blocked(xyxy * np.tile(scale, 2), picture.shape)
        if picture.shape != self._shape:
            self._keys, self._before, self._shape = [], None, picture.shape
        self._measure(picture, blocked)
        to_flow = np.array([[scale[0], 0, -0.5], [0, scale[1], -0.5], [0, 0, 1]])
        return _normalised(np.linalg.inv(to_flow) @ self._camera @ to_flow)

    def _measure(self, picture: Array, blocked: Array) -> None:
        before, self._before = self._before, picture
        may_be_back = len(self._keys) > 1 and self._inside_share(self._keys[0]) > _BACK_SHARE
        if may_be_back and self._align(self._keys[0], picture, blocked, before) > _FAR_SHARE:
            del self._keys[1:]
            return
        if self._keys:
            share = self._align(self._keys[-1], picture, blocked, before)
            self._lost = self._lost + 1 if share < _FAR_SHARE else 0
        if not self._keys or self._lost > _LOST_FRAMES or self._inside < _MIN_INSIDE_SHARE:
            key = _KeyFrame(picture, blocked, self._camera)
            if key.count >= _MIN_PIXELS:
                self._keys = [] if self._lost > _LOST_FRAMES else self._keys[:1]
                self._keys.append(key)
                self._light, self._lost = np.zeros(2), 0

    def _inside_share(self, key: _KeyFrame) -> float:
        """Return the share of a key frame's pixels that should be in the picture."""
        inside = key.seen_at(self._camera @ np.linalg.inv(key.camera), self._shape)[2]
        return float(inside.mean())

    def _align(self, key: _KeyFrame, picture: Array, blocked: Array, before: Array | None) -> float:
        """Align ``picture`` with the key frame where that explains it better; return the share that agrees then."""
        here = _Fit(key, self._camera @ np.linalg.inv(key.camera), self._light, picture, blocked)
        self._inside = float(here.inside.mean())
        if here.seen.sum() < _MIN_PIXELS:
            return 1.0  # nothing speaks for or against it
        share = here.agreeing_share(key)
        fit, cuts = here, _CUTS_NEAR if share > _NEAR_SHARE else _CUTS
        if share < _FAR_SHARE:
            cuts = _CUTS_FAR
            shifted = _Fit(key, _way(before, picture) @ here.motion, self._light, picture, blocked)
            if shifted.agreeing_share(key) > share:
                fit = shifted
        for cut in cuts:
            step = _solved(key, fit, cut * _CUT)
            fit = _Fit(key, key.moved(fit.motion, step[:8]), fit.light + step[8:], picture, blocked)
            if np.abs(step[:8]).max() < _NO_STEP:
                break
        here.relight(key, fit.light)
        both = fit.seen & here.seen
        if fit.disagreement(key, both) < (1 - _MIN_GAIN) * here.disagreement(key, both):
            self._camera = fit.motion @ key.camera
        else:
            fit = here
        self._light, self._inside = fit.light, float(fit.inside.mean())
        share = fit.agreeing_share(key)
        key.settle(fit, is_lost=share < _FAR_SHARE)
        return share


def _steepest(steep: Array, rows: int, columns: int) -> tuple[Array, Array]:
    """Return rows and columns, int (K,), of the steepest pixels of each cell."""
    height, width = rows * _CELL_PX, columns * _CELL_PX
    padded = np.zeros((height, width), steep.dtype)  # a picture smaller than a cell is one
    part = steep[:height, :width]
    padded[: part.shape[0], : part.shape[1]] = part
    cells = padded.reshape(rows, _CELL_PX, columns, _CELL_PX).swapaxes(1, 2).reshape(rows * columns, -1)
    order = np.argsort(-cells, axis=1, kind="stable")[:, :_PIXELS_PER_CELL]
    cell = np.arange(rows * columns)[:, None]
    y, x = cell // columns * _CELL_PX + order // _CELL_PX, cell % columns * _CELL_PX + order % _CELL_PX
    is_steep = np.take_along_axis(cells, order, axis=1) > _MIN_GRADIENT
    return y[is_steep], x[is_steep]


def _blocked(xyxy: Array, shape: tuple[int, ...]) -> Array:
    """Return uint8 (H, W), 1 where boxes (N, 4) or the border are."""
    blocked = np.ones(shape, np.uint8)
    blocked[_RIM_PX:-_RIM_PX, _RIM_PX:-_RIM_PX] = 0
    edges = np.clip(np.rint(xyxy), -_RIM_PX, max(shape) + _RIM_PX)
    for x1, y1, x2, y2 in edges.astype(int).tolist():
        blocked[max(0, y1 - _RIM_PX) : max(0, y2 + _RIM_PX), max(0, x1 - _RIM_PX) : max(0, x2 + _RIM_PX)] = 1
    return blocked


def _way(before: Array | None, picture: Array) -> Array:
    """Return the shift, as a homography, that most of the picture has made since the frame before."""
    way = np.eye(3)
    if before is not None:
        size = max(1, picture.shape[1] // _COARSE), max(1, picture.shape[0] // _COARSE)
        small = [cv2.resize(one, size, interpolation=cv2.INTER_AREA).astype(np.float32) for one in (before, picture)]
        shift, _ = cv2.phaseCorrelate(small[0], small[1], cv2.createHanningWindow(size, cv2.CV_32F))
        way[:2, 2] = np.array(shift) * _COARSE
    return way


def _solved(key: _KeyFrame, fit: _Fit, cut: float) -> Array:
    """Return the step (10,) that weighted least squares give: eight parameters of the motion, two of the light."""
    near = 1 - np.minimum((fit.residual / cut) ** 2, 1)
    weighted = key.jacobian * (near**2 * fit.seen * key.trust)
    normal = (weighted @ key.jacobian.T).astype(np.float64)
    normal[np.diag_indices(10)] += _DAMPING * normal[:8, :8].trace() / 8 + 1e-6
    step: Array = np.linalg.solve(normal, (weighted @ fit.residual).astype(np.float64))
    return step


def _normalised(homography: Array) -> Array:
    """Return the homography whose last element is 1."""
    scaled: Array = homography / homography[2, 2]
    return scaled
