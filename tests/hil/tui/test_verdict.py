"""Whose fault it is: the findings on top of the screen, their order, and what is never claimed."""

import re
from dataclasses import replace

import pytest
import screen_fakes as fakes
from hypothesis import given
from hypothesis import strategies as st

from hil.tui import stage
from hil.tui.charts import cells
from hil.tui.charts.colourmaps import COLOURMAPS
from hil.tui.lines import panes
from hil.tui.state.deeds import Command, Refusal, decide, go_to, loop_ab
from hil.tui.state.layout import arrange, verdict_rows
from hil.tui.state.state import BASES, Scene, next_speed
from hil.tui.state.verdict import findings, missing
from hil.tui.terminal.palette import BAR, FOCUSED, PLAIN, THEMES, Palette
from hil.tui.terminal.strips import clean
from hil.views.snapshot import RecordingView

LOSS = {"lost": "LINK", "unattributed": "LINK or BOARD", "board_dropped": "FIRMWARE", "host_dropped": "HOST"}


def of(board) -> list[tuple[int, str]]:
    shown = replace(fakes.live(), boards=(board,), streams=(), predictions=())
    return [(finding.rank, finding.blame) for finding in findings(shown)]


def test_a_bench_that_is_well_has_no_findings() -> None:
    assert findings(fakes.live()) == ()
    assert "ALL WELL" in cells.text(stage.verdict(Scene(latest=fakes.live()), (), 120)[0])


@pytest.mark.parametrize(("bucket", "blame"), LOSS.items())
def test_the_bucket_of_a_loss_says_who_is_to_blame(bucket, blame) -> None:
    books = dict.fromkeys(LOSS, 0) | {bucket: 90, "delivered": 12_000}
    board = fakes.board("imu", lost=books["lost"], ledger=tuple(books.items()))
    assert missing(board) == 90
    assert of(board) == [(1, blame)]
    few = dict.fromkeys(LOSS, 0) | {bucket: 1}
    assert of(fakes.board("imu", lost=few["lost"], ledger=tuple(few.items()))) == [(2, blame)]


def test_windows_that_a_model_on_the_board_let_pass_are_told_with_what_to_do() -> None:
    board = fakes.board("imu", ledger=(("windows due", 1000), ("windows skipped", 200), ("windows lost", 1)))
    assert of(board) == [(1, "FIRMWARE"), (2, "LINK")]
    well = fakes.board("imu", ledger=(("windows due", 1000), ("windows skipped", 0), ("windows lost", 0)))
    assert of(well) == []


@pytest.mark.parametrize(("width", "height"), [(80, 24), (70, 24), (80, 40), (120, 35)])
def test_a_long_reason_is_cut_before_what_to_do_is(width, height) -> None:
    reason = f"exec:python3 -u printer.py: the process ended with exit code 2 and said `{'no such file ' * 30}`"
    board = fakes.board("watch", state="lost", reason=f"{reason}; run it by hand to see why", since_ns=fakes.NOW)
    shown = replace(fakes.live(), boards=(board,), streams=(), predictions=())
    rows = verdict_rows(height)
    lines = [cells.text(line) for line in stage.verdict(Scene(latest=shown), findings(shown), width, rows)]
    assert len(lines) == rows
    assert max(map(len, lines)) <= width
    said = " ".join(" ".join(lines).split())
    assert said.startswith("✖ TROUBLE LINK: watch is lost: exec:python3")
    assert said.endswith("…; run it by hand to see why")
    row = cells.text(panes.boards(shown, width)[1][0])
    assert len(row.rstrip()) <= width
    assert "LOST     0 s: exec" in row
    assert row.rstrip().endswith("… run it by hand to see why")


def test_a_board_that_was_never_there_is_waited_for_and_the_work_goes_on() -> None:
    port = "/dev/ttyACM9"
    reason = f"{port}: no such port; there is /dev/ttyACM0; `hil ports` tells more"
    board = fakes.board(port, state="waiting", reason=reason, since_ns=fakes.NOW)
    shown = replace(fakes.live(), boards=(board,), streams=(), predictions=())
    (found,) = findings(shown)
    assert (found.rank, found.blame) == (1, "LINK")
    assert found.sentence.startswith(f"{port} has not come yet: no such port")
    assert found.sentence.endswith("; it joins when it is there")
    row = cells.text(panes.boards(shown, 120)[1][0])
    assert "waiting" in row
    assert row.rstrip().endswith("it joins when it is there")


