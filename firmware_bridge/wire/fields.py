"""Boards with binary frames that a board file describes: frames in, samples out.

Every byte fed lands in one bucket: `payload` (frames that were read), `framing` (their sync, length, kind, checksum),
`ignored` (kinds that the file names and does not read), `other_frames` (good frames of kinds that it does not name),
`short_frame` (too short for its fields), `bad_checksum`, `bad_length`, `bad_stuffing`, `torn_frame`, `oversize`, `text`
(lines between frames), `resync` (discarded between frames); or it is pending. Consecutive frames of one kind and length
are read as one table, without a loop over frames or fields of frames.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from firmware_bridge.streams import BoardInfo
from firmware_bridge.wire.delimited import scanner
from firmware_bridge.wire.dialect import API_VERSION, Damaged, Described, Heard, Samples, Text, add_damage
from firmware_bridge.wire.fieldplan import FramePlan, StreamPlan
from firmware_bridge.wire.framescan import Found
from firmware_bridge.wire.messages import Message
from firmware_bridge.wire.noise import level_of, text_of

__all__ = ["DAMAGE", "EXPLAINED", "FieldDialect"]

EXPLAINED = frozenset({"payload", "framing", "ignored", "text"})
DAMAGE = frozenset(
    {"bad_checksum", "bad_length", "bad_stuffing", "short_frame", "torn_frame", "oversize", "resync", "other_frames"}
)
Bytes = npt.NDArray[np.uint8]
Word = npt.NDArray[np.uint64]


class FieldDialect:
    """The dialect of a board file with a `[frame]`.

    Args:
        plan: What the file says.
        info: Who the board is.
    """

    api_version = API_VERSION
    name = "fields"
    talks = False
    explained = EXPLAINED

    def __init__(self, plan: FramePlan, info: BoardInfo) -> None:
        self._plan, self._info = plan, info
        self._scanner = scanner(plan)
        self._books: dict[str, int] = {}
        self._told = False
        self._counts: dict[str, tuple[int, int]] = {}
        self.frames = 0
        """Good frames so far."""
        self.first_unexplained: int | None = None

    @property
    def books(self) -> Mapping[str, int]:
        """Bytes by bucket so far."""
        return dict(self._books)

    @property
    def pending(self) -> int:
        """Bytes held back so far."""
        return self._scanner.pending

    def feed(self, data: bytes, now: int) -> Iterable[Heard]:
        """Take bytes that arrived at `now` (which does not matter here); return what they complete."""
        heard: list[Heard] = []
        if not self._told:
            self._told = True
            heard.append(Described(self._info))
        return self._hear(self._scanner.take(data), heard)

    def end(self, now: int) -> Iterable[Heard]:
        """The connection is gone: the bytes of the torn frame get their bucket."""
        heard = self._hear(self._scanner.take(b"", final=True), [])
        self._counts.clear()
        self._told = False  # the next connection is told again who this is
        return heard

    def send(self, command: Message | str) -> bytes:
        """Return a command as bytes: `hex:` and pairs of digits, else the text itself.

        Raises:
            UsageError: It is a native message, or no hexadecimal digits.
        """
        if isinstance(command, Message):
            raise UsageError(
                f"{command.kind.name} is a native message and this board speaks its own", self._info.model,
                "send text, or `hex:` and pairs of hexadecimal digits",
            )  # fmt: skip
        if not command.startswith("hex:"):
            return command.encode()
        try:
            return bytes.fromhex(command[4:])
        except ValueError as error:
            raise UsageError(f"{command!r} holds no pairs of hexadecimal digits", self._info.model, "") from error

    def _hear(self, found: Found, heard: list[Heard]) -> list[Heard]:
        damage: list[Damaged] = []
        for drop in found.drops:
            self._count(drop.kind, drop.count, drop.offset, damage)
            if drop.text and self._plan.table.text == "log" and (text := text_of(drop.text)):
                heard.append(Text(text, level_of(text)))
        if found.starts:
            self.frames += len(found.starts)
            self._frames(found, heard, damage)
        heard += damage
        return heard

    def _count(self, kind: str, count: int, offset: int, damage: list[Damaged]) -> None:
        self._books[kind] = self._books.get(kind, 0) + count
        if kind not in EXPLAINED and (self.first_unexplained is None or offset < self.first_unexplained):
            self.first_unexplained = offset
        if kind in DAMAGE:
            add_damage(damage, kind, count)

    def _frames(self, found: Found, heard: list[Heard], damage: list[Damaged]) -> None:
        """Read good frames, run by run of equal kind and length."""
        data = np.frombuffer(found.data, np.uint8)
        starts, lengths = np.array(found.starts, np.int64), np.array(found.lengths, np.int64)
        kinds = self._kinds(data, starts)
        table = self._plan.table
        readers: dict[int, list[StreamPlan]] = {}
        for kind in set(kinds.tolist()):
            readers[kind] = [plan for plan in self._plan.streams if not plan.ids or kind in plan.ids]
        # Kinds among each other need no order: gathering them makes long runs of what is sent in turns.
        for kind, plans in sorted(readers.items()):
            which = np.flatnonzero(kinds == kind)
            cuts = np.flatnonzero(np.diff(lengths[which])) + 1
            for run in np.split(which, cuts):
                read = np.zeros(len(run), np.bool_)
                if plans:
                    frames = data[starts[run][:, None] + np.arange(lengths[run[0]])]
                    body = frames[:, table.payload : frames.shape[1] - self._plan.tail]
                    for plan in plans:
                        for samples, rows in self._read(plan, body):
                            read[rows] = True
                            if len(samples.raw):
                                heard.append(samples)
                self._account(found, run, kind, read, bool(plans), damage)

    def _account(
        self, found: Found, run: npt.NDArray[np.int64], kind: int, read: npt.NDArray[np.bool_], named: bool,
        damage: list[Damaged],
    ) -> None:  # fmt: skip
        for good, group in ((True, run[read]), (False, run[~read])):
            if not len(group):
                continue
            wire = sum(found.wire[index] for index in group)
            offset = min(found.offsets[index] for index in group)
            if good:
                self._count(
                    "framing", wire - sum(self._payload(found.lengths[index]) for index in group), offset, damage
                )
                self._count("payload", sum(self._payload(found.lengths[index]) for index in group), offset, damage)
            else:
                bucket = "short_frame" if named else "ignored" if kind in self._plan.ignore else "other_frames"
                self._count(bucket, wire, offset, damage)

    def _payload(self, length: int) -> int:
        return max(length - self._plan.overhead, 0)

    def _kinds(self, data: Bytes, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        kinds = np.zeros(len(starts), np.int64)
        if (ids := self._plan.table.id) is not None:
            for index in range(ids.size):
                kinds = kinds << 8 | data[starts + ids.at + index]
        return kinds

    def _read(self, plan: StreamPlan, body: Bytes) -> Iterator[tuple[Samples, slice]]:
        """Read one stream from payloads of one length, in runs of equal numbers of groups."""
        if body.shape[1] < plan.needs:
            return
        repeat = plan.repeat
        if repeat is None:
            yield self._samples(plan, body, body, 1), slice(0, len(body))
            return
        room = (body.shape[1] - repeat.at) // repeat.size
        if plan.count is not None:
            counts = plan.count.take(body)[:, 0].astype(np.int64)
        else:
            counts = np.full(len(body), room if repeat.count == "rest" else repeat.count, np.int64)
        cuts = [0, *(np.flatnonzero(np.diff(counts)) + 1).tolist(), len(body)]
        for start, stop in pairwise(cuts):
            count = int(counts[start])
            if count > room:
                continue
            part = body[start:stop]
            groups = np.ascontiguousarray(part[:, repeat.at : repeat.at + count * repeat.size])
            yield self._samples(plan, part, groups.reshape(-1, repeat.size), count), slice(start, stop)

    def _samples(self, plan: StreamPlan, body: Bytes, groups: Bytes, count: int) -> Samples:
        """Make samples of `(N, P)` payloads and their `(N * count, size)` groups."""
        total = len(groups)
        kind = np.dtype(plan.stream.dtype)
        raw = np.empty((total, sum(spot.count for spot in plan.spots)), kind)
        column = 0
        for spot in plan.spots:
            raw[:, column : column + spot.count] = spot.take(groups)
            column += spot.count
        raw = raw.reshape(total, *plan.stream.shape)
        ticks = numbers = valid = None
        tick_bits, number_bits = 32, 32
        if plan.tick is not None:
            tick_bits = plan.tick.bits
            ticks = _word(plan.tick.spot.take(groups if plan.tick.group else body)[:, 0])
            if not plan.tick.group:
                ticks = np.repeat(ticks, count)
                if plan.tick.step:
                    steps = np.rint(np.arange(count) * plan.tick.step).astype(np.uint64)
                    ticks = ticks + np.tile(steps, len(body))
            ticks = ticks & _mask(tick_bits)
        if plan.counter is not None:
            number_bits = plan.counter.bits
            numbers = _word(plan.counter.spot.take(groups if plan.counter.group else body)[:, 0])
            if not plan.counter.group and plan.repeat is not None:
                if plan.counter.frames:
                    numbers = self._unwrap(plan, numbers) * np.uint64(count)
                    number_bits = 64
                numbers = np.repeat(numbers, count) + np.tile(np.arange(count, dtype=np.uint64), len(body))
            numbers = numbers & _mask(number_bits)
        if plan.valid is not None:
            trust = plan.valid
            said = trust.spot.take(groups if trust.group else body)[:, 0]
            if trust.mask is not None:
                said = _word(said) & np.uint64(trust.mask)
            valid = np.isin(said, np.array(trust.equals))
            valid = valid if trust.group else np.repeat(valid, count)
        if plan.where is not None:
            keep = np.isin(plan.where[0].take(groups)[:, 0], plan.where[1])
            raw = raw[keep]
            ticks = ticks[keep] if ticks is not None else None
            numbers = numbers[keep] if numbers is not None else None
            valid = valid[keep] if valid is not None else None
        raw.flags.writeable = False
        return Samples(plan.stream, raw, numbers, number_bits, ticks, tick_bits, valid)

    def _unwrap(self, plan: StreamPlan, numbers: Word) -> Word:
        """Return a counter of frames without its wraps, so that it can count samples."""
        if not len(numbers) or plan.counter is None:
            return numbers
        last, total = self._counts.get(plan.stream.name, (int(numbers[0]), int(numbers[0])))
        mask = _mask(plan.counter.bits)
        steps = (np.diff(numbers, prepend=np.uint64(last)) & mask).astype(np.uint64)
        unwrapped: Word = np.uint64(total) + np.cumsum(steps, dtype=np.uint64)
        self._counts[plan.stream.name] = (int(numbers[-1]), int(unwrapped[-1]))
        return unwrapped


def _mask(bits: int) -> np.uint64:
    return np.uint64((1 << bits) - 1)


def _word(numbers: npt.NDArray[Any]) -> Word:
    """Return numbers as uint64, negative ones in two's complement."""
    return numbers.astype(np.int64).astype(np.uint64) if numbers.dtype.kind in "if" else numbers.astype(np.uint64)
