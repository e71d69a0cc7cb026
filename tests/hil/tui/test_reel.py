"""Recordings as cells: any size, any window; labels, suggestions and losses stand in the characters themselves."""

from dataclasses import replace

import pytest
import screen_fakes as fakes
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.librarian.shelf import Entry
from hil.tui import reelview
from hil.tui.charts.cells import text
from hil.tui.lines import shelflines
from hil.tui.state.reading import LEAST_S, Marked, Reading, Stretch

MARKED = Marked((Stretch("squat", 1.0, 3.0, "a"), Stretch("press", 2.0, 2.5, "b"), Stretch("odd", 8.0, 9.0, "c")),
                (("bump", 5.0),), (Stretch("rare", 6.0, 7.0),))  # fmt: skip
ENTRIES = (Entry("r/one.mcap", 1000, 2 * 10**18, 10.0, ("imu/samples",), ("person: kim",), ("squat",), 2.0, 1),
           Entry("r/two.mcap", 1000, 2 * 10**18 + 5 * 10**9, 8.0, ("imu/samples",)),
           Entry("r/bad.mcap", trouble="r/bad.mcap: no recording"))  # fmt: skip


def scene(columns: int = 100, **facts: object) -> Reading:
    strips = {entry.path: (fakes.readings("imu", columns, 10.0),) for entry in ENTRIES[:2]}
    return replace(Reading(ENTRIES, strips=strips, marked={"r/one.mcap": MARKED}), **facts)  # type: ignore[arg-type]  # a test's own


@settings(max_examples=60)
@given(st.integers(0, 130), st.integers(0, 40), st.integers(1, 200), st.sampled_from(("list", "label", "compare")),
       st.booleans(), st.booleans(), st.integers(0, 2), st.floats(0, 10), st.floats(0, 10))  # fmt: skip
def test_every_size_and_every_window_fits(width, height, columns, mode, overlay, colour, cursor, at, span) -> None:
    now = scene(columns, cursor=cursor, mode=mode, a="r/two.mcap", overlay=overlay, at_s=at, start_s=span, span_s=span)
    lines, title = reelview.picture(now, width, height, colour)
    assert len(lines) <= max(height, 2 if mode == "label" else 1)
    assert all(len(text(line)) <= max(width, 200) for line in lines)
    assert isinstance(text(title), str)
    for line in shelflines.shelf(now, width, "r", True)[1]:
        assert text(line)


def rows(now: Reading, width: int = 100, height: int = 24, colour: bool = True) -> str:
    return "\n".join(text(line) for line in reelview.picture(now, width, height, colour)[0])


def test_labels_suggestions_marks_and_losses_are_characters() -> None:
    shown = rows(scene(mode="label", at_s=4.0, start_s=1.0))
    for words in ("1 odd", "3 squat", "? rare", "▾", "×", "▲", "╞", " 3 s "):
        assert words in shown


def test_a_suggestion_says_what_a_model_would_and_why() -> None:
    plain = {"labels": [], "marks": [], "suggestions": [
        {"from_s": 6.0, "to_s": 7.0, "why": "close to lunge", "guess": "squat", "id": "s9"}]}  # fmt: skip
    now = scene(mode="label", marked={"r/one.mcap": Marked.of(plain)}).suggest()
    assert now is not None
    assert "suggested: squat?, close to lunge" in text(shelflines.where(now))


def test_a_recording_that_is_being_written_is_not_called_cut_off() -> None:
    torn = replace(ENTRIES[0], trouble="the recording was cut off: all that came later is lost")
    now = scene(entries=(torn, *ENTRIES[1:]))
    for width in (80, 120):
        line, other = (text(shelflines.shelf(now, width, "r", True, written)[1][0]) for written in ("/r/one.mcap", ""))
        assert "◉ REC" in line
        assert "cut off" not in line
        assert "✖ cut off" in other
        assert max(len(line), len(other)) <= width
    assert "hil recover" in text(reelview.picture(now, 100, 24, True)[1])
    assert "being recorded" in text(reelview.picture(now, 100, 24, True, "one.mcap")[1])
    new = scene(entries=(replace(torn, duration_s=0.0), *ENTRIES[1:]))
    assert "nothing of it is written yet" in text(shelflines.shelf(new, 80, "r", True, "one.mcap")[1][0])


