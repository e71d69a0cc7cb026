"""What runs models on a virtual board, as the C core does: the same commands, refusals and answers, bit for bit.

A model comes in parts and is checked as a whole; windows are the host's (INFER) or the board's own (STREAM_INFER). The
arithmetic is the reference's. A virtual board computes in no time: it skips no window and counts no instructions.

Rule of this room: messages in, messages out; the board sends them and knows the time.
"""

import math
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.oplist.check import refusal
from firmware_bridge.oplist.ops import OpList, unpack
from firmware_bridge.oplist.reference import run
from firmware_bridge.oplist.table import RAW_DTYPES, RECORD, Reason, header_struct, record_struct
from firmware_bridge.streams import Stream
from firmware_bridge.virtual.commands import Heard
from firmware_bridge.wire.messages import OFFSET, STATUS_MODEL, TABLE, Flag, Kind, Message

__all__ = ["COMMANDS", "LIMITS", "Engine"]

COMMANDS = (Kind.MODEL_BEGIN, Kind.MODEL_CHUNK, Kind.MODEL_END, Kind.INFER, Kind.STREAM_INFER, Kind.TAP)
"""What it obeys."""

LIMITS = {"model_bytes": 65_536, "arena_bytes": 32_768, "window_bytes": 8_192}
"""Memory as the emulated boards have it."""

LAST_LAYER = 255
_BAD_CHECKSUM, _BAD_ARGUMENT, _BUSY, _NO_ROOM, _OUT_OF_ORDER = 2, 3, 4, 5, 6
_BY_WINDOW, _BY_SAMPLE = 0, 1
_INFER = TABLE[Kind.INFER].codec()
_MASK = 0xFFFFFFFF
_CODE_AT = [name for name, _, _ in RECORD].index("code")

Rows = npt.NDArray[Any]


