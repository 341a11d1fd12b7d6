"""Part a data set into training, validation and test: groups (videos) stay whole.

    python -m data_tools.splits annotations.json --out out/parts --shares 80,10,10

Writes ``train.json``, ``val.json`` and ``test.json``.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import click

from data_tools import command
from data_tools.annotation import DataSet, Picture
from data_tools.coco import write_coco
from data_tools.errors import DataError
from data_tools.leaks import check_no_leaks, group_of

Key: TypeAlias = Callable[[Picture], Hashable]
#: what pictures of a unit have in common (an activity, a place), each of which is to be spread over all parts
Strata: TypeAlias = Callable[[Picture], Sequence[Hashable]]

TRAIN: Final = "train"


def split(
    data: DataSet,
    shares: Mapping[str, float],
    *,
    seed: int,
    unit: Key = group_of,
    strata: Strata = lambda picture: (),
) -> dict[str, DataSet]:
    """Return the parts of a data set, by name: ``train`` is what the shares of the others (0..1) leave.

    Units stay whole. Every part takes units at random, those first whose strata it has least of, until another one
    would bring it further from its share of the pictures. Raises DataError when the shares are not below 1, or a
    part stays empty.
    """
    wanted = {part: share for part, share in shares.items() if part != TRAIN and share > 0}
    if any(share < 0 for share in shares.values()) or sum(wanted.values()) >= 1:
        raise DataError(f"shares of {dict(shares)!r} cannot be: none below 0, together below 1 without {TRAIN}")
    units: dict[Hashable, list[Picture]] = defaultdict(list)
    for picture in data.pictures:
        units[unit(picture)].append(picture)
    left = sorted(units, key=str)
    random.Random(seed).shuffle(left)
    parts: dict[Hashable, str] = {}
    for part, share in wanted.items():
        for taken in _take(left, units, share * len(data.pictures), strata):
            parts[taken] = part
            left.remove(taken)
    done = {part: data.subset(_is_in(part, parts, unit)) for part in (TRAIN, *wanted)}
    check_no_part_is_empty(done)
    return done


def hold_out(
    data: DataSet, test: Callable[[Picture], bool], validation_share: float, *, seed: int
) -> dict[str, DataSet]:
    """Return the parts when all pictures that ``test`` says are the test, and the rest is parted by group.

    ``validation_share`` is of the rest. Raises DataError when a part stays empty.
    """
    rest = split(data.subset(lambda picture: not test(picture)), {"val": validation_share}, seed=seed)
    parts = rest | {"test": data.subset(test)}
    check_no_part_is_empty(parts)
    return parts


def check_no_part_is_empty(parts: Mapping[str, DataSet]) -> None:
    """Raise DataError when a part has no pictures."""
    empty = [part for part, data in parts.items() if not data.pictures]
    if empty:
        counts = ", ".join(f"{len(data.pictures)} in {part}" for part, data in parts.items())
        raise DataError(f"no pictures for {', '.join(empty)} ({counts}): change the shares, or split by something else")


def _is_in(part: str, parts: Mapping[Hashable, str], unit: Key) -> Callable[[Picture], bool]:
    return lambda picture: parts.get(unit(picture), TRAIN) == part


def _take(
    left: Sequence[Hashable], units: Mapping[Hashable, list[Picture]], target: float, strata: Strata
) -> Iterable[Hashable]:
    """Yield units, in the order of ``left`` where strata do not tell, until their pictures are nearest to a target."""
    marks = {name: tuple(enumerate(strata(units[name][0]))) for name in left}
    sizes: Counter[Hashable] = Counter()
    for name in left:
        sizes.update(dict.fromkeys(marks[name], len(units[name])))
    taken: Counter[Hashable] = Counter()
    remaining, count = list(left), 0
    while remaining:
        name = min(remaining, key=lambda x: sum(taken[mark] / sizes[mark] for mark in marks[x]))
        size = len(units[name])
        if abs(target - count - size) >= abs(target - count):
            return
        yield name
        remaining.remove(name)
        count += size
        taken.update(dict.fromkeys(marks[name], size))


def parse_shares(text: str) -> dict[str, float]:
    """Return the shares of val and test, 0..1, in a text such as 80,10,10 (train, val, test). Raises DataError."""
    try:
        train, val, test = (float(share) for share in text.split(","))
        if min(train, val, test) < 0 or not train or not val + test:
            raise ValueError
    except ValueError as error:
        raise DataError(
            f"cannot use the shares {text!r}: give three numbers, train,val,test, such as 80,10,10"
        ) from error
    total = train + val + test
    return {"val": val / total, "test": test / total}


def write_parts(parts: Mapping[str, DataSet], folder: Path) -> None:
    """Write each part as a COCO file under its name. Raises SinkError."""
    command.make_folder(folder)
    for part, data in parts.items():
        write_coco(data, folder / f"{part}.json")


@click.command(context_settings=command.CONTEXT)
@command.data_options
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the parts.")
@click.option("--shares", default="80,10,10", help="Of train, val and test.")
@click.option("--seed", default=0, help="Chance.")
def main(data: DataSet, out: Path, shares: str, seed: int) -> None:
    """Part DATA into train.json, val.json and test.json; pictures of one group stay together."""
    parts = split(data, parse_shares(shares), seed=seed)
    check_no_leaks(parts)
    command.tell(data.problems)
    write_parts(parts, out)
    for part, its in parts.items():
        click.echo(f"{part}: {len(its.pictures)} pictures, {sum(1 for _ in its.annotations())} boxes")


if __name__ == "__main__":
    command.run(main, "splits")
