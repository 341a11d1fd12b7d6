"""Who may import whom in data_tools: nobody the network, and TensorFlow only what writes records."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[2] / "data_tools").rglob("*.py"))


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield str(node.module)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_data_tools_never_import_models_plugins_or_tests(path: Path) -> None:
    asked = {name.split(".")[0] for name in imports(ast.parse(path.read_text()))}
    assert not asked & {"models", "plugins", "tests", "examples"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_the_writer_of_records_imports_tensorflow(path: Path) -> None:
    asked = {name.split(".")[0] for name in imports(ast.parse(path.read_text()))}
    assert not asked & {"tensorflow", "keras"} or path.stem == "tfrecords"
    assert "data_tools.tfrecords" not in set(imports(ast.parse(path.read_text())))