def test_nothing_is_claimed_where_nobody_counts() -> None:
    board = fakes.board("text", lost=None, ledger=(("lost", None), ("delivered", 5)))
    assert missing(board) is None
    assert of(board) == []
    words = cells.text(stage.verdict(Scene(latest=replace(fakes.live(), boards=(board,))), (), 120)[0])
    assert "nothing lost" not in words
    assert "unknown" in words


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({"state": "lost", "reason": "unplugged"}, (0, "LINK")),
        ({"state": "wrong", "reason": "serial 3, not 4"}, (0, "BOARD")),
        ({"state": "opening", "reason": "the port is busy"}, (0, "LINK")),
        ({"state": "opening"}, (0, "LINK")),
        ({"state": "identifying"}, (1, "FIRMWARE")),
        ({"closes": ("expected 5, found 4",)}, (0, "HOST")),
        ({"queue_fill": 0.8}, (1, "HOST")),
        ({"boot": 2}, (2, "BOARD")),
    ],
)
def test_every_trouble_of_a_board_has_a_culprit(facts, found) -> None:
    assert of(fakes.board("imu", **facts)) == [found]


def test_a_board_that_only_just_began_to_open_is_no_trouble() -> None:
    assert of(fakes.board("imu", state="opening", since_ns=fakes.NOW - 1)) == []


def test_a_silent_or_slow_stream_is_the_firmwares() -> None:
    stream = fakes.live().streams[0]
    for hertz, rank in ((0.0, 0), (150.0, 1)):
        shown = replace(fakes.live(), streams=(replace(stream, measured_hz=hertz),))
        assert [(finding.rank, finding.blame) for finding in findings(shown)] == [(rank, "FIRMWARE")]
    shown = replace(fakes.live(), streams=(replace(stream, measured_hz=150.0, rate_inferred=True),))
    assert findings(shown) == ()


def test_the_host_is_blamed_for_its_own() -> None:
    failed = replace(fakes.live(), recording=RecordingView("a.mcap", "failed", "the disk is full"))
    assert [finding.blame for finding in findings(failed)] == ["HOST"]
    assert "the disk is full" in findings(failed)[0].sentence
    short = replace(fakes.live(), recording=RecordingView("a.mcap", "recording", disk_left_s=60.0))
    assert [finding.who for finding in findings(short)] == ["disk"]
    late = fakes.replay(missed=3)
    assert [finding.who for finding in findings(late)] == ["replay"]
    assert findings(replace(fakes.live(), trouble="the bench has stopped"))[0].rank == 0


def test_the_worst_comes_first() -> None:
    ranks = [finding.rank for finding in findings(fakes.trouble())]
    assert ranks == sorted(ranks)
    assert ranks[0] == 0


@given(st.integers(1, 300), st.integers(1, 100), st.integers(0, 40), st.integers(0, 60), st.integers(0, 9),
       st.booleans(), st.booleans())  # fmt: skip
def test_every_terminal_has_a_layout_that_fits(width, height, boards, plots, said, replay, classes) -> None:
    found = arrange(width, height, boards, plots, said, replay, classes)
    fixed = 2 + found.verdict + found.transport + found.classes + found.boards
    assert found.plot >= 1
    assert found.across >= 1
    if height >= 24:
        assert fixed + found.log + (found.side if found.narrow else 0) + min(found.plot, 6) <= height
    if width >= 80:
        assert found.across == 1 or (width - (0 if found.narrow else found.side)) // found.across >= 36


@given(st.text(max_size=60), st.integers(1, 40))
def test_wrapping_keeps_every_word_in_order(words, width) -> None:
    rows = cells.wrap([(words, cells.TEXT)], width)
    assert "".join(cells.text(row) for row in rows).split() == [] or "".join(
        "".join(cells.text(row).split()) for row in rows
    ) == "".join(words.split())


