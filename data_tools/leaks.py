"""Check that no group of pictures (a video) stands in more than one part of a split.

    python -m data_tools.leaks train.json val.json test.json

Frames of one video are nearly the same picture: a detector that is tested on neighbours of what it was trained on looks
better than it is. Ends with exit code 2 when there is a leak.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from data_tools import command
from data_tools.annotation import DataSet, Picture
from data_tools.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """A group of which pictures stand in more than one part: how many in each."""

    group: str
    pictures: Mapping[str, int]

    def __str__(self) -> str:
        return f"{self.group} ({', '.join(f'{count} in {part}' for part, count in self.pictures.items())})"


def group_of(picture: Picture) -> str:
    """Return what must not be parted: the group of a picture, or its name when it is like no other."""
    return picture.name if picture.group is None else picture.group


def find_leaks(parts: Mapping[str, DataSet], key: Callable[[Picture], Hashable] = group_of) -> list[Leak]:
    """Return the groups that stand in more than one part, in the order of their names."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for part, data in parts.items():
        for picture in data.pictures:
            counts[str(key(picture))][part] += 1
    return [Leak(group=group, pictures=dict(found)) for group, found in sorted(counts.items()) if len(found) > 1]


def check_no_leaks(parts: Mapping[str, DataSet]) -> None:
    """Raise DataError when a group (a video) stands in more than one part."""
    leaks = find_leaks(parts)
    if leaks:
        named = "; ".join(map(str, leaks[:3]))
        raise DataError(
            f"{len(leaks)} videos stand in more than one part, so that figures would flatter: {named}"
            f"{'; …' if len(leaks) > 3 else ''}; split by video"
        )


@click.command(context_settings=command.CONTEXT)
@click.argument("parts", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
def main(parts: tuple[Path, ...]) -> None:
    """Check that no group stands in two of PARTS, files of annotations in any format."""
    from data_tools.formats import read

    data = {str(path): read(path) for path in parts}
    check_no_leaks(data)
    groups = {group_of(picture) for its in data.values() for picture in its.pictures}
    click.echo(f"no leak: {len(groups)} groups, each in one of {len(data)} parts")


if __name__ == "__main__":
    command.run(main, "leaks")
