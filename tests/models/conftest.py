from __future__ import annotations

import pytest

from hybridtrack.detectors.bundle import Bundle, default_bundle


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """The hand detector that ships."""
    return default_bundle()