def test_a_recording_that_another_process_writes_is_not_called_cut_off() -> None:
    grows = replace(ENTRIES[0], trouble="it is still being written by another process: 9 s of it", being_written=True)
    for width in (80, 120):
        line = text(shelflines.shelf(scene(entries=(grows,)), width, "r", True)[1][0])
        assert "◉ growing " in line
        assert "cut off" not in line
        assert len(line) <= width
    assert "another process is writing it" in text(reelview.picture(scene(entries=(grows,)), 100, 24, True)[1])
    new = replace(grows, duration_s=0.0)
    assert "nothing of it is there yet" in text(shelflines.shelf(scene(entries=(new,)), 80, "r", True)[1][0])


def test_a_name_that_has_no_room_makes_way_for_the_unit() -> None:
    long = replace(fakes.readings("imu", 100, 10.0), board="hil-imu-0000-of-the-left-leg")
    assert "hil-imu… rad/s│" in rows(scene(strips={"r/one.mcap": (long,)}))


def test_what_cannot_be_read_says_why_in_place_of_a_picture() -> None:
    assert "no recording" in rows(scene(cursor=2))


def test_without_colour_two_recordings_laid_over_each_other_stay_apart() -> None:
    now = scene(mode="compare", a="r/two.mcap", overlay=True)
    moved = replace(now.strips["r/one.mcap"][0], low=now.strips["r/one.mcap"][0].low + 1,
                    high=now.strips["r/one.mcap"][0].high + 1)  # fmt: skip
    now = replace(now, strips={**now.strips, "r/one.mcap": (moved,)})
    assert "▒" in rows(now, colour=False)
    assert "▒" not in rows(now, colour=True)


def test_recordings_without_a_channel_in_common_say_so() -> None:
    now = scene(mode="compare", a="r/two.mcap", overlay=True)
    other = replace(now.strips["r/two.mcap"][0], name="else")
    now = replace(now, strips={**now.strips, "r/two.mcap": (other,)})
    assert "no channel in common" in rows(now)


def test_time_is_lined_up_by_start_by_the_time_of_day_or_by_first_marks() -> None:
    now = scene(mode="compare", a="r/two.mcap")
    assert now.offset_s == 0
    assert replace(now, align=1).offset_s == -5.0
    assert replace(now, align=2).offset_s == 0.0  # one of them has no marks
    marked = {**now.marked, "r/two.mcap": Marked((Stretch("x", 4.0, 5.0, "x"),))}
    assert replace(now, align=2, marked=marked).offset_s == 3.0
    assert replace(now, shift_s=0.25).offset_s == 0.25


@pytest.mark.parametrize("steps", [(-1,) * 20, (1,) * 5, (-1, -1, 1, 1)])
def test_zooming_keeps_the_cursor_in_sight_and_ends_at_all_of_it(steps) -> None:
    now = scene(mode="label", at_s=7.0)
    for by in steps:
        now = now.zoom(by)
        first, last = now.window
        assert first <= 7.0 <= last
        assert LEAST_S - 1e-9 <= last - first <= now.length_s + 1e-9
    if sum(steps) >= 0:
        assert now.window == (0.0, 10.0)


def test_the_cursor_takes_the_window_with_it_and_edges_are_those_of_labels_and_marks() -> None:
    now = scene(mode="label").zoom(-1).zoom(-1).go(9.0)
    assert now.window[0] <= 9.0 <= now.window[1]
    assert now.go(99.0).at_s == 10.0
    assert now.edge(-1).at_s == 8.0
    assert now.edge(-1).edge(-1).at_s == 5.0
    assert now.edge(1).at_s == 9.0
    assert now.said.at(2.2) == MARKED.labels[1]
    taken = now.suggest()
    assert taken is not None
    assert (taken.start_s, taken.at_s) == (6.0, 7.0)
    assert taken.window[0] <= 6.0
    assert taken.window[1] >= 7.0


def test_a_folder_that_is_still_being_read_is_not_called_empty() -> None:
    assert Reading().nothing_to("be played") == "the folder is still being read: try again in a moment"
    assert Reading(()).nothing_to("be played") == "there is no recording here that can be played"
