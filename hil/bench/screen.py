"""The screen's CPU: a picture of eight charts with six channels each, beside textual-plot drawing the same readings.

Both sides run as whole Textual apps of 200x50 cells with titles, legends and axes, and both write their pictures to a
terminal driver that throws the bytes away, so that the making of escape sequences is counted too. Both get envelopes
of as many columns as they can show. The other rows are the screen that people use, on a real bench: see `onscreen`.
"""

import asyncio
import queue
import sys
import threading
from collections.abc import Callable
from time import process_time
from typing import Any, Protocol, cast

import numpy as np
from textual.app import App, ComposeResult
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from hil.bench import onscreen
from hil.bench.row import Row, judge, paired
from hil.tui.charts import canvas, chart
from hil.tui.plot import Plot
from hil.views.snapshot import StreamView

__all__ = ["run"]

BAR = 4.0
PLOTS, CHANNELS, WIDTH, HEIGHT = 8, 6, 200, 50
COLUMNS = chart.plot_columns(WIDTH // 2)


class NullDriver(HeadlessDriver):
    """A terminal that takes everything and shows nothing."""

    @property
    def is_headless(self) -> bool:
        """False: pictures are made into bytes as for a real terminal."""
        return False

    def write(self, data: str) -> None:
        """Forget."""


def _stream(board: str, phase: int) -> StreamView:
    """Two seconds of noisy sines that have moved on by `phase` columns."""
    t = (np.arange(COLUMNS * 8) + phase * 8) / 100
    noise = np.random.default_rng(phase % 97).standard_normal((len(t), CHANNELS)) * 0.1
    values = np.stack([np.sin(t * (1 + channel / 3) + channel) for channel in range(CHANNELS)], axis=1) + noise
    low, high = canvas.envelope(values, COLUMNS)
    names = ("ax", "ay", "az", "wx", "wy", "wz")
    return StreamView(
        board, "imu", names, ("g",) * CHANNELS, 1000.0, 1000.0, False, len(t), 0, 2_000_000_000, low, high,
        np.zeros(COLUMNS, np.bool_), values[-1].astype(np.float32),
    )  # fmt: skip


_FRAMES = 24
_STREAMS = [[_stream(f"board{plot}", 31 * plot + 7 * at) for plot in range(PLOTS)] for at in range(_FRAMES)]


class _Drawn(Protocol):
    """An app that can be told to show picture number `at`."""

    def draw(self, at: int) -> None:
        """Change what is shown."""


class _Ours(App[None]):
    CSS = "Screen { layout: grid; grid-size: 2 4; }"

    def compose(self) -> ComposeResult:
        for stream in _STREAMS[0]:
            yield Plot(chart.panels([stream])[0])

    def draw(self, at: int) -> None:
        for plot, stream in zip(self.query(Plot), _STREAMS[at % _FRAMES], strict=True):
            plot.show_stream(stream)


def _theirs() -> App[None]:
    from textual_plot import HiResMode, PlotWidget

    inks = ("cyan", "yellow", "green", "magenta", "red", "blue")
    x = np.repeat(np.linspace(-2.0, 0.0, COLUMNS), 2)

    class Theirs(App[None]):
        CSS = "Screen { layout: grid; grid-size: 2 4; } PlotWidget { height: 100%; width: 100%; }"

        def compose(self) -> ComposeResult:
            for _ in range(PLOTS):
                yield PlotWidget()

        def draw(self, at: int) -> None:
            for plot, stream in zip(self.query(PlotWidget), _STREAMS[at % _FRAMES], strict=True):
                plot.clear()
                for channel in range(CHANNELS):
                    y = np.stack([stream.low[channel], stream.high[channel]], axis=1).reshape(-1)
                    plot.plot(
                        x, y, line_style=inks[channel], hires_mode=HiResMode.BRAILLE, label=stream.channels[channel]
                    )
                plot.set_xlimits(-2.0, 0.0)
                plot.set_ylimits(-2.0, 2.0)
                plot.show_legend()

    return Theirs(driver_class=NullDriver)


class _Stage:
    """One app on a thread and a loop of its own, drawn from outside picture by picture."""

    def __init__(self, make: Callable[[], App[Any]]) -> None:
        self._asked: asyncio.Queue[int] = asyncio.Queue()
        self._drawn: queue.Queue[BaseException | None] = queue.Queue()
        self._at = 0
        self._thread = threading.Thread(target=self._run, args=(make,), daemon=True)
        self._thread.start()
        self._await()

    def _run(self, make: Callable[[], App[Any]]) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            app = make()

            async def pilot(pilot: Pilot[Any]) -> None:
                await pilot.pause()
                self._drawn.put(None)
                while frames := await self._asked.get():
                    for _ in range(frames):
                        done = asyncio.Event()
                        self._at += 1
                        cast("_Drawn", app).draw(self._at)
                        app.screen.call_after_refresh(done.set)
                        await done.wait()
                    self._drawn.put(None)
                app.exit()

            await app.run_async(size=(WIDTH, HEIGHT), auto_pilot=pilot)
            if app.return_code:
                raise RuntimeError(f"{type(app).__name__} ended with status {app.return_code}")

        try:
            asyncio.run(main())
        except BaseException as error:  # handed to the thread that waits for a picture
            self._drawn.put(error)

    def _await(self) -> None:
        if (error := self._drawn.get(timeout=120)) is not None:
            raise error

    def seconds(self, frames: int) -> float:
        """CPU seconds of one picture."""
        start = process_time()
        self._loop.call_soon_threadsafe(self._asked.put_nowait, frames)
        self._await()
        return (process_time() - start) / frames

    def close(self) -> None:
        """End the app."""
        self._loop.call_soon_threadsafe(self._asked.put_nowait, 0)
        self._thread.join(10)


def run(quick: bool = False) -> list[Row]:
    """Measure; `quick` draws fewer pictures a round."""
    rounds, frames, frames_theirs = (9, 6, 2) if quick else (15, 20, 5)
    talk = sys.stdout, sys.stderr
    ours, theirs = _Stage(lambda: _Ours(driver_class=NullDriver)), _Stage(_theirs)
    try:
        for stage in (ours, theirs):
            stage.seconds(2)
        pairs = paired(
            lambda: ours.seconds(frames), lambda: theirs.seconds(frames_theirs), rounds=rounds, self_timed=True
        )
    finally:
        for stage in (ours, theirs):
            stage.close()
        sys.stdout, sys.stderr = talk  # each app puts back what it found, and here that was another app
    what = f"screen, CPU per picture with axes and legend, {PLOTS} plots x {CHANNELS} channels, {WIDTH}x{HEIGHT}"
    return [judge(what, pairs.ours_s * 1e3, "ms", "textual-plot", pairs.ratios, BAR), *onscreen.run(quick)]
