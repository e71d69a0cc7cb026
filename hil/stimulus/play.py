"""A recording played into a board, live: the core of `hil replay FILE --on PORT`.

Rule of this room: the thin shell. It opens the port, writes all that passes into a recording where one is wanted (both
ways, so that it can be verified like any other), and ends when everything came back, the board gives up, or it is
asked to.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from firmware_bridge.bridge import Bridge
from firmware_bridge.clock import Clock, Patience, SystemClock
from firmware_bridge.errors import NoAnswer, UsageError
from firmware_bridge.events import Arrival, Mark
from firmware_bridge.plan import never
from firmware_bridge.roles import PortSpec
from hil.recording.header import BoardSetup, Header
from hil.recording.marks import Label
from hil.recording.writer import RecordingWriter
from hil.stimulus.feed import Feeder, fed
from hil.stimulus.match import Match
from hil.stimulus.readings import Readings

__all__ = ["Played", "play"]

MEET_S = 10.0
ROLE = "dut"
"""What a board is called that was given no name."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it: where it was played, what was matched, the recording that was made, and remarks."""

    role: str
    port: str
    match: Match
    recording: Path | None
    remarks: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        recording = None if self.recording is None else str(self.recording)
        return {"board": self.role, "port": self.port, **self.match.as_dict(), "recording": recording,
                "remarks": list(self.remarks)}  # fmt: skip


def play(
    given: Sequence[Readings],
    spec: PortSpec,
    *,
    speed: float = 1.0,
    output: Path | None = None,
    source: str = "",
    clock: Clock | None = None,
    stop: Callable[[], bool] = never,
    progress: Callable[[float], None] = lambda _: None,
) -> Played:
    """Push recorded readings into a live board and match what comes back.

    Args:
        given: Streams of one recorded board; the one that fits best is pushed.
        spec: The board.
        speed: How much faster than recorded.
        output: A recording to make of it; never overwritten.
        source: What is played, for the recording.
        clock: Time.
        stop: Asked now and then; true ends it.
        progress: Called with the share of the readings that came back.

    Raises:
        UsageError: The board cannot take the readings; the sentence says why.
        NoAnswer: Nobody answered.
        BridgeError: The port cannot be opened or the recording not made.
    """
    clock = clock or SystemClock()
    role = spec.role or ROLE
    feeder = Feeder(role, given, speed)
    with ExitStack() as stack:
        bridge = stack.enter_context(Bridge([replace(spec, role=role, injected=feeder.choose)], clock))
        writer = None
        if output is not None:
            writer = stack.enter_context(closing(RecordingWriter(output, _header(bridge, given, source, clock))))
        met = _meet(bridge, clock, feeder)
        for arrival in met:
            _write(writer, arrival)
        for arrival in fed(bridge, clock.now_ns, [feeder], met):
            _write(writer, arrival)
            progress(feeder.share)
            if stop() and not feeder.ended:
                feeder.why = "ended by the user"
        bridge.close()
        for arrival in bridge.take(0.0):
            _write(writer, arrival)
        if writer is not None:
            for label in feeder.labels():
                _mark(writer, label)
    return Played(role, spec.port, feeder.match(), output, tuple(feeder.remarks))


def _meet(bridge: Bridge, clock: Clock, feeder: Feeder) -> list[Arrival]:
    """Wait until the board said who it is; return what came."""
    came: list[Arrival] = []
    patience = Patience(clock, MEET_S)
    while (state := bridge.boards()[0]).info is None:
        if patience.over():
            why = f": {state.reason}" if state.reason else ""
            raise NoAnswer(f"no board answered{why}", state.port, "check power and port")
        came += bridge.take(0.05)
    if sentence := feeder.refusal(state.info):
        raise UsageError(sentence, state.port, "name another board, or another recording")
    return came


def _header(bridge: Bridge, given: Sequence[Readings], source: str, clock: Clock) -> Header:
    state = bridge.boards()[0]
    setup = BoardSetup(state.role, state.port, state.dialect, state.nonce)
    about = {"person": given[0].person} if given[0].person else {}
    return Header(clock.now_ns(), (setup,), about=about, extra={"stimulus": source} if source else {})


def _write(writer: RecordingWriter | None, arrival: Arrival) -> None:
    if writer is not None:
        writer.write(arrival)


def _mark(writer: RecordingWriter, label: Label) -> None:
    writer.mark(Mark(label.board, label.start_ns, label.text, "start", label.author))
    if label.stop_ns is not None:
        writer.mark(Mark(label.board, label.stop_ns, label.text, "stop", label.author))
