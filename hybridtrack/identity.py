"""Which classes mean one thing to a run: what its settings join, over what the detectors say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hybridtrack.errors import UsageError, unknown_name
from hybridtrack.types import ClassInfo


class Identities:
    """Puts classes under other identities: ``joined`` has the names of the classes under each. Others stay as they are.

    offered: the classes of the run's detectors. Raises UsageError for a class that none of them offers, unless one of
    them may still find new ones (``open_classes``), and for classes of different roles under one identity.
    """

    def __init__(
        self, joined: Mapping[str, Sequence[str]], offered: Iterable[ClassInfo], *, open_classes: bool = False
    ) -> None:
        roles: dict[str, set[str]] = {}
        for info in offered:
            roles.setdefault(info.name, set()).add(info.role)
        self._identity_of: dict[str, str] = {}
        for identity, names in joined.items():
            for name in names:
                if name not in roles and not open_classes:
                    raise UsageError(f"identity {identity!r}: {unknown_name('class', name, roles)}")
                self._identity_of[name] = identity
            met = sorted(set().union(*(roles.get(name, set()) for name in (identity, *names))))
            if len(met) > 1:
                raise UsageError(f"identity {identity!r} joins classes of the roles {' and '.join(met)}: give one role")

    def of(self, classes: Iterable[ClassInfo]) -> tuple[ClassInfo, ...]:
        """Return the classes with the identities that they have in this run."""
        return tuple(replace(info, identity=self._identity_of.get(info.name, info.identity)) for info in classes)
