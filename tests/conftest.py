"""What all tests share: the demo clip, the data folder beside the checkout, track files that are held to the schema."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def table_clip() -> Path:
    """The demo clip: 360 frames of 640x360 at 30 frames a second, no hand on the first 23."""
    return ROOT / "examples/data/table.mp4"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real clips; the test is skipped where it is absent."""
    folder = ROOT.parent / "shared/data"
    if not folder.is_dir():
        pytest.skip(f"needs the folder {folder}")
    return folder


@pytest.fixture(scope="session")
def read_valid(root: Path) -> Callable[[Path], list[dict[str, Any]]]:
    """Read the lines of a track file, each of which was held to the schema."""
    schema = json.loads((root / "docs/tracks.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)

    def read(path: Path) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for line in lines:
            validator.validate(line)
        assert [line["type"] for line in lines] in (
            ["header", *["frame"] * (len(lines) - 2), "summary"],
            ["header", *["frame"] * (len(lines) - 1)],
        )
        return lines

    return read


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Return a function that installs a plugin of a given name whose module has the given code."""
    monkeypatch.syspath_prepend(str(tmp_path))
    modules = set(sys.modules)

    def install(name: str, code: str) -> None:
        (tmp_path / f"plugin_{name}.py").write_text(code)
        info = tmp_path / f"dist_{name}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dist-{name}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[hybridtrack]\n{name} = plugin_{name}\n")

    yield install
    for module in set(sys.modules) - modules:
        if module.startswith("plugin_"):
            del sys.modules[module]
