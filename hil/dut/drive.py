"""The bench's side of a line to a device under test: opens it, keeps the transcript, joins again, and asks.

Rule of this room: the thin shell. What is said is decided in `firmware_bridge.wire.dutsession`; here are port, file and
clock. A line of the transcript is written before the next is waited for, so that a bench that is killed leaves all that
was said.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.errors import NoAnswer, PortEnded, TransportError, UsageError, WrongBoard
from firmware_bridge.transport import Transport, open_transport
from firmware_bridge.wire.dutsession import Answer, Board, DutSession, Patience, Sample
from firmware_bridge.wire.transcript import TranscriptWriter
from hil.dut.figures import next_count
from hil.recording.files import NewFile

__all__ = ["Driver", "answer_all", "measure_runs"]

_LOOK_S = 0.1
_JOIN_WITHIN_S = 10.0
_JOIN_AGAIN_S = 0.2
_ENOUGH_US = 50_000
_WARM_UPS = 10
_BEGUN_AGAIN = 5


class Driver:
    """A line to a device under test; use it in a `with` block.

    Args:
        port: Where it is.
        transcript: File to write; never overwritten.
        about: What the transcript's first line says.
        patience: How long a command may take.
        read_back: Have every window printed and every result said twice.
        clock: Time.
        opened: Opens the port.

    Raises:
        TransportError: On entering: the port cannot be opened.
        FileError: On entering: the transcript cannot be made.
    """

    def __init__(
        self, port: str, *, transcript: Path | None = None, about: Mapping[str, Any] | None = None,
        patience: Patience | None = None, read_back: bool = False, clock: Clock | None = None,
        opened: Callable[[str], Transport] = open_transport,
    ) -> None:  # fmt: skip
        self.port = port
        self.patience = patience or Patience()
        self._clock, self._opened = clock or SystemClock(), opened
        self._path, self._about = transcript, about or {}
        self._writer = TranscriptWriter()
        self._file: NewFile | None = None
        self.session = DutSession(self._tell, self.patience, read_back=read_back)
        self.board: Board | None = None
        self._transport: Transport | None = None
        self._unsent = b""

    def __enter__(self) -> Self:
        self._transport = self._opened(self.port)
        if self._path is not None:
            try:
                self._file = NewFile(self._path)
            except BaseException:
                self._transport.close()
                raise
            self._file.write(self._writer.begin(self._about, self._clock.now_ns()).encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._transport is not None:
            self._transport.close()
        if self._file is not None:
            now = self._clock.now_ns()
            if error is not None:
                self._tell("#", f"ended by {error or type(error).__name__}", now)
            self._file.write(self._writer.end(now).encode())
            self._file.close()

    def ask(self, sample: Sample) -> Answer:
        """Bring a sample to the board and return what it answers.

        Raises:
            NoAnswer: Every try came to nothing; the sentence names the command.
            UsageError: The board refuses what it was asked.
            WrongBoard: Another board answers than before.
            TransportError: The way is lost and does not come back.
        """
        session, clock = self.session, self._clock
        session.begin(sample, clock.now_ns())
        while session.working:
            try:
                self._pass_on()
            except PortEnded:
                raise
            except TransportError as error:
                self._join(error)
        if session.answer is None:
            if session.refused:
                raise UsageError(session.failed, self.port, "give windows that fit the network it holds")
            raise NoAnswer(f"{session.failed}, in each of {self.patience.tries} tries", self.port,
                           "check baud rate and wiring, and read the transcript (--transcript FILE)")  # fmt: skip
        self._same_board()
        return session.answer

    def _pass_on(self) -> None:
        transport, session, clock = self._transport, self.session, self._clock
        assert transport is not None
        self._unsent += session.due(clock.now_ns())
        if self._unsent:
            self._unsent = self._unsent[transport.write(self._unsent) :]
        left_s = (session.next_ns - clock.now_ns()) / 1e9
        came = transport.read(max(0.0, min(left_s, _LOOK_S)))
        if came:
            session.feed(came, clock.now_ns())

    def _join(self, error: TransportError) -> None:
        assert self._transport is not None
        self._transport.close()
        self._unsent = b""
        self.session.lost(error.what, self._clock.now_ns())
        until = self._clock.now_ns() + round(_JOIN_WITHIN_S * 1e9)
        while self.session.working:
            try:
                self._transport = self._opened(self.port)
                break
            except TransportError as again:
                now = self._clock.now_ns()
                if now >= until:
                    raise again from None
                self._clock.sleep_until_ns(now + round(_JOIN_AGAIN_S * 1e9))
        if self.session.working:
            self.session.connected(self._clock.now_ns())

    def _same_board(self) -> None:
        board = self.session.board
        if self.board is not None and board is not None and (board.name, board.model) != (
            self.board.name, self.board.model,
        ):  # fmt: skip
            raise WrongBoard(f"{board.name} with {board.model} answers where {self.board.name} with {self.board.model} "
                             "did", self.port, "keep one board on the line")  # fmt: skip
        self.board = board if self.board is None else self.board

    def _tell(self, way: str, text: str, now: int) -> None:
        if self._file is not None:
            self._file.write(self._writer.line(way, text, now).encode())


def answer_all(
    driver: Driver, data: Sequence[bytes], progress: Callable[[float], None] = lambda _: None
) -> list[Answer]:
    """Ask about every window once, without warm-up: the answers in their order."""
    answers = []
    for number, window in enumerate(data, 1):
        answers.append(driver.ask(Sample(window)))
        progress(number / len(data))
    return answers


def measure_runs(
    driver: Driver, data: Sequence[bytes], runs: int, least_s: float, progress: Callable[[float], None] = lambda _: None
) -> list[Answer]:
    """Time runs of many inferences, each on the next window and of at least so many seconds.

    How many inferences that takes is found by trying; a run that came out too short is done again with more.

    Raises:
        UsageError: The board tells no time.
    """
    answers: list[Answer] = []
    count, needed = 1, min(_ENOUGH_US, least_s * 1e6 / 2)
    while (tried := _timed(driver, data[0], count, 0, 0.0)) < needed:
        count = next_count(count, tried, least_s)
    count = next_count(count, tried, least_s)
    short = 0
    while len(answers) < runs:
        took = _timed(driver, data[len(answers) % len(data)], count, _WARM_UPS, 2 * least_s)
        assert driver.session.answer is not None
        if took >= least_s * 1e6:
            answers.append(driver.session.answer)
            progress(len(answers) / runs)
        elif (short := short + 1) > _BEGUN_AGAIN:
            raise NoAnswer(f"{short} runs were shorter than {least_s:g} s, the last one {took / 1e6:.3f} s",
                           driver.port, "the board's speed changes from run to run: look at its clock")  # fmt: skip
        else:
            count = next_count(count, took, least_s)
    return answers


def _timed(driver: Driver, window: bytes, count: int, warm_ups: int, takes_s: float) -> int:
    answer = driver.ask(Sample(window, count, warm_ups, takes_s))
    if answer.board_us is None:
        raise UsageError("the board prints no timestamps: its firmware is built to measure energy", driver.port,
                         "build it for performance, or ask for accuracy")  # fmt: skip
    return answer.board_us
