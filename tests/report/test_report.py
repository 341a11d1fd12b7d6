"""Reports: what a file adds up to, and the page that says it."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from hybridtrack.cli import exit_code
from hybridtrack.ground import parse_table
from hybridtrack.report.comparison import agreement, agreement_rows, side_by_side
from hybridtrack.report.digest import Digest, Span, read_digest
from hybridtrack.report.page import report
from hybridtrack.report.picture import extent_cm, is_recorded, seen_from_above, table_of
from hybridtrack.report.plots import joined, spread_of, thinned
from hybridtrack.speed_up import estimated_speed_up
from hybridtrack.wire import FrameLine, HeaderLine, RunRow
from tests.export.files import frames, header, track, write


@pytest.fixture
def tracks(tmp_path: Path) -> Path:
    return write(tmp_path / "table.jsonl")


class Outline(HTMLParser):
    """Checks that elements are closed in order; keeps what links point to, and the texts of cells by row."""

    VOID = ("meta", "br", "img", "link", "path", "use", "rect", "image", "clippath")

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(page.decode())
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag != "meta":
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def test_digest_adds_up_what_was_confirmed(tracks: Path) -> None:
    digest = read_digest(tracks)
    assert digest.frames == 5
    assert digest.frame_s == pytest.approx(0.0405)  # between 0, .04, .081, .12 and .2
    assert digest.duration_s == pytest.approx(0.2405)
    assert digest.shown.tolist() == [2, 2, 1, 2, 0]
    hand, cup, brush = digest.tracks
    assert (hand.name, cup.name, brush.name) == ("hand 1", "coffee <cup> 2", "brush 12")
    assert (hand.role, cup.role, brush.role) == ("hand", "object", "object")
    assert hand.origins == {"detected": 2, "tracked": 1}
    assert [(span.start_s, span.end_s) for span in hand.spans] == [
        (0.0, pytest.approx(0.0805)),
        (0.12, pytest.approx(0.1605)),
    ]
    assert hand.shown_s == pytest.approx(0.121)
    assert cup.frames == 3  # it was lost on the fourth
    assert digest.run_times_s == {"hand": [0.0, 0.12]}
    assert [one.text for one in digest.interactions] == ["hand 1 holds coffee <cup> 2"]
    assert digest.hands_px.round(3).tolist() == [[9.625, 20.255], [10.375, 20.255], [12.125, 20.255]]
    assert digest.hands_cm.shape == (0, 2)


def test_track_that_no_detector_sees_for_long_is_told_apart(tmp_path: Path) -> None:
    lines = [
        FrameLine(
            frame_index=index,
            time_s=index * 0.4,
            runs=[],
            tracks=[track(1, "hand", 3.0, unseen_s=unseen_s)],
            relations=[],
            events=[],
        )
        for index, unseen_s in enumerate((0.0, 0.4, 0.8, 1.2, 0.0))
    ]
    (one,) = read_digest(write(tmp_path / "table.jsonl", lines)).tracks
    assert one.spans == [
        Span(0.0, 0.8, True),
        Span(0.8, 1.6, False),
        Span(pytest.approx(1.6), pytest.approx(2.0), True),  # type: ignore[arg-type]
    ]
    assert one.shown_s == pytest.approx(2.0)


def test_page_says_what_is_in_the_file_and_needs_nothing_else(tracks: Path) -> None:
    page = report([str(tracks)])
    outline = Outline(page)
    assert all(link.startswith(("#", "data:image/png")) for link in outline.links)
    assert b"<script" not in page
    assert ["hand 1", "0.00, held 0.08 (1×)"] in outline.rows
    assert ["coffee <cup> 2", "0.00", "0.12", "0.12", "3", "33 %", "0 %", "33 %", "33 %", "0.73"] in outline.rows
    assert ["0.02", "pick up", "hand 1", "coffee <cup> 2"] in outline.rows
    text = page.decode()
    assert "coffee <cup>" not in text
    assert "There is no picture: Tisch ⟨1⟩ &amp; &quot;2&quot;.mp4 is not there any more." in text
    assert page == report([str(tracks)])


def test_file_without_frames_has_a_page_too(tmp_path: Path) -> None:
    assert b"It has no frames." in report([str(write(tmp_path / "table.jsonl", []))])
    empty = [FrameLine(frame_index=0, time_s=0.0, runs=[], tracks=[], relations=[], events=[])]
    page = report([str(write(tmp_path / "one.jsonl", empty))]).decode()
    assert "<dd>none</dd>" in page
    Outline(page.encode())


def test_pages_do_not_grow_with_the_length_of_the_file(tmp_path: Path) -> None:
    def long_file(count: int) -> Path:
        lines = [
            FrameLine(
                frame_index=index,
                time_s=round(index / 25, 6),
                runs=[RunRow(detector="hand", trigger="interval", status="ok")],
                tracks=[track(1, "hand", index % 40, unseen_s=index % 2 * 0.6)] if index % 3 else [],
                relations=[],
                events=[],
            )
            for index in range(count)
        ]
        return write(tmp_path / f"{count}.jsonl", lines)

    short, long = (len(report([str(long_file(count))])) for count in (3000, 12000))
    assert long < 1.2 * short


def test_several_files_stand_side_by_side(tmp_path: Path, tracks: Path) -> None:
    lines = [replace(line, tracks=line.tracks[:1], relations=[], events=[]) for line in frames()]
    other = write(tmp_path / "other.jsonl", lines)
    outline = Outline(report([str(other), str(tracks)]))
    assert ["", "other.jsonl", "table.jsonl"] in outline.rows
    assert ["tracks", "2", "3"] in outline.rows
    assert ["holds", "0 (0.0 s)", "1 (0.1 s)"] in outline.rows
    assert ["", "other.jsonl"] in outline.rows
    assert [row[0] for row in outline.rows if row[0] in ("HOTA", "IDF1", "MOTA")] == ["HOTA", "IDF1", "MOTA"]
    twice = Outline(report([str(tracks), str(tracks)]))
    assert ["HOTA", "100.0"] in twice.rows
    assert ["", f"{tracks} (1)", f"{tracks} (2)"] in twice.rows


def test_nothing_agrees_with_a_file_without_tracks_and_the_page_says_so(tmp_path: Path, tracks: Path) -> None:
    lines = [replace(line, tracks=[], relations=[], events=[]) for line in frames()]
    empty = write(tmp_path / "empty.jsonl", lines)
    page = report([str(tracks), str(empty)]).decode()
    assert f"{empty} has no tracks that {tracks} could agree with." in page
    assert "HOTA" not in page
    assert "HOTA" in report([str(empty), str(tracks)]).decode()


def test_agreement_with_itself_is_perfect(tracks: Path) -> None:
    found = agreement(str(tracks), str(tracks))
    assert found.scores is not None
    rows = dict(agreement_rows(found.scores))
    assert (rows["HOTA"], rows["MOTA"], rows["identity switches"]) == ("100.0", "100.0", "0")
    digest = read_digest(tracks)
    assert ["boxes", "7", "7"] in side_by_side({"a": digest, "b": digest})


@pytest.mark.parametrize(
    ("frame_count", "runs", "stage_ms", "wanted"),
    [
        (300, {"hand": 100}, {"detect": 4.0, "track": 1.0, "write": 1.0}, 13 / 6),  # 12 + 0 + 1 to 4 + 1 + 1
        (300, {"hand": 100, "cups": 100}, {"detect": 4.0, "track": 1.0, "write": 1.0}, 13 / 6),
        (300, {"hand": 100}, {"detect": 1.0, "convert": 1.0, "track": 2.0, "decode": None}, 6 / 4),
        (300, {"hand": 150}, {"detect": 1.0, "track": 8.0}, 2 / 9),  # it does not pay
        (300, {"hand": 100, "cups": 30}, {"detect": 4.0}, None),  # nobody keeps the time of each
        (300, {"hand": 300}, {"detect": 4.0}, None),
        (300, {"hand": 0}, {"detect": 4.0}, None),
        (300, {}, {"detect": 4.0}, None),
        (300, {"hand": 100}, {"track": 4.0}, None),
        (0, {"hand": 0}, {}, None),
    ],
)
def test_speed_up_is_that_of_the_work(
    frame_count: int, runs: dict[str, int], stage_ms: dict[str, float | None], wanted: float | None
) -> None:
    assert estimated_speed_up(frame_count, runs, stage_ms) == (None if wanted is None else pytest.approx(wanted))


def test_ticks_and_bars_that_cannot_be_told_apart_are_one() -> None:
    assert thinned([0.0, 0.4, 1.0, 1.1, 2.5], 1.0) == [0.0, 1.0, 2.5]
    bars = [(0.0, 1.0, "a", 0.5), (1.0, 0.2, "b", 0.5), (1.2, 1.0, "a", 0.5), (4.0, 1.0, "a", 0.5)]
    assert joined(bars, 0.5) == [(0.0, pytest.approx(2.2), "a", 0.5), bars[1], bars[3]]
    assert joined(bars, 0.1) == bars


def test_places_are_counted_where_they_are() -> None:
    places = np.array([[1.0, 1.0], [1.0, 1.0], [63.0, 47.0], [99.0, 1.0]])
    spread = spread_of(places, (0.0, 0.0, 64.0, 48.0))
    assert spread.shape == (36, 48)
    assert (spread[0, 0], spread[-1, -1], spread.sum()) == (2, 1, 3)
    upward = spread_of(places, (0.0, 48.0, 64.0, 0.0))
    assert (upward == spread).all()


def test_table_is_shown_from_above() -> None:
    table = parse_table("10,40,50,40,40,10,20,10:60x40cm")
    picture = np.zeros((48, 64), np.uint8)
    picture[10:20] = 200  # the far part
    extent = extent_cm(table, np.zeros((0, 2)))
    assert extent == (-15.0, 50.0, 75.0, -10.0)
    above = seen_from_above(picture, table, extent)
    assert above is not None
    per_cm = above.shape[1] / 90
    far, near = (above[round((50 - y_cm) * per_cm), round((30 + 15) * per_cm)] for y_cm in (35, 5))
    assert (far, near) == (200, 0)
    markers = parse_table("markers=1,2,3,4:60x40cm")
    assert seen_from_above(picture, markers, extent) is None


def test_table_of_the_header_is_found() -> None:
    def told(table: object) -> HeaderLine:
        return replace(header(), settings={"table": table})

    found = table_of(told("10,40,50,40,40,10,20,10:60x40cm"))
    assert found is not None
    assert found.width_cm == 60
    assert table_of(told(None)) is table_of(told({"a": 1})) is table_of(told("no table")) is table_of(header()) is None


@pytest.mark.parametrize(
    ("uri", "wanted"),
    [
        ("table.mp4", True),
        ("0", False),
        ("rtsp://camera/1", False),
        ("blank:64x48@25:3", False),
        ("images/*.png", True),
    ],
)
def test_cameras_are_not_asked_again(uri: str, wanted: bool) -> None:
    assert is_recorded(uri) == wanted


def test_hands_are_shown_over_a_frame_of_the_video(tracks: Path, table_clip: Path) -> None:
    page, bare = report([str(tracks)], video=str(table_clip)), report([str(tracks)])
    assert b"There is no picture" not in page
    assert len(page) > len(bare) + 10_000  # bytes of a picture


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = exit_code(["report", *arguments])
        return code, *capfd.readouterr()

    return run


def test_command_writes_a_page_beside_the_file(
    command: Callable[..., tuple[int, str, str]], tracks: Path, tmp_path: Path
) -> None:
    page = tracks.with_suffix(".html")
    assert command(str(tracks)) == (0, "", f"hybridtrack report: wrote {page}\n")
    assert page.read_bytes() == report([str(tracks)])
    assert command(str(tracks), "-o", str(tmp_path / "other.html")) == (0, "", "")
    code, out, err = command(str(tracks), "-o", "-")
    assert (code, out.encode(), err) == (0, page.read_bytes(), "")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("nowhere.jsonl",), "cannot read the track file 'nowhere.jsonl'"),
        (("table.jsonl", "-o", "table.jsonl"), "cannot write 'table.jsonl': it is what is read"),
        (("table.jsonl", "--video", "nowhere.mp4"), "no video 'nowhere.mp4'"),
        (("table.jsonl", "-o", "nowhere/page.html"), "there is no folder 'nowhere'"),
    ],
)
def test_command_refuses_in_one_line(
    command: Callable[..., tuple[int, str, str]],
    tracks: Path,
    arguments: tuple[str, ...],
    wanted: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tracks.parent)
    code, out, err = command(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert wanted in err
    assert [path.name for path in tracks.parent.iterdir()] == ["table.jsonl"]


def test_cut_file_is_reported_to_its_last_whole_line(tracks: Path) -> None:
    tracks.write_bytes(tracks.read_bytes()[:-200])
    page = report([str(tracks)]).decode()
    assert "The last line of the file is not whole" in page
    assert "no: the run was broken off" in page
    assert isinstance(read_digest(tracks), Digest)