@given(st.text())
def test_no_text_of_a_board_steers_the_terminal(words) -> None:
    cleaned = clean(words)
    assert len(cleaned) == len(words)
    assert not any(ord(sign) < 32 or 0x7F <= ord(sign) < 0xA0 for sign in cleaned)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_without_colour_no_ink_has_one_and_with_colour_every_ink_can_be_told_from_its_ground(theme) -> None:
    pairs, words = range(cells.HEAT, cells.HEAT + 256), range(cells.HEAT_TEXT, cells.HEAT_TEXT + 16)
    inks = [*range(16), *pairs, *(ink + at * cells.HEAT_INKS for ink in words for at in range(len(COLOURMAPS)))]
    for ink in inks:
        for place in (PLAIN, BAR, FOCUSED):
            plain = Palette(theme, colour=False).style(ink, place)
            assert plain.color is None
            assert plain.bgcolor is None
            style = Palette(theme).style(ink, place)
            if ink not in pairs:
                assert contrast(style.color.triplet, style.bgcolor.triplet) > 3.2


def contrast(front, back) -> float:
    """Contrast ratio as web accessibility rules define it."""

    def light(triplet) -> float:
        parts = [value / 255 for value in triplet]
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    one, other = sorted((light(front), light(back)))
    return (other + 0.05) / (one + 0.05)


def test_the_scene_steps_as_the_keys_say() -> None:
    scene = Scene(latest=fakes.live())
    assert scene.freeze().held is scene.latest
    assert scene.freeze().freeze().held is None
    assert scene.zoom(-99).seconds == BASES[0]
    assert scene.zoom(99).seconds == BASES[-1]
    frozen = scene.freeze()
    assert frozen.view(100, 10).end_ns == fakes.NOW
    assert not frozen.view(100, 10).envelopes
    assert frozen.zoom(1).view(100, 10).envelopes
    assert frozen.streams is scene.latest.streams
    gone = replace(scene, only="imu").seen(replace(fakes.live(), boards=()))
    assert gone.only == ""
    assert [next_speed(1.0, 1), next_speed(1.0, -1), next_speed(None, -1), next_speed(1000.0, 1)] == [
        2.0,
        0.5,
        1000.0,
        None,
    ]


def test_nothing_is_sent_to_an_engine_that_is_not_there() -> None:
    assert isinstance(decide("record", Scene()), Refusal)
    assert isinstance(decide("record", Scene(latest=fakes.live(), lost="gone")), Refusal)
    assert decide("record", Scene(latest=fakes.live())) == Command("record")


def test_a_key_of_a_replay_waits_for_an_engine_that_is_still_starting() -> None:
    for scene, words in ((Scene(), "does not answer yet"), (Scene(latest=fakes.live()), "live bench")):
        for refused in (go_to(scene, "5"), loop_ab(scene)[1][0]):
            assert isinstance(refused, Refusal)
            assert words in refused.sentence


def test_a_sentence_at_the_foot_is_told_to_its_end() -> None:
    sentence = "an Allan deviation belongs to a plot of channels: focus one with tab, then press the key again"
    rows = stage.foot(sentence, True, (), (), 80)
    assert all(len(cells.text(row)) <= 80 for row in rows)
    assert " ".join(cells.text(row).strip() for row in rows) == f"✖ {sentence}"


def test_what_is_recorded_counts_for_more_than_the_time_of_day() -> None:
    scene = Scene(latest=fakes.recording()).freeze()
    wide, narrow = (cells.text(stage.status(scene, width)) for width in (120, 80))
    assert "UTC" in wide
    assert "UTC" not in narrow
    for line in (wide, narrow):
        assert "FROZEN" in line
        assert re.search(r"◉ REC \S+ \S+ [kM]?B", line)
    assert len(narrow) <= 80


def test_words_keep_to_their_width() -> None:
    for width in (60, 80, 120, 200):
        for shown in (fakes.live(), fakes.trouble(), fakes.replay()):
            _, table = panes.boards(shown, width)
            assert len(table) == len(shown.boards)
            for row in panes.labels(shown.predictions, width, 8) + panes.ledger(shown, width, 20):
                assert len(cells.text(row)) <= width
