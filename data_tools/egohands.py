"""Prepare EgoHands: pictures under names of their own, annotations, parts that share no video, and a look at it all.

    python -m data_tools.egohands egohands_data.zip --out out/egohands

The source is the archive, a folder that it was unpacked into, or nothing: then it is downloaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from data_tools import command
from data_tools.annotation import DataSet, Picture, Problem, count_problems
from data_tools.archive import is_archive, unpack
from data_tools.coco import write_coco
from data_tools.download import download
from data_tools.egohands_folder import Video, parse_video, read_egohands
from data_tools.errors import DataError, strict_error
from data_tools.leaks import check_no_leaks, find_leaks
from data_tools.look import look
from data_tools.origin_csv import write_csv
from data_tools.picture_folder import link_pictures
from data_tools.splits import hold_out, parse_shares, split, write_parts
from data_tools.usable import usable
from hybridtrack.sinks.output import ReplacedFile

URL: Final = "http://vision.soic.indiana.edu/egohands_files/egohands_data.zip"
SHARES: Final = {"video": "80,10,10", "session": "80,10,10", "origin": "90,0,10"}
HELD_OUT: Final[Mapping[str, Callable[[Video], str]]] = {
    "place": lambda video: video.place,
    "viewer": lambda video: video.viewer,
}
VALIDATION_SHARE: Final = 0.1  #: of what is not held out


def find_source(source: Path | None, out: Path, url: str, sha256: str | None) -> Path:
    """Return the folder of EgoHands: the one given, or what the archive, given or downloaded, is unpacked into."""
    if source is not None and source.is_dir():
        return source
    unpacked = out / "unpacked"
    if source is None and unpacked.is_dir():
        click.echo(f"using {unpacked}, from an earlier run", err=True)
        return unpacked
    archive = source or fetch(out, url, sha256)
    if not is_archive(archive):
        raise DataError(f"{str(archive)!r} is no archive; remove it and get {URL.rsplit('/', 1)[1]} elsewhere")
    if unpacked.is_dir():
        raise DataError(f"{str(unpacked)!r} is there from an earlier run: give that folder as the source, or remove it")
    return unpack(archive, unpacked)


def fetch(out: Path, url: str, sha256: str | None) -> Path:
    """Return the archive, downloaded unless an earlier run did so. Raises DataError."""
    archive = out / "egohands_data.zip"
    if archive.is_file():
        click.echo(f"using {archive}, from an earlier run", err=True)
        return archive
    done = download(url, archive, sha256=sha256, on_progress=command.show_bytes())
    click.echo(f"downloaded {archive}, sha256 {done.sha256}", err=True)
    return archive


def prepare(folder: Path, *, has_sides: bool) -> DataSet:
    """Return EgoHands with boxes that can be used; what could not is among its problems."""
    data = read_egohands(folder, has_sides=has_sides)
    pictures, problems = [], list(data.problems)
    for picture in data.pictures:
        kept, wrong = usable(picture, data.labels)
        pictures.append(kept)
        problems += wrong
    return replace(data, pictures=tuple(pictures), problems=tuple(problems))


def part(data: DataSet, by: str, *, shares: str | None, held_out: str | None, seed: int) -> dict[str, DataSet]:
    """Return train, val and test: by ``video``, ``session``, ``place``, ``viewer``, or frame by frame (``origin``)."""
    if by in HELD_OUT:
        if shares is not None:
            raise DataError(f"--shares is not for --split {by}, which holds one {by} out; leave it out")
        of = HELD_OUT[by]
        known = sorted({of(_video(picture)) for picture in data.pictures})
        name = held_out or known[-1]
        if name not in known:
            raise DataError(f"no {by} {name!r} to hold out; there are {', '.join(known)}")
        return hold_out(data, lambda picture: of(_video(picture)) == name, VALIDATION_SHARE, seed=seed)
    if held_out is not None:
        raise DataError(f"--hold-out is for --split place and --split viewer, not for {by!r}; leave it out")
    units: dict[str, Callable[[Picture], str]] = {
        "video": lambda picture: str(picture.group),
        "session": lambda picture: _video(picture).session,
        "origin": lambda picture: picture.name,
    }
    strata: Callable[[Picture], tuple[str, ...]] = (
        (lambda picture: ()) if by == "origin" else lambda picture: (_video(picture).activity, _video(picture).place)
    )
    return split(data, parse_shares(shares or SHARES[by]), seed=seed, unit=units[by], strata=strata)


def rename(data: DataSet, folder: Path) -> DataSet:
    """Return a data set whose pictures lie in one folder, named by video and frame: ``VIDEO_frame_0011.jpg``."""
    pictures = tuple(replace(picture, name=picture.name.replace("/", "_"), folder=folder) for picture in data.pictures)
    return replace(data, pictures=pictures)


def report(parts: Mapping[str, DataSet], problems: tuple[Problem, ...], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands in ``egohands.json``: settings, what is in each part, and every problem."""
    return {
        "settings": dict(settings),
        "parts": {
            name: {
                "pictures": len(data.pictures),
                "boxes": sum(1 for _ in data.annotations()),
                "videos": sorted({str(picture.group) for picture in data.pictures}),
            }
            for name, data in parts.items()
        },
        "videos_in_several_parts": [str(leak) for leak in find_leaks(parts)],
        "sessions_in_several_parts": [str(leak) for leak in find_leaks(parts, lambda picture: _video(picture).session)],
        "problem_counts": count_problems(problems),
        "problems": [str(problem) for problem in problems],
    }


