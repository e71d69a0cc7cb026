"""What a shelf of recordings shows from afar is what is in the files; a suggestion is open until it is labelled."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shelf_made import SECOND, T0, make

from firmware_bridge.clock import ManualClock
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Mark
from hil.data.suggested import Suggestion, open_suggestions, suggest
from hil.door.attach import spawn_librarian
from hil.librarian.librarian import Librarian
from hil.librarian.shelf import envelopes, look, matches, on_shelf, thumbnail
from hil.recording.marks import add_mark
from hil.recording.reader import Recording


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("shelf") / "recordings")


def test_a_folder_is_listed_newest_first_and_what_cannot_be_read_says_why(folder) -> None:
    entries = [look(path) for path in on_shelf(folder)]
    assert [Path(entry.path).name for entry in entries] == ["watch_kim.mcap", "watch_lee.mcap", "broken.mcap"]
    kim, _, broken = entries
    assert kim.duration_s == pytest.approx(59.98)
    assert (kim.labels, kim.labelled_s, kim.marks) == (("squat", "press"), 25.0, 1)
    assert kim.streams == ("watch/imu",)
    assert not kim.trouble
    assert "MCAP" in broken.trouble
    assert on_shelf(folder / "nowhere") == []


def test_a_label_that_nobody_ended_lasts_to_the_end_of_the_recording(tmp_path) -> None:
    path = make(tmp_path / "r") / "watch_lee.mcap"
    with Recording(path) as recording:
        start, before = recording.start_ns, look(path).labelled_s
    add_mark(path, Mark("", start + 50 * SECOND, "press", "start", "kim"), T0)
    assert look(path).labelled_s - before == pytest.approx(9.98)


def test_search_finds_every_word_wherever_it_stands(folder) -> None:
    kim = look(folder / "watch_kim.mcap")
    assert matches(kim, "")
    assert matches(kim, "SQUAT imu")
    assert matches(kim, "person: kim")
    assert not matches(kim, "squat lunge")


def test_a_thumbnail_says_where_a_recording_moves_and_where_it_holds_nothing(folder) -> None:
    moves = thumbnail(folder / "watch_kim.mcap", 60)
    assert [at for at, one in enumerate(moves) if one is None] == [20, 21]
    known = [one for one in moves if one is not None]
    assert max(known) == 1.0
    assert min(known) > 0.0
    assert Librarian().command("thumbnail", path=str(folder / "watch_lee.mcap"), columns=4)["moves"] == [
        pytest.approx(one) for one in thumbnail(folder / "watch_lee.mcap", 4)]  # fmt: skip


@settings(max_examples=25)
@given(st.integers(1, 300), st.floats(-5, 55), st.floats(0.05, 70))
def test_every_column_spans_the_least_and_greatest_reading_in_it(folder, columns, begin, span) -> None:
    (view,) = envelopes(folder / "watch_kim.mcap", columns, begin, begin + span)
    with Recording(folder / "watch_kim.mcap") as recording:
        part = recording.read("watch", "imu", begin, begin + span + 1e-9)
    assert view.low.shape == (3, columns)
    if len(part):
        assert np.nanmin(view.low, axis=1) == pytest.approx(part.values.min(axis=0))
        assert np.nanmax(view.high, axis=1) == pytest.approx(part.values.max(axis=0))
        assert view.latest == pytest.approx(part.values[-1])
    else:
        assert np.isnan(view.low).all()
    assert view.samples == len(part)
    filled = np.isfinite(view.low)
    assert (view.low[filled] <= view.high[filled]).all()


def test_missing_samples_are_marked_where_they_are_missing(folder) -> None:
    (view,) = envelopes(folder / "watch_kim.mcap", 60, 0.0, 60.0)
    assert np.flatnonzero(view.gaps).tolist() == [19, 20, 21, 22]
    assert not envelopes(folder / "watch_lee.mcap", 60)[0].gaps.any()


def test_a_suggestion_is_open_until_a_label_covers_half_of_it(tmp_path) -> None:
    path = make(tmp_path / "r") / "watch_lee.mcap"
    start = T0 + 90 * SECOND
    stretches = [Suggestion(start + 10 * SECOND, start + 14 * SECOND, why="rare", score=0.2),
                 Suggestion(start + 30 * SECOND, start + 34 * SECOND, why="unsure", score=0.7)]  # fmt: skip
    assert suggest(path, stretches, T0, "picker") == 2
    librarian = Librarian(ManualClock(T0 + 1), "kim")
    told = librarian.command("marks", path=str(path))
    assert [(one["from_s"], one["why"]) for one in told["suggestions"]] == [(30.0, "unsure"), (10.0, "rare")]
    librarian.command("label", path=str(path), text="squat", from_s=29.0, to_s=31.0)
    assert len(librarian.command("marks", path=str(path))["suggestions"]) == 2
    librarian.command("undo", path=str(path))
    librarian.command("label", path=str(path), text="squat", from_s=29.0, to_s=32.0)
    told = librarian.command("marks", path=str(path))
    assert [one["why"] for one in told["suggestions"]] == ["rare"]
    assert [one["text"] for one in told["labels"]] == ["squat"]
    with Recording(path) as recording:
        assert len(open_suggestions(recording.kept_marks)) == 1
        assert [label.text for label in recording.labels] == ["squat"]  # no reader takes a suggestion for a label
    with pytest.raises(UsageError, match="ends before"):
        suggest(path, [Suggestion(5, 5)], T0)


def test_a_librarian_in_its_own_process_answers_as_one_here(folder) -> None:
    here = Librarian(ManualClock(), "kim")
    with spawn_librarian() as there:
        for verb, arguments in (("shelf", {"folder": str(folder)}),
                                ("marks", {"path": str(folder / "watch_kim.mcap")})):  # fmt: skip
            mine, theirs = here.command(verb, **arguments), there.command(verb, **arguments)
            assert mine.keys() == theirs.keys()
        view = there.command("envelopes", path=str(folder / "watch_kim.mcap"), columns=10)["streams"][0]
        expected = envelopes(folder / "watch_kim.mcap", 10)[0]
        assert np.array_equal(view["low"], expected.low)
        with pytest.raises(UsageError, match="no command"):
            there.command("burn")