class Engine:
    """A model on a board, or the place for one."""

    def __init__(self) -> None:
        self._stream: int
        self._hop: int
        self._number: int
        self._streaming: bool
        self._forget()
        self.begin()

    @property
    def described(self) -> dict[str, Any]:
        """What the board's description says of the model that is there; empty without one."""
        if self._net is None:
            return {}
        return {"network": {"crc32": self._crc32, "bytes": self._size, "arena": self._net.arena,
                            "window": self._net.window, "outputs": self._net.outputs}}  # fmt: skip

    def reset(self) -> None:
        """The board starts anew."""
        self._forget()
        self.begin()

    def begin(self) -> None:
        """Samples are numbered from 0 again."""
        self._due = self._unsent = 0
        self._rows: Rows | None = None

    def counts(self) -> bytes:
        """Return what STATUS says at its end."""
        if not self._streaming and not self._due:
            return b""
        return STATUS_MODEL.pack(self._stream, self._due & _MASK, 0, self._unsent & _MASK)

    def unsent(self) -> None:
        """A result found no room."""
        self._unsent += 1

    def obey(self, heard: Heard, streams: Sequence[Stream]) -> Iterator[Message]:
        """Do what the host says; yield the answers, whose ticks are 0."""
        message = heard.message
        assert message is not None
        if heard.kind == Kind.MODEL_BEGIN:
            yield self._announced(heard, message)
        elif heard.kind == Kind.MODEL_CHUNK:
            yield self._part(heard, message)
        elif heard.kind == Kind.MODEL_END:
            yield self._complete(heard, message)
        elif self._net is None:
            yield _nak(heard, _BAD_ARGUMENT, 0, "there is no model here")
        elif heard.kind == Kind.INFER:
            yield from self._window(heard, self._net, streams)
        elif heard.kind == Kind.STREAM_INFER:
            yield self._judge(heard, message, self._net, streams)
        else:
            yield self._look_at(heard, message, self._net)

    def sampled(self, index: int, first: int, raw: Rows) -> Iterator[Message]:
        """Take samples of a stream, the first numbered `first`; yield the RESULTs that they complete."""
        net = self._net
        if net is None or not self._streaming or index != self._stream:
            return
        columns = np.frombuffer(np.ascontiguousarray(raw).tobytes(), RAW_DTYPES[net.raw]).reshape(len(raw), net.columns)
        if self._rows is None or first & _MASK != self._number:
            self._rows = columns[:0]  # no window reaches over a gap
        before = len(self._rows)
        self._rows = np.concatenate([self._rows, columns])
        self._number = (first + len(raw)) & _MASK
        for at in range(len(raw)):
            end, number = before + at + 1, (first + at) & _MASK
            if (number + 1) % self._hop == 0 and end >= net.window:
                self._due += 1
                yield from self._results(net, self._rows[end - net.window : end], _BY_SAMPLE, number)
        self._rows = self._rows[max(0, len(self._rows) - net.window + 1) :]

    # ------------------------------------------------------------------ how a model gets here

    def _forget(self) -> None:
        self._size = self._crc32 = self._part_at = self._key = 0
        self._stream = self._hop = self._number = 0
        self._blob, self._window_bytes = bytearray(), bytearray()
        self._net: OpList | None = None
        self._tap = LAST_LAYER
        self._streaming = False

    def _announced(self, heard: Heard, message: Message) -> Message:
        self._forget()
        if not 0 < message.size <= LIMITS["model_bytes"]:
            return _nak(heard, _NO_ROOM, LIMITS["model_bytes"], "a model has to fit the memory that detail tells")
        self._size, self._crc32 = message.size, message.crc32
        return _ack(heard)

    def _part(self, heard: Heard, message: Message) -> Message:
        got, offset = len(self._blob), message.offset
        if offset > got:
            return _nak(heard, _OUT_OF_ORDER, got)
        if offset + len(message.tail) > self._size:
            return _nak(heard, _BAD_ARGUMENT, self._size, "it is longer than was said")
        self._blob += message.tail[got - offset :]
        return _ack(heard)

    def _complete(self, heard: Heard, message: Message) -> Message:
        if not self._size:
            return _nak(heard, _BAD_ARGUMENT, 0, "no model was begun")
        if len(self._blob) < self._size:
            return _nak(heard, _OUT_OF_ORDER, len(self._blob))
        if self._net is None and (refused := self._refused(heard, message)) is not None:
            self._forget()
            return refused
        return _ack(heard)  # asked a second time, it goes on with what it does

    def _refused(self, heard: Heard, message: Message) -> Message | None:
        """Check what came as a whole; return why not, or have it ready."""
        blob = bytes(self._blob)
        crc32 = zlib.crc32(blob)
        if not crc32 == self._crc32 == message.crc32:
            return _nak(heard, _BAD_CHECKSUM, crc32)
        found = refusal(blob, LIMITS["arena_bytes"])
        if found.reason is not Reason.FINE:
            record = header_struct.size + found.op * record_struct.size
            whole = record + record_struct.size <= len(blob)
            code = record_struct.unpack_from(blob, record)[_CODE_AT] if whole else 0
            return _nak(heard, _BAD_ARGUMENT, found.reason | code << 8 | found.op << 16,
                        "its op list is refused: reason, operator and op are in detail")  # fmt: skip
        net = unpack(blob)
        window = net.window * _row_bytes(net)
        if window > LIMITS["window_bytes"]:
            return _nak(heard, _NO_ROOM, window, "its window has no room")
        self._net = net
        return None

    # ------------------------------------------------------------------ what it is asked

    def _window(self, heard: Heard, net: OpList, streams: Sequence[Stream]) -> Iterator[Message]:
        part = bool(heard.flags & Flag.FRAGMENT)
        offset = OFFSET.unpack_from(heard.payload)[0] if part else 0
        bytes_ = heard.payload[OFFSET.size if part else 0 :]
        total = _INFER.size + net.window * _row_bytes(net)
        if self._streaming:
            yield _nak(heard, _BUSY, 0, "it runs on its own samples: STREAM_INFER ends that")
            return
        if offset == 0:
            self._part_at = 0
            fields = _INFER.unpack_from(bytes_) if len(bytes_) >= _INFER.size else (0, -1, 0)
            if fields[2] != net.window or not _reads(net, streams, fields[1]):
                yield _nak(heard, _BAD_ARGUMENT, net.window,
                           "the model reads windows of another length or another stream")  # fmt: skip
                return
            self._key, self._stream = fields[:2]
            self._window_bytes, bytes_ = bytearray(), bytes_[_INFER.size :]
            self._part_at = _INFER.size
        elif offset != self._part_at:
            yield _nak(heard, _OUT_OF_ORDER, self._part_at)
            return
        more, missing = bool(heard.flags & Flag.MORE), total - self._part_at
        if len(bytes_) > missing or not (more or len(bytes_) == missing):
            self._part_at = 0
            yield _nak(heard, _BAD_ARGUMENT, total, "a window is shorter or longer")
            return
        self._window_bytes += bytes_
        self._part_at += len(bytes_)
        if not more:
            self._part_at = 0
            rows = np.frombuffer(bytes(self._window_bytes), RAW_DTYPES[net.raw]).reshape(net.window, net.columns)
            yield from self._results(net, rows, _BY_WINDOW, self._key)

    def _judge(self, heard: Heard, message: Message, net: OpList, streams: Sequence[Stream]) -> Message:
        on, asked = bool(message.on), (message.stream, message.hop)
        if on and (not message.hop or not _reads(net, streams, message.stream)):
            return _nak(heard, _BAD_ARGUMENT, _row_bytes(net),
                        "the hop is 0, or the model reads samples of another size")  # fmt: skip
        if not (on and self._streaming and asked == (self._stream, self._hop)):
            self._streaming, self._rows, self._part_at = on, None, 0
            if on:  # else STATUS goes on counting the windows of the stream that was judged
                self._stream, self._hop = asked
        return _ack(heard)

    def _look_at(self, heard: Heard, message: Message, net: OpList) -> Message:
        if message.layer != LAST_LAYER and message.layer >= len(net.ops):
            return _nak(heard, _BAD_ARGUMENT, len(net.ops), "the model has no such layer")
        self._tap = message.layer
        return _ack(heard)

    def _results(self, net: OpList, rows: Rows, keyed_by: int, key: int) -> Iterator[Message]:
        layers = run(net, rows[None])
        for layer in ([self._tap] if self._tap != LAST_LAYER else []) + [LAST_LAYER]:
            outputs = layers[-1 if layer == LAST_LAYER else layer]
            fields = {"keyed_by": keyed_by, "stream": self._stream, "key": key, "tick": 0, "elapsed": 0,
                      "instructions": 0, "layer": layer, "dtype": 0, "n": outputs.size}  # fmt: skip
            yield Message(Kind.RESULT, fields, outputs.tobytes())


def _row_bytes(net: OpList) -> int:
    return net.columns * np.dtype(RAW_DTYPES[net.raw]).itemsize


def _reads(net: OpList, streams: Sequence[Stream], index: int) -> bool:
    if not 0 <= index < len(streams):
        return False
    return math.prod(streams[index].shape) * np.dtype(streams[index].dtype).itemsize == _row_bytes(net)


def _ack(heard: Heard) -> Message:
    return Message(Kind.ACK, {"of": heard.kind, "of_seq": heard.seq})


def _nak(heard: Heard, reason: int, detail: int, text: str = "") -> Message:
    fields = {"of": heard.kind, "of_seq": heard.seq, "reason": reason, "detail": detail}
    return Message(Kind.NAK, fields, text.encode())
