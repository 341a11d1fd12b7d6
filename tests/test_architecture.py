"""Who may import whom. The order is that of the design; a module imports only what stands left of it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "hybridtrack"

ORDER = (
    *("errors", "types", "boxes", "ground", "cadence", "config", "interruption", "page", "speed_up"),
    *("hookspecs", "association", "budget", "drift", "habituation", "attention", "scheduler"),
    *("wire", "track_file", "mot_file", "coco_file"),
    *("sources", "detectors", "tracking", "relations", "metrics", "sinks"),
    *("builtin", "plugin_host"),
    *(
        "detector_runner",
        "past",
        "late_results",
        "relation_runner",
        "tracker_guard",
        "timed_tracker",
        "selection",
        "identity",
        "laps",
        "frame_job",
        "held_frames",
        "scene_runner",
    ),
    *("engine", "run", "ledger"),
    *("evaluate", "bench", "sweep", "view", "report", "export", "testing", "doctor"),
    *("cli", "__main__"),
)
HEAVY = ("av", "cv2", "filterpy", "numpy", "scipy", "tensorflow", "ai_edge_litert")
OUTSIDE = ("data_tools", "models", "plugins", "tests", "examples", "website")

FILES = sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    """Return the dotted name of a file of the package, without the package's own."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names that the import statements under ``tree`` ask for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_on_loading(tree: ast.Module) -> Iterator[str]:
    """Yield what is imported when the module is: everything outside functions and outside TYPE_CHECKING."""

    def strip(node: ast.AST) -> bool:
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        return is_function or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")

    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imports(node)
        todo += [child for child in ast.iter_child_nodes(node) if not strip(child)]


def test_every_module_has_its_place_in_the_order() -> None:
    places = {module_name(path).split(".")[0] for path in FILES} - {"", "bundles"}
    assert places <= set(ORDER)


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_module_imports_only_what_stands_left_of_it(path: Path) -> None:
    own = module_name(path).split(".")[0]
    left = ORDER[: ORDER.index(own)] if own in ORDER else ()
    asked = {name.split(".")[1] for name in imports(ast.parse(path.read_text())) if name.startswith("hybridtrack.")}
    assert asked & set(ORDER) <= {*left, own}


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_package_never_imports_what_lies_beside_it(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(ast.parse(path.read_text()))} & set(OUTSIDE)


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_tensorflow_is_imported_inside_functions_alone(path: Path) -> None:
    loaded = {name.split(".")[0] for name in imports_on_loading(ast.parse(path.read_text()))}
    assert not loaded & {"tensorflow", "keras"}


@pytest.mark.parametrize("module", ["metrics.hota", "metrics.clear", "metrics.jitter", "evaluate"])
def test_figures_are_computed_by_numpy_and_scipy_alone(module: str) -> None:
    code = f"import sys, hybridtrack.{module}; print(*set(sys.modules) & set({HEAVY}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {*loaded.split()} == {"numpy", "scipy"}


@pytest.mark.parametrize("module", ["errors", "ground", "cadence", "config", "hookspecs", "plugin_host", "cli"])
def test_light_module_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, hybridtrack.{module}; print(*set(sys.modules) & set({HEAVY}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []
