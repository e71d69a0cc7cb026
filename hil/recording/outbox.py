"""What of one file waits for its next flush: raw bytes, samples, notes, each with its channel.

Rule of this room: taking something in is a list append; the work is done once, when `stage` turns everything that
waits into chunks: one of raw bytes, one a stream, one of notes, in that order, so that a torn end never holds a sample
without its bytes and reading one stream never unpacks another.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Event
from firmware_bridge.streams import Stream
from hil.recording.cdr import KEY_SCHEMA, Layout, Samples, key_layout, layout_of
from hil.recording.header import sealed
from hil.recording.mcapfile import McapWriter, Op, Run
from hil.recording.notes import SCHEMAS, event_text, kind_of, topic_of

__all__ = ["CHUNK_BYTES", "Outbox"]

CHUNK_BYTES = 1 << 21
"""Bytes of records that end a chunk before its second is over."""

_HEAD = struct.Struct("<BQHIQQ")
_RAW_HEAD = struct.Struct("<BQHIQQ4sI")
_CDR_LE = b"\x00\x01\x00\x00"
_RAW_SCHEMA = ("hil_msgs/msg/Bytes", "uint8[] data\n")


@dataclass(slots=True)
class _Messages:
    """Small messages of any channel that wait for the next chunk, in order."""

    records: list[bytes] = field(default_factory=list)
    places: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    size: int = 0

    def add(self, channel: int, log_ns: int, data: bytes) -> None:
        self.records.append(data)
        self.places.setdefault(channel, []).append((log_ns, self.size))
        self.size += len(data)

    def runs(self) -> list[Run]:
        runs = []
        for channel, places in self.places.items():
            both = np.array(places, np.uint64)
            runs.append(Run(channel, both[:, 0], both[:, 1]))
        return runs

    def clear(self) -> None:
        self.records.clear()
        self.places.clear()
        self.size = 0


@dataclass(slots=True, eq=False)
class _StreamOut:
    """One stream's channel (and the channel of keys beside images) and the batches that wait."""

    layout: Layout
    channel: int
    keys: int
    waiting: list[tuple[Batch, int]] = field(default_factory=list)


