"""All formats, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hybridtrack.errors import UsageError, unknown_name
from hybridtrack.export.coco import COCO, COCO_IMPORT, COCO_VID
from hybridtrack.export.comma_separated import CSV
from hybridtrack.export.cvat import CVAT, CVAT_IMPORT
from hybridtrack.export.format import ExportFormat, ImportFormat
from hybridtrack.export.interactions import ELAN, VTT
from hybridtrack.export.mot import MOT, MOT_FOLDER, MOT_IMPORT
from hybridtrack.export.parquet import PARQUET
from hybridtrack.export.rerun import RERUN
from hybridtrack.export.voc import VOC

EXPORTS: Final[Mapping[str, ExportFormat]] = {
    one.name: one for one in (MOT, MOT_FOLDER, COCO, COCO_VID, CVAT, VOC, CSV, PARQUET, VTT, ELAN, RERUN)
}
IMPORTS: Final[Mapping[str, ImportFormat]] = {one.name: one for one in (MOT_IMPORT, COCO_IMPORT, CVAT_IMPORT)}


def export_format(name: str) -> ExportFormat:
    """Return the format that ``name`` writes. Raises UsageError."""
    if name not in EXPORTS:
        raise UsageError(unknown_name("format to export", name, EXPORTS))
    return EXPORTS[name]


def import_format(name: str) -> ImportFormat:
    """Return the format that ``name`` reads. Raises UsageError."""
    if name not in IMPORTS:
        raise UsageError(unknown_name("format to import", name, IMPORTS))
    return IMPORTS[name]
