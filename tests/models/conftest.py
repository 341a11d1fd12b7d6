from __future__ import annotations

from pathlib import Path

import pytest

from hybridtrack.detectors.bundle import Bundle, default_bundle
from tests.models.tiny import tiny_content


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """The hand detector that ships."""
    return default_bundle()


@pytest.fixture(scope="session")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 6 training pictures and 2 to validate on."""
    from models import drawn

    folder = tmp_path_factory.mktemp("records")
    assert drawn.write(folder, 8, (96, 72), 0) == {"train": 6, "validation": 2}
    return folder


@pytest.fixture(scope="session")
def tiny_run(records: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny training, not interrupted."""
    from models.run_folder import RunFolder
    from models.settings import parse_settings
    from models.training import train

    folder = tmp_path_factory.mktemp("runs") / "whole"
    train(parse_settings(tiny_content(records), where="here"), RunFolder(folder))
    return folder
