"""The mouse on the plots of the live page and on the lines of keys: what is pointed at is what is meant."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import screen_fakes as fakes
from hypothesis import given
from hypothesis import strategies as st
from screen_frames import drive, frame
from textual import events

from hil.tui import pointing
from hil.tui.app import HilApp
from hil.tui.charts import overlay
from hil.tui.charts.axes import GUTTER
from hil.tui.charts.cells import DIM, KEY, TEXT, blank, rows
from hil.tui.charts.chart import panels
from hil.tui.keys import KEYS
from hil.tui.plot import Plot
from hil.tui.pointing import Drag
from hil.tui.remembered import bench_of, load, save
from hil.tui.state import valuerange
from hil.tui.state.look import Look
from hil.tui.state.state import BASES, Scene

SIZE = (120, 35)


class Hand:
    """A mouse, in cells of the screen or of a pane, whose events come as those of a terminal do."""

    def __init__(self, app: HilApp, pilot: Any) -> None:
        self.app, self.pilot = app, pilot

    @property
    def plot(self) -> Plot:
        return next(iter(self.app.live.painter.charts.values()))

    async def does(
        self, kind: type[events.MouseEvent], x: int, y: int, button: int = 1, ctrl: bool = False
    ) -> None:  # fmt: skip
        driver = self.app._driver
        assert driver is not None
        driver.send_message(kind(None, x, y, 0, 0, button, shift=False, meta=False, ctrl=ctrl, screen_x=x, screen_y=y))
        await self.pilot.pause()

    async def click(self, x: int, y: int) -> None:
        await self.does(events.MouseDown, x, y)
        await self.does(events.MouseUp, x, y)
        await self.pilot.pause()  # a click on a key is a key

    async def drag(self, first: int, last: int, y: int = 4) -> None:
        """Drag from one column of the first plot to another one."""
        left, top = self.plot.region.offset
        await self.does(events.MouseDown, left + first, top + y)
        await self.does(events.MouseMove, left + (first + last) // 2, top + y)
        await self.does(events.MouseMove, left + last, top + y)
        await self.does(events.MouseUp, left + last, top + y)

    async def title(self, words: str) -> None:
        """Click on words in the title of the first plot."""
        left, top = self.plot.region.offset
        await self.click(left + "".join(run for run, _ in self.plot.row(0)).index(words) + 1, top)


def with_hand(then: Callable[[Hand], Any]) -> None:
    async def steps(app: HilApp, pilot: Any) -> None:
        await then(Hand(app, pilot))

    drive(fakes.FakeClient(), SIZE, steps)


@pytest.mark.screen
def test_a_drag_freezes_the_picture_looks_closer_at_its_stretch_and_escape_goes_back() -> None:
    async def then(hand: Hand) -> None:
        plot, scene = hand.plot, lambda: hand.app.live.scene
        columns = plot.size.width - GUTTER - 1
        await hand.drag(GUTTER + columns // 4, GUTTER + columns // 2)
        frozen = scene()
        assert frozen.held is not None
        assert frozen.look.cursor_s is None  # the click that ends a drag is none
        assert frozen.seconds == pytest.approx(2.5, abs=10 / columns)
        assert frozen.holds_ns == pytest.approx(fakes.NOW - 5 * fakes.SECOND, abs=fakes.SECOND / columns * 10)
        await hand.drag(GUTTER + 10, GUTTER + 11)  # an unsteady click
        assert scene().seconds == frozen.seconds
        assert scene().look.cursor_s is not None
        await hand.pilot.press("escape")
        assert (scene().held, scene().seconds) == (None, 10.0)

    with_hand(then)


@pytest.mark.screen
def test_while_a_drag_goes_on_its_stretch_is_seen_and_one_whose_end_was_never_told_is_over() -> None:
    async def then(hand: Hand) -> None:
        left, top = hand.plot.region.offset
        await hand.does(events.MouseDown, left + 12, top + 3)
        await hand.does(events.MouseMove, left + 20, top + 3)
        assert "━" * 9 in frame(hand.app)
        assert hand.app.mouse_captured is hand.plot
        await hand.does(events.MouseMove, left + 21, top + 3, button=0)
        assert "━" * 9 not in frame(hand.app)
        assert hand.app.mouse_captured is None
        assert hand.app.live.scene.held is None

    with_hand(then)


@pytest.mark.screen
def test_a_click_on_a_channel_in_the_title_hides_it_and_another_one_shows_it_again() -> None:
    async def then(hand: Hand) -> None:
        look = lambda: hand.app.live.scene.look  # noqa: E731  # what it is at the time
        before = frame(hand.app)
        await hand.title("━ay")
        assert look().hidden == {"watch/samples/g": ("ay",)}
        assert "╌ay" in frame(hand.app)
        await hand.title("━ax")
        await hand.title("━az")
        assert look().hidden == {"watch/samples/g": ("ax", "ay")}
        assert "az is the last channel" in frame(hand.app)
        await hand.title("╌ax")
        await hand.title("╌ay")
        assert look().hidden == {}
        assert frame(hand.app).splitlines()[7:20] == before.splitlines()[7:20]

    with_hand(then)


@pytest.mark.screen
def test_a_click_on_a_page_or_on_a_key_at_the_foot_does_what_the_key_does() -> None:
    async def then(hand: Hand) -> None:
        foot = frame(hand.app).splitlines()[-1]
        for words, seconds in (("− time", 20.0), ("+ −", 10.0), ("time", 5.0)):  # of a name the first sign
            await hand.click(foot.index(words), SIZE[1] - 1)
            assert hand.app.live.scene.seconds == seconds
        await hand.click(foot.index("freeze"), SIZE[1] - 1)
        assert hand.app.live.scene.held is not None
        await hand.pilot.press("end")
        top = frame(hand.app).splitlines()[0]
        for words, name in (("Recordings", "recordings"), ("F6", "doctor"), ("Live", "live")):
            await hand.click(top.index(words), 0)
            await hand.pilot.pause()
            assert hand.app.page.info.name == name
            top = frame(hand.app).splitlines()[0]

    with_hand(then)


@pytest.mark.screen
def test_the_wheel_over_the_numbers_of_an_axis_looks_closer_at_values_and_a_double_click_goes_back() -> None:
    async def then(hand: Hand) -> None:
        plot, scene = hand.plot, lambda: hand.app.live.scene
        left, top = plot.region.offset
        before, free = frame(hand.app), plot.span
        assert free is not None
        await hand.does(events.MouseScrollUp, left + 3, top + 1)  # the uppermost row: its end hardly moves
        low, high = scene().look.spans["watch/samples/g"]
        assert free[0] < low < high < free[1]
        assert free[1] - high < low - free[0]
        assert (plot.span, scene().seconds) == ((low, high), 10.0)
        assert "↕" in frame(hand.app)
        await hand.does(events.MouseScrollDown, left + 3, top + 1)
        assert plot.span == pytest.approx(free)
        await hand.does(events.MouseScrollUp, left + 20, top + 4, ctrl=True)
        assert plot.span is not None
        assert plot.span[1] - plot.span[0] == pytest.approx((free[1] - free[0]) / 1.5)
        await hand.does(events.MouseScrollUp, left + 20, top + 4)
        assert scene().seconds == 5.0
        await hand.does(events.MouseScrollDown, left + 20, top + 4)
        await hand.click(left + 2, top + 4)
        await hand.click(left + 2, top + 4)
        assert scene().look.spans == {}
        assert scene().look.cursor_s is None  # a click on the numbers is no click into the picture
        assert frame(hand.app).replace("▸", " ") == before.replace("▸", " ")  # all but who has the focus

    with_hand(then)


@pytest.mark.screen
def test_a_drag_on_the_numbers_of_a_value_axis_moves_its_values_along_with_the_mouse() -> None:
    async def then(hand: Hand) -> None:
        left, top = hand.plot.region.offset
        free = hand.plot.span
        assert free is not None
        await hand.does(events.MouseDown, left + 3, top + 2)
        await hand.does(events.MouseMove, left + 3, top + 3)
        await hand.does(events.MouseMove, left + 30, top + 4)
        by = (free[1] - free[0]) * 2 / (hand.plot.body_height - 1)
        assert hand.plot.span == pytest.approx((free[0] + by, free[1] + by))
        await hand.does(events.MouseUp, left + 30, top + 4)
        await hand.does(events.MouseMove, left + 3, top + 6, button=0)
        assert hand.plot.span == pytest.approx((free[0] + by, free[1] + by))
        assert hand.app.live.scene.held is None  # time stands still for nobody who moves values
        assert hand.app.mouse_captured is None

    with_hand(then)


SPANS = st.tuples(st.floats(-1e6, 1e6), st.floats(10, 1e6)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(SPANS, st.lists(st.tuples(st.sampled_from((-1, 1)), st.floats(0, 1)), max_size=300), st.floats(-1e9, 1e9))
def test_a_range_stays_one_however_often_it_is_changed(span, steps, lift: float) -> None:
    for by, share in steps:
        span = valuerange.zoomed(span, by, share)
        assert span[0] < span[1]
    low, high = valuerange.moved(span, lift)
    assert low < high
    assert valuerange.span_of([low, high]) == (low, high)


@given(SPANS, st.floats(0, 1))
def test_what_is_pointed_at_stays_where_it_is_when_a_range_changes(span, share: float) -> None:
    low, high = valuerange.zoomed(span, -1, share)
    width = span[1] - span[0]
    assert low + (high - low) * share == pytest.approx(span[0] + width * share, abs=1e-6 * max(map(abs, span)))
    assert valuerange.span_of([high, low]) is None
    assert valuerange.span_of([low, "x"]) is None


def test_a_chosen_range_is_remembered_of_a_bench(tmp_path) -> None:
    bench = bench_of(fakes.live().boards) or {}
    scene = Scene(look=Look(spans={"watch/samples/g": (-1.5, 2.25)}))
    assert save(tmp_path, bench, scene) == ""
    assert load(tmp_path, bench, Scene())[0].look.spans == scene.look.spans


@given(st.floats(0, 10), st.integers(-5, 5), st.integers(-5, 5))
def test_frozen_the_wheel_keeps_the_time_under_the_mouse_where_it_is(at_s: float, first: int, then: int) -> None:
    frozen = Scene().seen(fakes.live(Scene().view(40, 0))).freeze()
    for by in (first, then):
        zoomed = frozen.zoom(by, at_s)
        placed = at_s * zoomed.seconds / frozen.seconds
        assert (frozen.holds_ns, zoomed.holds_ns) != (None, None)
        moved = ((zoomed.holds_ns or 0) - (frozen.holds_ns or 0)) / 1e9
        assert moved == pytest.approx(placed - at_s, abs=1e-6)
        assert zoomed.seconds in BASES
    assert Scene().seen(fakes.live()).zoom(-1, at_s).pan_ns == 0  # what follows the bench ends at now


@given(st.floats(0, 10), st.floats(0, 10))
def test_a_stretch_is_shown_whole_and_the_cursor_keeps_its_time_where_that_is_in_sight(
    one: float, other: float
) -> None:
    begin_s, end_s = max(one, other), min(one, other)
    scene = Scene(look=Look(cursor_s=(begin_s + end_s) / 2)).seen(fakes.live(Scene().view(40, 0)))
    closer = scene.stretch(begin_s, end_s)
    right = ((closer.holds_ns or 0) - fakes.NOW) / 1e9
    assert -right <= end_s + 1e-6
    assert closer.seconds - right >= begin_s - 1e-6
    assert (closer.look.cursor_s or 0.0) - right == pytest.approx((begin_s + end_s) / 2, abs=1e-6)
    assert closer.zoom(-1).stretch(0.05, 0.0).live().seconds == 10.0
    assert closer.live().freeze().zoom(-1).live().seconds == 5.0


def test_what_is_hidden_is_remembered_of_a_bench_and_a_plot_never_hides_all(tmp_path) -> None:
    bench = bench_of(fakes.live().boards) or {}
    scene = Scene(look=Look(hidden={"watch/samples/g": ("ax", "az")}))
    assert save(tmp_path, bench, scene) == ""
    assert load(tmp_path, bench, Scene())[0].look.hidden == scene.look.hidden
    stream = fakes.readings("watch", 2, 1.0)
    panel = panels([stream])[0]
    assert scene.look.seen(panel, stream).channels == (1,)
    every = replace(scene.look, hidden={panel.key: ("ax", "ay", "az")})
    assert every.seen(panel, stream) == panel


def test_a_key_is_found_by_its_sign_or_its_name_and_words_that_are_none_lead_nowhere() -> None:
    line = [(" r ", KEY), ("record ", TEXT), (" + − ", KEY), ("time ", DIM), (" 1-7 ", KEY), ("label ", DIM)]
    found = [pointing.key_at(line, at, KEYS) for at in range(-1, 30)]
    assert found[1:11] == ["r"] * 10
    assert found[11:21] == ["plus"] * 3 + ["minus"] * 2 + ["plus"] * 5
    assert set(found[21:]) == {None}
    assert pointing.key_at([("r", KEY)], 0, ()) is None


def test_a_stretch_that_is_dragged_hides_no_reading_and_stays_in_the_chart() -> None:
    cells = blank(40, 6)
    cells.codes[2, :] = ord("x")
    pointing.lay(cells, Drag(90, -3), 8)
    drawn = rows(cells)
    assert drawn[2] == "x" * 40
    assert drawn[-1] == " " * 8 + "━" * 32
    assert overlay.seconds_at(-3, 10.0, 40) == 10.0
