"""The bytes of a picture as records store them: JPEG or PNG, upright, of the size that its annotations mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import cv2
import numpy as np

from data_tools.annotation import Picture
from hybridtrack.types import Array, Size

Format: TypeAlias = Literal["jpeg", "png"]

_MAGIC: tuple[tuple[bytes, Format], ...] = ((b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"))


class UnusablePictureError(Exception):
    """A picture that is left out: what kind of problem it is, and what was found."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPicture:
    """An encoded picture."""

    encoded: bytes
    format: Format


def read_stored(picture: Picture, decoded_size: Callable[[bytes, Format], Size | None]) -> StoredPicture:
    """Return the bytes of a picture. Raises UnusablePictureError when it is missing, broken or of another size.

    ``decoded_size`` decodes in full, as the reader of the records will, and knows nothing of the way a camera was held
    (EXIF): where the annotations mean the picture upright, it is stored upright, and so are other formats, as PNG.
    """
    try:
        content = picture.path.read_bytes()
    except OSError as error:
        raise UnusablePictureError("picture that is missing", str(error.strerror)) from error
    format = next((name for magic, name in _MAGIC if content.startswith(magic)), None)
    if format is not None:
        size_px = decoded_size(content, format)
        if size_px is None:
            raise UnusablePictureError("picture that cannot be decoded", f"broken {format.upper()}")
        if size_px == picture.size_px:
            return StoredPicture(encoded=content, format=format)
    bgr = _upright(content)
    if bgr is None:
        raise UnusablePictureError("picture that cannot be decoded", f"{len(content)} bytes")
    height_px, width_px = bgr.shape[:2]
    if (width_px, height_px) != picture.size_px:
        found, meant = f"{width_px}x{height_px}", f"{picture.size_px[0]}x{picture.size_px[1]}"
        raise UnusablePictureError("picture of another size", f"{found}, its annotations are for {meant}")
    return StoredPicture(encoded=cv2.imencode(".png", bgr)[1].tobytes(), format="png")


def _upright(content: bytes) -> Array | None:
    if not content:
        return None
    try:
        bgr: Array | None = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return bgr
