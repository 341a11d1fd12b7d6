"""The names of a network's classes and their roles."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

from hybridtrack.errors import UsageError, unknown_name
from hybridtrack.types import ClassInfo

USUAL_ROLES = {"hand": "hand", "person": "other"}  #: of classes that say by their name that they are no object


def read_labels(labels: str | None, metadata: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the names that the option or else the file's metadata give, None when neither does. Raises UsageError.

    labels: names with | between them, or the path of a text file with a name a line; a line without a name is none.
    """
    if labels is not None:
        names = _listed(labels)
        where = f"labels {labels!r}"
    elif "names" in metadata:
        names = _stated(metadata["names"])
        where = "the file's metadata 'names'"
    else:
        return None
    if not names or not all(names):
        raise UsageError(f"{where}: a class has no name, or there is none: give labels=FILE or labels=cup|mug")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"{where}: {twice[0]!r} stands there twice: give every class a name of its own")
    return tuple(names)


def _listed(labels: str) -> list[str]:
    if "|" in labels:
        return [name.strip() for name in labels.split("|")]
    path = Path(labels).expanduser()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "not a text file"
        raise UsageError(
            f"labels {labels!r} cannot be read: {said}; give a text file with a name a line, or names such as cup|mug"
        ) from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _stated(names: str) -> list[str]:
    """Return the names of a Python or JSON literal: a list, or a dict by number from 0."""
    try:
        stated = ast.literal_eval(names)
        if isinstance(stated, dict):
            by_number = {int(number): name for number, name in stated.items()}
            stated = [by_number[number] for number in range(len(by_number))]
        if isinstance(stated, list | tuple):
            return [str(name).strip() for name in stated]
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        pass
    raise UsageError(f"the file's metadata 'names' is {names[:60]!r}, no list of names: give labels=FILE")


def class_infos(names: Sequence[str], roles: Mapping[str, str]) -> tuple[ClassInfo, ...]:
    """Return the classes; those that ``roles`` does not name have the usual role."""
    return tuple(ClassInfo(name=name, role=roles.get(name, USUAL_ROLES.get(name.lower(), "object"))) for name in names)


def check_roles(roles: Mapping[str, str], names: Sequence[str]) -> None:
    """Raise UsageError when there is no such class among ``names``."""
    for name, role in roles.items():
        if name not in names:
            raise UsageError(f"roles {name}={role}: {unknown_name('class', name, names)}")
