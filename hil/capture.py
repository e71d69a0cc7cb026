"""Recording without a screen: `hil capture` and everything that records for a while and then says what came of it.

The engine runs in this process; Ctrl-C, the time given, the end of every board, a board that is not there or a disk
that takes no more end it in order, with the file closed and the books in the summary. Time is the engine's clock;
nothing here reads another.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from firmware_bridge.clock import Clock
from hil.config import EngineConfig
from hil.engine.engine import Engine
from hil.engine.glitches import Propose
from hil.engine.summary import Summary
from hil.views.snapshot import Snapshot
from hil.views.view import View

__all__ = ["capture", "interruptible", "run_for"]

LOOK_S = 0.25
"""How often the bench is looked at between."""


def capture(
    config: EngineConfig,
    *,
    seconds: float | None = None,
    clock: Clock | None = None,
    on_snapshot: Callable[[Snapshot], None] | None = None,
    stop: threading.Event | None = None,
    propose: Propose | None = None,
    on_start: Callable[[Engine], None] | None = None,
    say: Callable[[str], object] = str,
) -> Summary:
    """Run an engine until it is enough, and return what came of it.

    Args:
        config: What to do; `record` says what the recording is called, `glitch` what is kept beside or instead.
        seconds: Stop after so long; None: until `stop`, until every board has ended, or all glitches are saved.
        clock: Time.
        on_snapshot: Told how the bench stands, four times a second.
        stop: Ends it when set; None: Ctrl-C and SIGTERM end it.
        propose: Writes the scenario of a glitch.
        on_start: Given the engine once it runs, for whoever commands it.
        say: Told when the end waits for models that are behind; then Ctrl-C ends it without their decisions.

    Raises:
        BridgeError: A port cannot be opened or a file not made.
    """
    hurried = threading.Event()
    with interruptible(stop, hurried) as ended:
        engine = Engine(config, clock, propose, given_up=ended.is_set)
        engine.hurried = hurried
        engine.start()
        try:
            if on_start is not None:
                on_start(engine)
            for snapshot in run_for(engine, seconds, ended):
                if on_snapshot is not None:
                    on_snapshot(snapshot)
                if snapshot.recording is not None and snapshot.recording.state == "failed":
                    break  # going on would look like recording
                if engine.glitches.enough:
                    break
        finally:
            if stop is None:
                ended.set()  # from now on Ctrl-C means that the end is to be hurried
            engine.close(say)
        return engine.summary()


def run_for(
    engine: Engine, seconds: float | None, ended: threading.Event, view: View | None = None
) -> Iterator[Snapshot]:
    """Yield snapshots of a running engine until the time is over, it has ended, or `ended` is set; then one more."""
    view = view or View(envelopes=False, images=False)
    until = None if seconds is None else engine.clock.now_ns() + int(seconds * 1e9)
    while not ended.is_set() and not engine.ended:
        yield engine.snapshot(view)
        left = LOOK_S if until is None else min(LOOK_S, (until - engine.clock.now_ns()) / 1e9)
        if left <= 0:
            return
        ended.wait(left)
    yield engine.snapshot(view)


@contextmanager
def interruptible(
    stop: threading.Event | None = None, again: threading.Event | None = None
) -> Iterator[threading.Event]:  # fmt: skip
    """Give an event that Ctrl-C and SIGTERM set instead of breaking off; `stop` is given back where there is one.

    Args:
        stop: Ends it in place of the signals.
        again: Set by a signal that comes when the event is set already.
    """
    if stop is not None or threading.current_thread() is not threading.main_thread():
        yield stop or threading.Event()
        return
    event = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        (again if again is not None and event.is_set() else event).set()

    numbers = [number for name in ("SIGINT", "SIGTERM") if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