def _video(picture: Picture) -> Video:
    return parse_video(str(picture.group))


@click.command(context_settings=command.CONTEXT)
@click.argument("source", required=False, type=click.Path(path_type=Path, exists=True))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of what is made.")
@click.option("--url", default=URL, help="Where the archive is downloaded from.")
@click.option("--sha256", help="What the downloaded archive must be.")
@click.option("--sides", is_flag=True, help="Four classes, by whose hand and which, instead of hand.")
@click.option(
    "--split", "by", type=click.Choice([*SHARES, *HELD_OUT]), default="video", help="What parts do not share."
)
@click.option("--shares", help="Of train, val and test. [default: 80,10,10; origin 90,0,10]")
@click.option("--hold-out", "held_out", help="Place or viewer of the test. [default: the last in the alphabet]")
@click.option("--seed", default=0, help="Chance.")
@click.option("--allow-leaks", is_flag=True, help="Needed for --split origin: its parts share videos.")
@click.option("--sheets", type=click.IntRange(0), default=2, help="Contact sheets, of 20 pictures each.")
@click.option("--strict", is_flag=True, help="Refuse to write when anything cannot be used.")
def main(
    source: Path | None,
    out: Path,
    url: str,
    sha256: str | None,
    sides: bool,
    by: str,
    shares: str | None,
    held_out: str | None,
    seed: int,
    allow_leaks: bool,
    sheets: int,
    strict: bool,
) -> None:
    """Prepare EgoHands from SOURCE, its archive or folder; without it, it is downloaded.

    Writes images/, annotations.json, and for each part NAME.json (COCO) and NAME.csv; egohands.json tells what is in
    them and what could not be used; look/ has figures, plots and contact sheets.
    """
    if by == "origin" and not allow_leaks:
        raise DataError(
            "--split origin parts frame by frame: neighbours of test frames are trained on, and figures flatter; "
            "add --allow-leaks to compare with the origin's figure, or split by video"
        )
    command.make_folder(out)
    data = prepare(find_source(source, out, url, sha256), has_sides=sides)
    if strict and data.problems:
        raise strict_error(data.problems)
    parts = part(data, by, shares=shares, held_out=held_out, seed=seed)
    if not allow_leaks:
        check_no_leaks(parts)
    renamed = rename(data, out / "images")
    link_pictures(data, renamed)
    parts = {name: rename(its, out / "images") for name, its in parts.items()}
    write_coco(renamed, out / "annotations.json")
    write_parts(parts, out)
    for name, its in parts.items():
        write_csv(its, out / f"{name}.csv")
    settings = {"split": by, "shares": shares, "hold_out": held_out, "seed": seed, "sides": sides}
    told = report(parts, data.problems, settings)
    ReplacedFile(out / "egohands.json").write((json.dumps(told, indent=1) + "\n").encode(), "")
    look(renamed, out / "look", sheets=sheets, seed=seed)
    command.tell(data.problems)
    if told["videos_in_several_parts"]:
        count = len(told["videos_in_several_parts"])
        click.echo(f"{count} videos stand in more than one part: figures on these parts flatter", err=True)
    for name, its in told["parts"].items():
        click.echo(f"{name}: {its['pictures']} pictures, {its['boxes']} hands, {len(its['videos'])} videos")


if __name__ == "__main__":
    command.run(main, "egohands")
