from __future__ import annotations

import pytest

from hybridtrack.view.columns import unpack
from hybridtrack.view.index import TrackIndex
from hybridtrack.wire import EventRow
from tests.view.conftest import frame, relation, track

DETECTED, TRACKED, LOST = 0 | 1 << 2, 1 | 1 << 2, 1 | 2 << 2  # origin | state << 2


@pytest.fixture
def index() -> TrackIndex:
    """Five frames: hand 1 detected, tracked, tracked, away, lost; mug 7 on the second and third, held on the third."""
    made = TrackIndex()
    mug = track(7, 50, 50, class_name="mug", origin="detected")
    made.add(frame(0, [track(1, 0, 0, origin="detected")]))
    made.add(frame(1, [track(1, 0, 0), mug], relations=[relation(1, 7, "near")]))
    made.add(frame(2, [track(1, 0, 0), mug], relations=[relation(1, 7, "holding")]))
    made.add(frame(3, [], events=[EventRow(kind="pick_up", time_s=0.066667, subject=1, object=7)]))
    made.add(frame(4, [track(1, 0, 0, state="lost")]))
    return made


def test_stretches_end_where_origin_or_state_changes_and_where_a_track_is_away(index: TrackIndex) -> None:
    said, columns = unpack(index.overview())
    assert columns["track_id"].tolist() == [1, 7]
    assert [said["names"]["classes"][n] for n in columns["track_class"]] == ["hand", "mug"]
    assert columns["track_count"].tolist() == [3, 1]
    hand = [[0, 1, DETECTED], [1, 3, TRACKED], [4, 5, LOST]]
    assert columns["track_stretches"].reshape(-1, 3).tolist() == [*hand, [1, 3, DETECTED]]


def test_pairs_runs_times_and_events_are_told(index: TrackIndex) -> None:
    said, columns = unpack(index.overview())
    assert (columns["pair_subject"].tolist(), columns["pair_object"].tolist()) == ([1], [7])
    assert said["names"]["relations"] == ["near", "holding"]
    assert columns["pair_stretches"].reshape(-1, 3).tolist() == [[1, 2, 0], [2, 3, 1]]
    assert columns["run_row"].tolist() == [0, 3]
    assert columns["time"].tolist() == [0.0, 0.033333, 0.066667, 0.1, 0.133333]
    assert said["events"] == [{"kind": "pick_up", "time": 0.066667, "subject": 1, "object": 7, "row": 3}]


def test_overview_since_a_row_has_what_a_page_lacks_that_knows_the_rows_before(index: TrackIndex) -> None:
    said, columns = unpack(index.overview(2))
    assert (said["since"], said["rows"], len(columns["time"])) == (2, 5, 3)
    # the stretch 1..3 had begun before: it comes again, longer
    assert columns["track_stretches"].reshape(-1, 3).tolist() == [[1, 3, TRACKED], [4, 5, LOST], [1, 3, DETECTED]]
    assert columns["pair_stretches"].reshape(-1, 3).tolist() == [[2, 3, 1]]
    assert columns["run_row"].tolist() == [3]
    said, columns = unpack(index.overview(5))
    assert (said["events"], len(columns["time"]), len(columns["track_id"])) == ([], 0, 0)


def test_index_without_frames_has_empty_columns() -> None:
    said, columns = unpack(TrackIndex().overview())
    assert said["rows"] == 0
    assert {len(column) for column in columns.values()} == {0}
