"""Pascal VOC: a folder with an XML document for each frame."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from hybridtrack.export.class_numbers import ClassNumbers
from hybridtrack.export.format import ExportFormat, Recording
from hybridtrack.export.picture_names import picture_names
from hybridtrack.export.xml_text import XmlWriter
from hybridtrack.types import Box, Size
from hybridtrack.wire import FrameLine

_LABEL_COLUMNS: Final = "# label:color_rgb:parts:actions"


def write_voc(recording: Recording, path: Path) -> None:
    """Write ``Annotations`` with a document a frame, the list of all frames under ``ImageSets/Main``, and the classes,
    which are not those of Pascal, in ``labelmap.txt``.
    """
    source = recording.header.source
    numbers = ClassNumbers(recording.header)
    name_of = picture_names(source.uri)
    (path / "Annotations").mkdir(parents=True)
    (path / "ImageSets" / "Main").mkdir(parents=True)
    stems = []
    for line in recording.frames:
        picture = Path(name_of(line.frame_index))
        stems.append(picture.stem)
        for row in line.tracks:
            numbers.of(row.class_name)
        with (path / "Annotations" / f"{picture.stem}.xml").open("w", encoding="utf-8", newline="\n") as file:
            _write_frame(XmlWriter(file), line, picture.name, (source.width_px, source.height_px))
    (path / "ImageSets" / "Main" / "default.txt").write_text("".join(f"{stem}\n" for stem in stems), encoding="utf-8")
    labels = "".join(f"{' '.join(name.split())}:::\n" for _, name in numbers.items())
    (path / "labelmap.txt").write_text(f"{_LABEL_COLUMNS}\n{labels}", encoding="utf-8")


def _write_frame(xml: XmlWriter, line: FrameLine, picture: str, size_px: Size) -> None:
    with xml.element("annotation"):
        xml.leaf("folder", "JPEGImages")
        xml.leaf("filename", picture)
        with xml.element("source"):
            xml.leaf("database", "hybridtrack")
        with xml.element("size"):
            for name, value in zip(("width", "height", "depth"), (*size_px, 3), strict=True):
                xml.leaf(name, value)
        xml.leaf("segmented", 0)
        for row in line.tracks:
            box = voc_box(row.xyxy, size_px)
            if box is None:  # nothing of it is in the picture
                continue
            with xml.element("object"):
                xml.leaf("name", row.class_name)
                xml.leaf("pose", "Unspecified")
                xml.leaf("truncated", int(_is_cut(row.xyxy, size_px)))
                xml.leaf("difficult", 0)
                with xml.element("bndbox"):
                    for name, edge in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True):
                        xml.leaf(name, edge)
                with xml.element("attributes"), xml.element("attribute"):  # as CVAT has them
                    xml.leaf("name", "track_id")
                    xml.leaf("value", row.track_id)


def voc_box(xyxy: Box, size_px: Size) -> tuple[int, int, int, int] | None:
    """Return first and last column and row of pixels, from 1, of a box cut at the edges of the picture.

    None when less than half a pixel is left of it.

    >>> voc_box((0.0, 0.2, 10.0, 20.4), (64, 48))
    (1, 1, 10, 20)
    """
    x1, y1, x2, y2 = (min(max(round(edge), 0), size_px[place % 2]) for place, edge in enumerate(xyxy))
    return (x1 + 1, y1 + 1, x2, y2) if x2 > x1 and y2 > y1 else None


def _is_cut(xyxy: Box, size_px: Size) -> bool:
    x1, y1, x2, y2 = xyxy
    return x1 < 0 or y1 < 0 or x2 > size_px[0] or y2 > size_px[1]


VOC = ExportFormat(
    name="voc",
    suffix=".voc",
    summary="folder with a Pascal VOC document for each frame, in whole pixels",
    holds=frozenset({"boxes", "numbers of tracks", "classes"}),
    write=write_voc,
    is_folder=True,
)
