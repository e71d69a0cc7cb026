"""Readings pushed into a board in place of its sensor's: what to send when, and which reading each sample is.

Rule of this room: pure. It is told what was heard (items of a session) and when, and gives the messages to write; every
loss on the way is mended by going back, and none can leave it waiting without a word:

- Nothing is sent beyond the credit, nor more than `ahead` samples beyond what the board is known to have used.
- Credit and use are cumulative, so that a lost CREDIT costs nothing: STATUS repeats both, and so do the samples.
- A refused frame (NAK, out of order) names the sample to go on from; a lost last frame shows in a STATUS that was asked
  for because nothing moved, and then it goes on from what was surely used. A board passes over what it has already.
- A board that starts anew counts from 0 again: the next reading is then the one after the last that came back. What
  was on its way of the run before means nothing until the board has confirmed the new one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Item, Rebooted, Reply, Status
from firmware_bridge.streams import BoardInfo, Stream
from firmware_bridge.wire.messages import HEADER, REASONS, TABLE, Kind, Message

__all__ = ["Downlink", "Injector", "downlink_of", "start_mask"]

_MS = 1_000_000
_QUIET_NS = 50 * _MS
"""After going back, the answers to what was under way say the same again for so long."""
_GIVE_UP_NS = 10_000 * _MS
_FRAMES_AHEAD = 8
"""Into so many frames the samples ahead are cut."""
_CIRCLE = 1 << 32
_NO_ROOM, _OUT_OF_ORDER = 5, 6


@dataclass(frozen=True, slots=True)
class Downlink:
    """What a native board takes: wire ids of its streams by name, its longest frame, the bits of its checksum."""

    ids: Mapping[str, int]
    max_frame: int
    crc_bits: int

    def room(self, stream: Stream) -> int:
        """Return how many samples of a stream one INJECT holds."""
        fixed = HEADER.size + TABLE[Kind.INJECT].codec().size + self.crc_bits // 8
        return min(255, (self.max_frame - fixed) // (int(np.prod(stream.shape)) * np.dtype(stream.dtype).itemsize))


def downlink_of(dialect: object) -> Downlink | None:
    """Return what can be pushed into the board that speaks so; None while unknown, and where it has no INJECT."""
    found = getattr(getattr(dialect, "chosen", dialect), "downlink", None)
    return found if isinstance(found, Downlink) else None


def start_mask(choose: Callable[[BoardInfo], str] | None, info: BoardInfo | None, dialect: object) -> int:
    """Return the bit mask of START for the stream that `choose` names; it has one bit for each of 32 streams."""
    downlink = downlink_of(dialect)
    if choose is None or info is None or downlink is None:
        return 0
    wire_id = downlink.ids.get(choose(info), 32)
    return 1 << wire_id if wire_id < 32 else 0


class Injector:
    """Pushes the readings of one stream.

    Args:
        stream: Of the board, started as injected.
        raw: `(N, *shape)` in the stream's dtype and scale.
        downlink: What the board takes.
        rate_hz: Samples a second that it is to take; None: its own rate.
        ahead: Samples in advance of what it has used.

    Attributes:
        pushed: Readings that were sent at least once.
        returned: One more than the last reading that came back.
        resent: Samples that were sent again.
        starved: Samples that were due on the board and not there; None: not known.
        refused_rate: Why the board keeps its own rate; empty where it does not.
        failed: One sentence where it cannot go on.

    Raises:
        UsageError: The board has no such stream, or not one sample fits a frame.
    """

    def __init__(
        self, stream: Stream, raw: npt.NDArray[np.generic], downlink: Downlink, *, rate_hz: float | None = None,
        ahead: int = 100,
    ) -> None:  # fmt: skip
        if stream.name not in downlink.ids:
            raise UsageError(f"the board has no stream `{stream.name}`", "stimulus", "identify it again")
        self._fits = downlink.room(stream)
        if self._fits < 1:
            raise UsageError(f"one sample of `{stream.name}` does not fit a frame of {downlink.max_frame} bytes",
                             "stimulus", "raise the firmware's max_frame")  # fmt: skip
        self.stream, self.raw, self.ahead = stream, raw, max(1, ahead)
        self.pushed = self.returned = self.resent = 0
        self.refused_rate = self.failed = ""
        self._id = downlink.ids[stream.name]
        self._rate_mhz = None if rate_hz is None else round(rate_hz * 1000)
        period_ns = 1e9 / (rate_hz or stream.rate_hz or 100.0)
        self._patience_ns = round(min(5e9, max(300e6, 12 * period_ns)))
        self._starved_before = 0
        self._base = self._nonce = 0
        self._starved: int | None = None
        self._begin(runs=False)

    def _begin(self, *, runs: bool) -> None:
        """Count from 0: the readings that did not come back are still to come, once the board has confirmed the run."""
        self._base = self.returned
        self._starved_before += self._starved or 0
        self._runs, self._any_back, self._anew = runs, False, False
        self._sent = self._high = self._credit = self._used = self._room = 0
        self._starved = None
        self._rate_open, self._rate_at = self._rate_mhz is not None, 0
        self._nak_ns = self._moved_ns = self._ask_at = 0
        self._moved = True
        self._still: tuple[int, int] | None = None
        self._told_all = False

    @property
    def starved(self) -> int | None:
        """Samples that were due and not there, of all boots; None: not known of this one."""
        return None if self._starved is None else self._starved_before + self._starved

    @property
    def left(self) -> int:
        """Readings that this boot has to take."""
        return len(self.raw) - self._base

    @property
    def done(self) -> bool:
        """Whether the last reading came back, or was used and is lost on its way."""
        return self.returned >= len(self.raw) or (self._used >= self.left and self._told_all)

    # ------------------------------------------------------------------ what was heard

    def take(self, item: Item, now: int) -> int | None:
        """Take an item of the board's session; return the index of the first reading in a batch of samples.

        Args:
            item: In their order.
            now: UTC ns.

        Returns:
            None for what is no batch of the pushed stream.
        """
        if isinstance(item, Batch):
            return self._came(item) if item.stream.name == self.stream.name else None
        if isinstance(item, Rebooted):
            self._anew = True
            if self._any_back:  # else it may be the confirmed run, told once more by its first sample
                self._begin(runs=False)
        elif isinstance(item, Status):
            self._says(item.fields["nonce"])
            row = item.fields["streams"].get(self.stream.name)
            if row is not None and self._runs:
                self._status(row)
        elif isinstance(item, Reply):
            self._reply(item, now)
        return None

    def _says(self, nonce: int) -> None:
        """The board told under which nonce it runs: it has confirmed a run even if its answer to START was lost."""
        if not self._runs and nonce not in (0, self._nonce):
            self._begin(runs=True)
        if self._runs:
            self._nonce = nonce

    def _came(self, batch: Batch) -> int | None:
        if not self._runs or not self._high:
            return None  # of its sensor, or of a run that is over
        if batch.end > self._high:
            self.failed = (
                f"the board sends sample {batch.end - 1} of `{self.stream.name}` and only {self._high} were pushed; "
                "its firmware does not take injected samples"
            )
            return None
        self._any_back = True
        self.returned = max(self.returned, self._base + batch.end)
        self._advance(used=batch.end)
        return self._base + batch.first

    def _reply(self, reply: Reply, now: int) -> None:
        told = reply.fields
        if reply.kind == "ACK" and told["of"] == Kind.START:
            if self._anew or not self._runs:  # a START that was sent twice is answered twice, and changes nothing
                self._begin(runs=True)
        elif reply.kind == "CREDIT" and told["stream"] == self._id and self._runs:
            self._credited(told["total"])
        elif reply.kind in ("ACK", "NAK") and told["of"] == Kind.SET_RATE:
            self._rate_open = False
            if reply.kind == "NAK":
                self.refused_rate = reply.data.decode("utf-8", "replace") or REASONS.get(told["reason"], "refused")
                self._rate_mhz = None
        elif reply.kind == "NAK" and told["of"] == Kind.INJECT and self._runs:
            self._refused(reply, now)

    def _credited(self, total: int) -> None:
        credit = _near(total, self._credit)
        if not self._room and credit > 0:
            self._room = credit
        self._advance(used=credit - self._room, credit=credit)

    def _refused(self, nak: Reply, now: int) -> None:
        reason, expected = nak.fields["reason"], _near(nak.fields["detail"], self._sent)
        if reason in (_NO_ROOM, _OUT_OF_ORDER):
            if expected < self._sent and now - self._nak_ns >= _QUIET_NS:
                self._back_to(expected)
                self._nak_ns = now
        else:
            said = nak.data.decode("utf-8", "replace") or REASONS.get(reason, "no reason")
            self.failed = f"the board refuses injected samples of `{self.stream.name}`: {said}"

    def _status(self, row: Mapping[str, int]) -> None:
        consumed = _near(row["consumed"], self._used)
        if row["credit"]:
            self._credited(row["credit"])
        if consumed < self.left or not row["starved"]:
            self._starved = row["starved"]  # after the last reading a board starves by rights
        if self._high >= self.left and consumed >= self.left:
            self._told_all = True
        if self._still == (self._used, self._sent) and consumed <= self._used < self._sent:
            self._back_to(consumed)
        self._still = None
        self._advance(used=consumed)

    def _advance(self, used: int, credit: int = 0) -> None:
        if used > self._used or credit > self._credit:
            self._used, self._credit = max(self._used, used), max(self._credit, credit)
            self._moved = True

    def _back_to(self, number: int) -> None:
        number = max(0, number)
        self.resent += max(0, self._sent - number)
        self._sent = min(self._sent, number)

    # ------------------------------------------------------------------ what to say

    def due(self, now: int) -> list[Message]:
        """Return what to write now; ask again after every arrival, and a few times a second without one."""
        if self.done or self.failed:
            return []
        if self._moved:  # by the time of whoever asks: a host that was busy itself has not waited for the board
            self._moved, self._moved_ns = False, now
        if now - self._moved_ns > _GIVE_UP_NS:
            self.failed = self._missing()
            return []
        if self._rate_open and self._runs:
            return self._rate(now)
        say = self._frames() if self._runs else []
        stuck = now - self._moved_ns >= self._patience_ns
        unsure = self._high >= self.left and (self._starved is None or self._used >= self.left)
        if (stuck or unsure) and now >= self._ask_at:
            self._ask_at = now + self._patience_ns
            self._still = (self._used, self._sent) if stuck else None
            say.append(Message(Kind.GET_STATUS))
        return say

    def first_of(self, inject: Message) -> int:
        """Return the index of the first reading in an INJECT that `due` gave."""
        return self.reading(inject.first)

    def reading(self, number: int) -> int:
        """Return the index of the reading that is sample `number` (modulo 2**32) of this boot."""
        return self._base + _near(number, self._sent)

    def _frames(self) -> list[Message]:
        say = []
        end = min(self._credit, self._used + self.ahead, self.left)
        each = max(1, min(self._fits, self.ahead // _FRAMES_AHEAD, max(1, self._room // 4)))
        # Whole frames, unless they are the last, or the board has next to nothing left.
        while (n := min(each, end - self._sent)) > 0 and (
            n == each or self._sent + n == self.left or self._sent - self._used < each
        ):
            at = self._base + self._sent
            fields = {"stream": self._id, "n": n, "first": self._sent % _CIRCLE}
            say.append(Message(Kind.INJECT, fields, self.raw[at : at + n].tobytes()))
            self._sent += n
            if self._sent == self.left:
                self._starved, self._ask_at = None, 0  # asked for once more, now that nothing can be late any more
        self._high = max(self._high, self._sent)
        self.pushed = max(self.pushed, self._base + self._high)
        return say

    def _rate(self, now: int) -> list[Message]:
        if now < self._rate_at:
            return []
        self._rate_at = now + self._patience_ns
        return [Message(Kind.SET_RATE, {"stream": self._id, "rate_mhz": self._rate_mhz or 0})]

    def _missing(self) -> str:
        waited = f"{_GIVE_UP_NS / 1e9:g} s"
        if not self._runs:
            return f"the board did not confirm START in {waited}; check the link"
        if self._rate_open:
            return f"the board did not answer SET_RATE in {waited}; check the link"
        if not self._credit:
            return f"the board gave no credit for `{self.stream.name}` in {waited}; its firmware may not know INJECT"
        first, last = self._base + self._used, self._base + self._high - 1
        if first > last:
            return f"the board gave no more credit after reading {last} in {waited}; check the link"
        return f"readings {first} to {last} were pushed and the board has not used them for {waited}; check the link"


def _near(number: int, known: int) -> int:
    """Return the counter nearest to `known` whose last 32 bits are `number`."""
    return known + ((number - known + _CIRCLE // 2) % _CIRCLE) - _CIRCLE // 2
