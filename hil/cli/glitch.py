"""What `hil capture --pre-trigger` asks of the command line: options into a configuration, keys into triggers.

Rule of this room: on a terminal one key is enough; of a pipe each line is a trigger, and its words say what was seen.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from firmware_bridge.errors import BridgeError, UsageError
from hil.cli.common import talk

if TYPE_CHECKING:
    from pathlib import Path

    from hil.config import EngineConfig, GlitchConfig
    from hil.engine.engine import Engine
    from hil.engine.summary import Summary
    from hil.views.snapshot import Snapshot

__all__ = ["capture_glitches", "glitch_config", "keyboard"]


def glitch_config(
    before_s: float, after_s: float, thresholds: Sequence[str] | None, confidences: Sequence[str] | None,
    on_mark: bool, on_anomaly: bool, count: int | None, output: "Path | None", about: Mapping[str, str],
    has_model: bool,
) -> "GlitchConfig":  # fmt: skip
    """Return what is kept for glitches; without a pre-trigger nothing is.

    Raises:
        UsageError: A trigger without a pre-trigger, a confidence without a model, a limit that cannot be meant.
    """
    from hil.config import GlitchConfig
    from hil.monitor.triggers import parse_confidence, parse_threshold

    if not before_s:
        if thresholds or confidences or on_mark or on_anomaly or count:
            raise UsageError("a trigger without seconds before it keeps nothing", "capture", "add --pre-trigger 30")
        return GlitchConfig(before_s=0.0)
    if confidences and not has_model:
        raise UsageError("no model decides anything here", "--confidence", "add --model FILE")
    for read, texts in ((parse_threshold, thresholds), (parse_confidence, confidences)):
        for text in texts or ():
            read(text)
    if before_s < 0 or after_s < 0 or before_s > 3600 or after_s > 3600:
        raise UsageError("that is no length of time", "--pre-trigger, --post-trigger", "give 0 to 3600 seconds")
    return GlitchConfig(
        before_s=before_s, after_s=after_s, thresholds=tuple(thresholds or ()), confidences=tuple(confidences or ()),
        on_mark=on_mark, on_anomaly=on_anomaly, count=count, output=None if output is None else str(output),
        about={key: text for key, text in about.items() if text},
    )  # fmt: skip


def capture_glitches(config: "EngineConfig", seconds: float | None, tell: "Callable[[Snapshot], None]") -> "Summary":
    """Run an engine that saves glitches until it is enough; keys trigger, and limits that mean no channel are told."""
    from hil.capture import capture

    running: Engine | None = None
    looked = False

    def propose(recording: "Path") -> "Path":
        from hil.scenario.glitch import propose as write  # when the first glitch is saved: it is heavy

        return write(recording)

    def look(now: "Snapshot") -> None:
        nonlocal looked
        tell(now)
        looked = looked or (running is not None and _tell_unmatched(running))

    with keyboard() as listen:

        def started(engine: "Engine") -> None:
            nonlocal running
            running = engine
            listen(engine)

        return capture(config, seconds=seconds, on_snapshot=look, propose=propose, on_start=started, say=talk)


@contextmanager
def keyboard() -> "Iterator[Callable[[Engine], None]]":
    """Give what lets keys of the terminal (or lines of a pipe) trigger a running engine; the terminal is given back."""
    descriptor = _descriptor()
    if descriptor is None or not os.isatty(descriptor):
        yield _listening(_lines)
        return
    try:
        import termios
        import tty
    except ImportError:  # Windows: a line at a time
        yield _listening(_lines)
        return
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield _listening(lambda engine: _keys(engine, descriptor))
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _tell_unmatched(engine: "Engine") -> bool:
    """Say which thresholds are about no channel; return whether every board is known, so that it could be said."""
    setups = engine.setups()
    if any(setup.info is None for setup in setups):
        return False
    streams = [(one.role, stream.name, stream.channels) for one in setups if one.info for stream in one.info.streams]
    for text in engine.glitches.triggers.unmatched(streams):
        there = ", ".join(f"{stream}.{channel}" for _, stream, channels in streams for channel in channels)
        talk(f"--threshold {text}: no board has such a channel; there are {there}")
    return True


def _descriptor() -> int | None:
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def _listening(listen: "Callable[[Engine], None]") -> "Callable[[Engine], None]":
    return lambda engine: threading.Thread(target=listen, args=(engine,), name="keys", daemon=True).start()


def _lines(engine: "Engine") -> None:
    for line in iter(sys.stdin.readline, ""):
        _do(engine, "glitch", {"text": line.strip()} if line.strip() else {})


def _keys(engine: "Engine", descriptor: int) -> None:
    while key := os.read(descriptor, 1):
        if key == b"m":
            _do(engine, "mark", {"text": "mark"})
        elif key in (b" ", b"\n", b"\r", b"g"):
            _do(engine, "glitch", {})


def _do(engine: "Engine", verb: str, arguments: Mapping[str, Any]) -> None:
    try:
        engine.command(verb, **arguments)
    except BridgeError as error:
        talk(f"hil: {error}")
