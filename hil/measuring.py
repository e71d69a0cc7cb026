"""Recording a board in order to measure it: how the figures come on, a line a stream every few seconds.

The same engine, the same file and the same curve as on the screen. What is told meanwhile is the rate, what was lost
and the Allan deviation so far; everything else is measured on the file at the end. Time is the engine's clock.
"""

import threading
from collections.abc import Callable, Iterator

import numpy as np

from firmware_bridge.clock import Clock
from hil.capture import interruptible, run_for
from hil.config import EngineConfig
from hil.engine.engine import Engine
from hil.engine.summary import Summary
from hil.report.words import duration, interval, scale_for, value
from hil.views.allan import AllanView
from hil.views.snapshot import Snapshot, StreamView
from hil.views.view import View

__all__ = ["progress_lines", "record_and_tell"]

EVERY_NS = 5_000_000_000
"""Bench time between two lines of a stream."""


def record_and_tell(
    config: EngineConfig, say: Callable[[str], object], *, seconds: float | None = None, clock: Clock | None = None,
    stop: threading.Event | None = None,
) -> Summary:  # fmt: skip
    """Record until it is enough, tell how the figures come on, and return what came of it.

    Args:
        config: What to record; `record` says into which file.
        say: Told each line.
        seconds: Stop after so long; None: until Ctrl-C, or until every board has ended.
        clock: Time.
        stop: Ends it when set; None: Ctrl-C and SIGTERM end it.

    Raises:
        BridgeError: A port cannot be opened or a file not made.
    """
    due: int | None = None
    named = ""
    hurried = threading.Event()
    with interruptible(stop, hurried) as ended, Engine(config, clock) as engine:
        engine.hurried = hurried
        for snapshot in run_for(engine, seconds, ended):
            recording = snapshot.recording
            if recording is not None and recording.path != named:
                named = recording.path
                say(f"recording into {named}")
            if recording is not None and recording.state == "failed":
                break
            if due is None:
                due = snapshot.now_ns + EVERY_NS
            elif snapshot.now_ns >= due:
                due = snapshot.now_ns + EVERY_NS
                for line in progress_lines(engine.snapshot, snapshot):
                    say(line)
        if stop is None:
            ended.set()  # from now on Ctrl-C means that the end is to be hurried
        engine.close(say)
    return engine.summary()


def progress_lines(look: Callable[[View], Snapshot], snapshot: Snapshot) -> Iterator[str]:
    """Yield a line a stream.

    Args:
        look: Gives a snapshot for a view; asked for the curve of each stream.
        snapshot: The newest one.
    """
    lost = {board.role: board.lost for board in snapshot.boards}
    for stream in snapshot.streams:
        asked = View(envelopes=False, images=False, boards=(stream.board,), log_lines=0, history=0,
                     allan=(stream.board, stream.name))  # fmt: skip
        curve = None if stream.is_image else look(asked).allan
        gone = lost.get(stream.board)
        hertz = "rate unknown" if stream.measured_hz is None else f"{stream.measured_hz:.2f} Hz"
        counted = f"{stream.samples:,}".replace(",", " ")
        parts = [f"{stream.board}/{stream.name}", f"{counted} samples", hertz,
                 f"lost {'unknown' if gone is None else gone}"]  # fmt: skip
        yield "  ".join([*parts, *([_noise(curve, stream)] if curve is not None else [])])


def _noise(curve: AllanView, stream: StreamView) -> str:
    """Return the Allan deviation so far, at the averaging time nearest to 1 s that it has reached."""
    if curve.sentence or not len(curve.tau_s):
        return curve.sentence
    at = int(np.argmin(np.abs(np.log(curve.tau_s))))
    told = []
    for channel, name in enumerate(stream.channels):
        numbers = [float(row[channel, at]) for row in (curve.deviation, curve.low, curve.high)]
        middle, low, high = (number if np.isfinite(number) else None for number in numbers)
        scale = scale_for(stream.units[channel], [middle])
        ends = interval(middle, low, high, scale)
        told.append(f"{name} {value(middle, low, high, scale)} {scale.unit}{f' ({ends})' if ends else ''}")
    rest = f"at rest {duration(curve.rest_s)}" + ("" if curve.resting else ", moves now: left out")
    return f"{rest}  Allan deviation at {float(curve.tau_s[at]):.3g} s: {', '.join(told)}"