class Outbox:
    """Channels of one file and what waits for them.

    Args:
        file: The file to stage chunks in.
    """

    def __init__(self, file: McapWriter) -> None:
        self.waiting = 0
        """Bytes of records that wait."""
        self._file = file
        self._channels: dict[tuple[str, str], int] = {}
        self._schemas: dict[tuple[str, bytes], int] = {}
        self._streams: dict[tuple[str, Stream], _StreamOut] = {}
        self._known: dict[tuple[str, int], tuple[Stream, _StreamOut]] = {}
        self._raw = _Messages()
        self._notes = _Messages()
        self._books: dict[str, tuple[int, int, Any]] = {}
        self._sequence = 0

    def put_bytes(self, arrival: Arrival) -> None:
        """Take the bytes of a read or a write."""
        key = (arrival.kind, arrival.board)
        channel = self._channels.get(key)
        if channel is None:
            name, text = _RAW_SCHEMA
            schema = (name, "ros2msg", text.encode())
            channel = self._channels[key] = self._channel(
                f"/{arrival.board}/{arrival.kind}", arrival.kind, "cdr", schema, {"board": arrival.board}
            )
        data, now = arrival.data, arrival.t_ns
        sequence = arrival.seq & 0xFFFFFFFF
        head = _RAW_HEAD.pack(Op.MESSAGE, 30 + len(data), channel, sequence, now, now, _CDR_LE, len(data))
        self._raw.add(channel, now, head + data)
        self.waiting += len(head) + len(data)

    def put_link(self, arrival: Arrival) -> None:
        """Take a change of the link (`open`, `close`, `stall`)."""
        told = arrival.data.decode("utf-8", "surrogateescape")
        plain = {"board": arrival.board, "kind": arrival.kind, "text": told}
        self._put_json(self._raw, "link", (arrival.board, ""), arrival.t_ns, arrival.t_ns, arrival.seq, plain)

    def put_event(self, event: Event, now_ns: int, noted: bool = False) -> None:
        """Take an event that was made at `now_ns`; `noted` if it does not follow from the board's bytes."""
        kind = kind_of(event)
        board = "" if kind in ("events", "marks") else event.board
        model = getattr(event, "model", "") if kind == "predictions" else ""
        self._sequence += 1
        self._put_json(self._notes, kind, (board, model), event.t_ns, now_ns, self._sequence, event_text(event, noted))

    def put_books(self, arrival: Arrival) -> None:
        """Take the ledger after an arrival; the last one before a flush is kept."""
        self._books[arrival.board] = (arrival.seq, arrival.t_ns, arrival.books)

    def put_batch(self, batch: Batch, now_ns: int) -> None:
        """Take samples that arrived at `now_ns`."""
        if not len(batch):
            return
        found = self._known.get((batch.board, id(batch.stream)))
        out = found[1] if found and found[0] is batch.stream else self._stream(batch.board, batch.stream)
        out.waiting.append((batch, now_ns))
        self.waiting += len(batch) * out.layout.record.itemsize

    def stage(self) -> None:
        """Turn everything that waits into chunks of the file."""
        if self._raw.records:
            self._file.chunk(b"".join(self._raw.records), self._raw.runs())
        for stream in self._streams.values():
            if stream.waiting:
                self._stage_samples(stream)
        for board, (seq, now, books) in self._books.items():
            plain = {"board": board, "seq": seq, "books": books.as_dict()}
            self._put_json(self._notes, "ledger", (board, ""), now, now, seq, plain)
        if self._notes.records:
            self._file.chunk(b"".join(self._notes.records), self._notes.runs())
        self._raw.clear()
        self._notes.clear()
        self._books.clear()
        self.waiting = 0

    def _channel(
        self, topic: str, kind: str, encoding: str, schema: tuple[str, str, bytes], about: Mapping[str, str]
    ) -> int:
        name, form, data = schema
        number = self._schemas.get((name, data))
        if number is None:
            number = self._schemas[name, data] = self._file.schema(name, form, data)
        return self._file.channel(topic, encoding, number, sealed({"kind": kind, **about}))

    def _put_json(
        self, to: _Messages, kind: str, whose: tuple[str, str], log_ns: int, now_ns: int, sequence: int,
        plain: Mapping[str, Any] | bytes,
    ) -> None:  # fmt: skip
        board, model = whose
        channel = self._channels.get((kind, model or board))
        if channel is None:
            name, schema = SCHEMAS[kind]
            channel = self._channels[kind, model or board] = self._channel(
                topic_of(kind, board, model), kind, "json", (name, "jsonschema", schema),
                {"board": "" if model else board, "model": model},
            )  # fmt: skip
        data = plain if isinstance(plain, bytes) else json.dumps(plain, separators=(",", ":")).encode()
        head = _HEAD.pack(Op.MESSAGE, 22 + len(data), channel, sequence & 0xFFFFFFFF, log_ns, now_ns)
        to.add(channel, log_ns, head + data)
        self.waiting += len(head) + len(data)

    def _stream(self, board: str, stream: Stream) -> _StreamOut:
        # A measured rate may be told anew with every batch: that is no new channel.
        key = (board, replace(stream, rate_hz=None) if stream.rate_inferred else stream)
        out = self._streams.get(key)
        if out is None:
            layout = layout_of(stream)
            about = {"board": board, "stream": json.dumps(stream.as_dict()), "form": layout.form}
            schema = (layout.schema_name, "ros2msg", layout.schema_text.encode())
            channel = self._channel(f"/{board}/{stream.name}", "samples", "cdr", schema, about)
            keys = 0
            if stream.is_image:
                schema = (KEY_SCHEMA[0], "ros2msg", KEY_SCHEMA[1].encode())
                about = {"board": board, "samples": str(channel)}
                keys = self._channel(f"/{board}/{stream.name}/keys", "keys", "cdr", schema, about)
            out = self._streams[key] = _StreamOut(layout, channel, keys)
        if len(self._known) > 1024:
            self._known.clear()
        self._known[board, id(stream)] = (stream, out)
        return out

    def _stage_samples(self, out: _StreamOut) -> None:
        samples, published = _joined_samples(out.waiting)
        out.waiting.clear()
        size, key_size = out.layout.record.itemsize, key_layout().record.itemsize
        step = max(1, CHUNK_BYTES // size)
        for start in range(0, len(samples), step):
            piece = samples.part(start, start + step)
            now = published[start : start + step]
            data = out.layout.pack(out.channel, piece, now).view(np.uint8).data
            runs = [Run(out.channel, piece.t_ns, np.arange(len(piece)) * size)]
            if out.keys:
                runs.append(Run(out.keys, piece.t_ns, len(data) + np.arange(len(piece)) * key_size))
                data = memoryview(bytes(data) + key_layout().pack(out.keys, piece, now).tobytes())
            self._file.chunk(data, runs)


def _joined_samples(waiting: list[tuple[Batch, int]]) -> tuple[Samples, npt.NDArray[np.int64]]:
    """Return batches end to end, and when each of their samples arrived."""
    batches = [batch for batch, _ in waiting]
    lengths = np.array([len(batch) for batch in batches])
    starts = np.cumsum(lengths) - lengths
    numbers = np.repeat(np.array([batch.first for batch in batches], np.int64) - starts, lengths)
    numbers += np.arange(len(numbers))
    boot = np.repeat(np.array([batch.boot for batch in batches], np.int32), lengths)
    ticks, t_ns, raw = (_joined([getattr(batch, name) for batch in batches]) for name in ("ticks", "t_ns", "raw"))
    published = np.repeat(np.array([now for _, now in waiting], np.int64), lengths)
    return Samples(numbers, boot, ticks, t_ns, raw), published


def _joined(arrays: list[Any]) -> Any:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
