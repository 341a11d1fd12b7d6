from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hybridtrack.detectors.bundle import Bundle, default_bundle


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """The hand detector that ships."""
    return default_bundle()


@pytest.fixture
def folder(tmp_path: Path, bundle: Bundle) -> Path:
    """A copy of the shipped bundle to spoil, without the half-precision file."""
    copy = tmp_path / "bundle"
    shutil.copytree(bundle.folder, copy, ignore=shutil.ignore_patterns("*fp16*"))
    return copy
