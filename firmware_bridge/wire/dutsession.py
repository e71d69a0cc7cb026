"""The conversation with a device under test: windows in, answers out, whatever happens on the way.

Every sample is one try after another of the same script: greet, load, infer. What goes wrong ends the try, is counted
by its kind, and the sample starts again: a command that is not answered in time, a board that started anew, a way to it
that was lost, a window of which bytes did not arrive, an answer that is damaged. Late words of a try that ended cannot
be taken for those of the next, since each begins by asking for the name and hears nothing before that has come.

Rule of this room: pure. Time is an argument; whoever owns the port writes what `due` gives and feeds what came.
"""

from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass

from firmware_bridge.wire.dut import CHUNK, LineReader, Said, Say, command, elapsed_us, load_commands

__all__ = ["Answer", "Board", "DutSession", "Patience", "Sample"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One window to be judged.

    Attributes:
        data: What the board's network reads, as bytes.
        inferences: Runs that are timed.
        warm_ups: Runs before.
        takes_s: Seconds that they may take, as far as known.
    """

    data: bytes
    inferences: int = 1
    warm_ups: int = 0
    takes_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a board said of a sample.

    Attributes:
        values: Its results.
        inferences: Runs that were timed.
        board_us: Microseconds of these by the board's counter; None: it does not tell.
        host_us: The same by the arrival of its two timestamps.
        tries: How often the sample was begun.
    """

    values: tuple[float, ...]
    inferences: int
    board_us: int | None
    host_us: float | None
    tries: int


@dataclass(frozen=True, slots=True)
class Board:
    """Who a board says it is; `mode` is empty where it was not heard starting."""

    name: str
    profile: str = ""
    model: str = ""
    mode: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a command may take, in seconds, and how often a sample is begun."""

    command_s: float = 5.0
    infer_s: float = 30.0
    tries: int = 5


@dataclass(frozen=True, slots=True)
class _Ask:
    text: str
    within_s: float
    begins_with: Say | None = None  # what comes before counts for nothing


_Heard = list[tuple[Said, int]]
_Script = Generator[_Ask, _Heard, Answer]


class _Spoilt(Exception):
    """A try came to nothing: its kind, to be counted, and what happened, as a clause."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(what)
        self.kind, self.what = kind, what


class DutSession:
    """Brings one sample after another to a board.

    Args:
        tell: Told of every line: direction (`>` to the board, `<` from it, `#` of the bench itself), text, time.
        patience: How long and how often.
        chunk: Bytes a `db` line.
        read_back: Have the board print every window that was loaded, and compare.

    Attributes:
        board: Who it is, once it has said so.
        answer: Of the sample that was begun last; None: not yet.
        failed: What happened to the last try, as a clause, where all of them came to nothing.
        counts: What went wrong by kind: `timeout`, `reboot`, `reconnect`, `refused`, `short`, `damaged`.
        strange: Lines that begin like a message and are none.
    """

    def __init__(
        self, tell: Callable[[str, str, int], None] = lambda direction, text, now: None,
        patience: Patience | None = None, chunk: int = CHUNK, read_back: bool = False,
    ) -> None:  # fmt: skip
        self._tell, self._patience = tell, patience or Patience()
        self._chunk, self._read_back = chunk, read_back
        self.board: Board | None = None
        self.answer: Answer | None = None
        self.failed = ""
        self.counts: Counter[str] = Counter()
        self.strange = 0
        self._mode = ""
        self._reader = LineReader()
        self._sample: Sample | None = None
        self._script: _Script | None = None
        self._ask: _Ask | None = None
        self._heard: _Heard = []
        self._until = self._tries = 0
        self._unsent = b""
        self._refusal = ""
        self._here = True

    @property
    def working(self) -> bool:
        """Whether a sample is under way."""
        return self._sample is not None and self.answer is None and not self.failed

    @property
    def refused(self) -> bool:
        """Whether what failed was refused by the board, each time in the same words."""
        return bool(self.failed and self._refusal)

    @property
    def next_ns(self) -> int:
        """When `due` has to be asked again at the latest."""
        return self._until

    def begin(self, sample: Sample, now: int) -> None:
        """Start with a sample; the one before has to be over."""
        load_commands(sample.data, self._chunk)  # refused here rather than on the way
        self._sample, self.answer, self.failed, self._refusal, self._tries = sample, None, "", "", 0
        self._tell("#", f"sample of {len(sample.data)} bytes", now)
        self._again(now)

    def due(self, now: int) -> bytes:
        """Return what to write now."""
        if self.working and self._here and self._ask is not None and now >= self._until:
            self._spoilt(_Spoilt("timeout", self._late(self._ask)), now)
        unsent, self._unsent = self._unsent, b""
        return unsent

    def feed(self, data: bytes, now: int) -> None:
        """Take what came."""
        before = self._reader.overlong
        for line in self._reader.feed(data):
            self._tell("<", line.text, now)
            self._hear(line, now)
        if self._reader.overlong > before:
            self.strange += 1
            self._tell("#", "a line without an end was thrown away", now)

    def lost(self, why: str, now: int) -> None:
        """The way to the board is gone."""
        self._here, self._unsent = False, b""
        if rest := self._reader.clear():
            self._tell("<", rest.decode("ascii", "backslashreplace"), now)
        self._tell("#", f"lost: {why}", now)
        if self.working:
            self._spoilt(_Spoilt("reconnect", f"the way to the board was lost ({why})"), now)

    def connected(self, now: int) -> None:
        """The way is there again."""
        self._here = True
        self._tell("#", "connected", now)
        if self.working:
            self._say(now)

    # ------------------------------------------------------------------ the script of a sample

    def _run(self, sample: Sample) -> _Script:
        wait = self._patience.command_s
        greeted = yield _Ask("name", wait, Say.NAME)
        name = next(line.word for line, _ in greeted if line.kind is Say.NAME)
        if self.board is None or self.board.name != name:
            told = {line.kind: line.word for line, _ in (yield _Ask("profile", wait))}
            self.board = Board(name, told.get(Say.PROFILE, ""), told.get(Say.MODEL, ""), self._mode)
        heard: _Heard = []
        for text in load_commands(sample.data, self._chunk):
            heard = yield _Ask(text, wait)
            if text.startswith("db load") and not any(
                line.kind is Say.EXPECTING and line.number == len(sample.data) for line, _ in heard
            ):
                raise _Spoilt("refused", f"the board did not take `{text}`{_quoted(heard)}")
        if not any(line.kind is Say.LOADED for line, _ in heard):
            raise _Spoilt("short", "bytes of the window did not reach the board")
        if self._read_back:
            printed = yield _Ask("db print", wait + len(sample.data) * 4e-3)
            if b"".join(line.data for line, _ in printed) != sample.data:
                raise _Spoilt("damaged", "the board printed another window than it was sent")
        within = self._patience.infer_s + 3 * sample.takes_s
        answer = self._answered(sample, (yield _Ask(f"infer {sample.inferences} {sample.warm_ups}", within)))
        if self._read_back and answer.values not in [line.values for line, _ in (yield _Ask("results", wait))]:
            raise _Spoilt("damaged", "the board said other results when it was asked again")
        return answer

    def _answered(self, sample: Sample, heard: _Heard) -> Answer:
        results = [line.values for line, _ in heard if line.kind is Say.RESULTS]
        laps = [(line.number, at) for line, at in heard if line.kind is Say.LAP]
        if len(results) != 1 or len(laps) not in (0, 2) or any(line.kind is Say.STRANGE for line, _ in heard):
            raise _Spoilt("damaged", f"the answer to `infer` is not whole{_quoted(heard)}")
        if not laps:
            return Answer(results[0], sample.inferences, None, None, self._tries)
        (first, begun), (last, ended) = laps
        return Answer(results[0], sample.inferences, elapsed_us(first, last), (ended - begun) / 1e3, self._tries)

    # ------------------------------------------------------------------ what happens

    def _hear(self, line: Said, now: int) -> None:
        self.strange += line.kind is Say.STRANGE
        if line.kind is Say.MODE:
            self._mode = line.word
        elif line.kind is Say.BOOT:
            self._booted(now)
            return
        if self._ask is None or self._script is None:
            return
        if self._ask.begins_with not in (None, line.kind) and not self._heard:
            return
        self._heard.append((line, now))
        if line.kind is Say.READY:
            heard, self._heard = self._heard, []
            self._go_on(heard, now)

    def _booted(self, now: int) -> None:
        known, self.board = self.board, None
        if self.working and self._ask is not None and self._ask.begins_with is None:
            self._spoilt(_Spoilt("reboot", f"the board started anew during `{self._ask.text}%`"), now)
        elif known is not None:  # else it is the start of a board that was just opened
            self.counts["reboot"] += 1

    def _go_on(self, heard: _Heard | None, now: int) -> None:
        assert self._script is not None
        try:
            refused = next((line for line, _ in heard or () if line.kind is Say.REFUSED), None)
            if refused is not None and self._ask is not None:
                # Which digits a window has is the bench's business: what is wrong about them was damaged on the way.
                kind = "damaged" if self._ask.text.startswith("db ") and "load" not in self._ask.text else "refused"
                raise _Spoilt(kind, f"the board refused `{self._ask.text}%` and said `{refused.word}`")
            self._ask = next(self._script) if heard is None else self._script.send(heard)
        except StopIteration as done:
            self.answer, self._ask, self._script = done.value, None, None
        except _Spoilt as spoilt:
            self._spoilt(spoilt, now)
        else:
            self._say(now)

    def _say(self, now: int) -> None:
        assert self._ask is not None
        self._until = now + round(self._ask.within_s * 1e9)
        if self._here:
            self._tell(">", f"{self._ask.text}%", now)
            self._unsent += command(self._ask.text)

    def _spoilt(self, spoilt: _Spoilt, now: int) -> None:
        self.counts[spoilt.kind] += 1
        self._tell("#", f"{spoilt.kind}: {spoilt.what}", now)
        in_vain = spoilt.kind == "refused" and spoilt.what == self._refusal
        self._refusal = spoilt.what if spoilt.kind == "refused" else ""
        if in_vain or self._tries >= self._patience.tries:
            self.failed, self._ask, self._script = spoilt.what, None, None
        else:
            self._again(now)

    def _again(self, now: int) -> None:
        assert self._sample is not None
        self._tries += 1
        self._heard, self._unsent = [], b""
        self._script = self._run(self._sample)
        self._go_on(None, now)

    def _late(self, ask: _Ask) -> str:
        heard = f"; the last it said was `{self._heard[-1][0].text[:80]}`" if self._heard else ""
        return f"the board did not answer `{ask.text[:40]}%` within {ask.within_s:g} s{heard}"


def _quoted(heard: _Heard) -> str:
    said = [line.text for line, _ in heard if line.kind in (Say.OTHER, Say.STRANGE, Say.REFUSED)]
    return f" and said `{said[0][:80]}`" if said else ""
