"""A screen draws what has changed, leaves out what a slow terminal cannot take, and says how long pictures took."""

import os
import threading
from dataclasses import replace

import numpy as np
import pytest
import screen_fakes as fakes
from screen_frames import drive
from screen_presses import SIZE

from hil.tui.app import HilApp
from hil.tui.state.still import rests, unchanged
from hil.tui.terminal.beat import RESTING
from hil.tui.terminal.outlet import Outlet
from hil.tui.terminal.pace import Pace
from hil.views.snapshot import LogLine


def test_an_account_knows_what_pictures_took_and_never_invents_a_figure() -> None:
    pace = Pace()
    assert pace.figures()["wall_ms"] == {"p50": None, "p99": None, "p999": None, "max": None}
    pace.end(5, 5)
    for number in range(1, 101):
        pace.begin(0, 0)
        pace.begin(7, 7)  # an answer that came while a picture was made: they are one
        pace.end(number * 2_000_000, number * 1_000_000)
    told = pace.figures()
    assert told["drawn"] == 100
    assert told["cpu_ms"] == {"p50": 51.0, "p99": 100.0, "p999": 100.0, "max": 100.0}
    assert told["wall_ms"]["max"] == 200.0  # type: ignore[index]


def test_an_outlet_has_taken_what_the_system_took_and_nothing_before() -> None:
    reading, writing = os.pipe()
    words = "x" * 300_000  # more than a pipe holds
    with os.fdopen(writing, "w") as file:
        outlet = Outlet(file)
        assert outlet.fileno() == writing
        writer = threading.Thread(target=outlet.write, args=(words,))
        writer.start()
        left = len(words)
        while left:
            assert left < 150_000 or outlet.taken == 0  # the end of it lies in the pipe itself
            left -= len(os.read(reading, min(left, 65536)))
        writer.join(30)
        assert outlet.taken == len(words)
    os.close(reading)


@pytest.mark.screen
def test_a_terminal_that_is_behind_gets_no_picture_until_it_has_taken_the_last_one() -> None:
    client = fakes.FakeClient()

    async def steps(app: HilApp, pilot) -> None:
        driver = app._driver
        assert driver is not None
        asked = len(client.views)
        driver.waiting = 1  # type: ignore[attr-defined]  # as that of a terminal does
        for _ in range(5):
            app.live.tick()
        assert (len(client.views), app.place.pace.late) == (asked, 5)
        driver.waiting = 0  # type: ignore[attr-defined]
        app.live.tick()
        await pilot.pause()
        assert (len(client.views), app.place.pace.late) == (asked + 1, 5)

    drive(client, SIZE, steps)


@pytest.mark.screen
def test_a_bench_at_rest_is_asked_less_often_and_a_key_wakes_the_screen() -> None:
    client = fakes.FakeClient()

    async def steps(app: HilApp, pilot) -> None:
        def asked(beats: int) -> int:
            before = len(client.views)
            for _ in range(beats):
                if app.live.beat.strike():
                    app.live.tick()
            return len(client.views) - before

        assert asked(3 * RESTING) == 3
        await pilot.press("tab")
        assert asked(1) == 1

    drive(client, SIZE, steps)


def test_what_looks_the_same_is_the_same_object_and_what_moved_is_not() -> None:
    first = fakes.live()
    again = unchanged(first, fakes.live())
    assert all(one is other for one, other in zip(first.streams, again.streams, strict=True))
    assert rests(first, again)
    second = 10**9
    later = unchanged(first, _shifted(fakes.live(), second))
    assert not any(one is other for one, other in zip(first.streams, later.streams, strict=True))
    empty = _emptied(first)
    assert rests(empty, unchanged(empty, _shifted(_emptied(fakes.live()), second)))
    assert not rests(empty, unchanged(empty, fakes.live()))
    for facts in ({"predictions": ()}, {"log": (LogLine(1, "", "info", "hello"),)}, {"streams": first.streams[1:]}):
        assert not rests(first, unchanged(first, replace(fakes.live(), **facts)))
    assert not rests(None, unchanged(None, first))


def _shifted(snapshot, by_ns: int):
    moved = [replace(one, start_ns=one.start_ns + by_ns, end_ns=one.end_ns + by_ns) for one in snapshot.streams]
    return replace(snapshot, streams=tuple(moved))


def _emptied(snapshot):
    gone = [replace(one, low=np.full_like(one.low, np.nan), high=np.full_like(one.high, np.nan),
                    gaps=np.zeros_like(one.gaps)) for one in snapshot.streams]  # fmt: skip
    return replace(snapshot, streams=tuple(gone))
