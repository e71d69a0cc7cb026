"""The native dialect: frames of a board into samples and messages, commands into frames.

Rules. Until a HELLO was understood every byte goes to `before_identity`, apart from the HELLO itself. HELLO names the
CRC and the longest frame from the next frame on. A frame with a right CRC whose kind, flags or stream nobody knows is
`unknown`, one whose length does not fit is `malformed`, a message with a part missing is `fragment`; what the end of
the connection cuts off is `torn`. Nothing a board sends raises. A board with a newer
protocol is refused, and only that is told.

Runs of equal-shaped SAMPLES frames become one `Samples`. Frames with DELTAS carry a tick for each sample; without, the
ticks inside a frame are laid out by the stream's rate from the frame's one tick, so that jitter within it is not known.
Lost frames are counted by their sequence numbers; around a HELLO nothing is counted, since a board that starts anew
numbers from 0.
"""

from collections.abc import Mapping
from dataclasses import replace

from firmware_bridge.streams import BoardInfo
from firmware_bridge.wire.bulk import decode_bulk
from firmware_bridge.wire.checksum import CRC16, CRC32
from firmware_bridge.wire.description import understand
from firmware_bridge.wire.dialect import API_VERSION, Answer, Damaged, Described, Heard, Samples, Text, add_damage
from firmware_bridge.wire.encode import Encoder, encode, samples_frames
from firmware_bridge.wire.fragments import Fragments
from firmware_bridge.wire.frames import DAMAGE, MAX_FRAME, Frames, Int64, Parts
from firmware_bridge.wire.framing import Decoder, is_many, split
from firmware_bridge.wire.hostside import HostSide
from firmware_bridge.wire.inject import Downlink
from firmware_bridge.wire.messages import HEADER, VERSION, Flag, Kind, Message, unpack
from firmware_bridge.wire.plain import Plain, look
from firmware_bridge.wire.samples import SampleReader
from firmware_bridge.wire.sequence import FrameCounter
from firmware_bridge.wire.spoken import message_from
from firmware_bridge.wire.walk import PARTS, UNKNOWN_FLAGS, Run, Single, walk_few, walk_many

__all__ = ["BUCKETS", "NativeDialect", "encode", "samples_frames"]

BUCKETS = (*DAMAGE, "before_identity", "unknown", "malformed", "fragment", "torn")
_LEVELS = {0: "debug", 1: "info", 2: "warning", 3: "error"}
_SHORTEST_MAX_FRAME = 16
_FROM_HOST = 0x40
_KINDS = frozenset(map(int, Kind))


class NativeDialect:
    """How boards of our own protocol talk.

    Attributes:
        refused: Why the board cannot be understood, one sentence; empty while it can.
        counter: Frames lost and repeated, by their sequence numbers.
    """

    api_version = API_VERSION
    name = "native"
    talks = True

    def __init__(self) -> None:
        self.refused = ""
        self.counter = FrameCounter()
        self._books = dict.fromkeys(BUCKETS, 0)
        self._decoder = Decoder()
        self._host = HostSide()
        self._encoder = Encoder()
        self._fragments = Fragments()
        self._reader: SampleReader | None = None
        self._info: BoardInfo | None = None
        self._damage: list[Damaged] = []
        self._heard: list[Heard] = []

    @property
    def books(self) -> Mapping[str, int]:
        """Bytes by bucket so far."""
        return self._books

    @property
    def pending(self) -> int:
        """Bytes of a frame that is not complete."""
        return self._decoder.pending

    @property
    def frames_lost(self) -> int:
        """Frames that never came, by their sequence numbers."""
        return self.counter.lost

    @property
    def stream_names(self) -> Mapping[int, str]:
        """Names of the streams by wire id."""
        return {} if self._reader is None else {wire_id: each.name for wire_id, each in self._reader.streams.items()}

    @property
    def downlink(self) -> Downlink | None:
        """What can be pushed into the board; None until it said who it is."""
        if self._reader is None:
            return None
        ids = {each.name: wire_id for wire_id, each in self._reader.streams.items()}
        return Downlink(ids, self._encoder.max_frame, self._encoder.crc_bits)

    # ------------------------------------------------------------------ bytes of the board

    def feed(self, data: bytes, now: int) -> list[Heard]:
        """Take bytes that arrived at `now` (which does not matter here); return what they complete."""
        heard: list[Heard] = []
        self._heard = heard
        complete, skipped = self._decoder.take(data)
        if skipped:
            self._lose(self._bucket("oversize"), skipped)
        while complete:
            complete = self._work(complete)
        if over := self._decoder.overflow():
            self._lose(self._bucket("oversize"), over)
        return self._told(heard)

    def look(self, data: bytes, ends: Int64) -> Plain | None:
        """Return what reads hold where it is plain (see `plain.look`), and take nothing."""
        complete = self._decoder.peek(data)
        if self._reader is None or self.refused or not complete:
            return None
        limits = self._decoder.crc_bits, self._decoder.max_frame
        return look(data, complete, ends, self._reader, self.counter, limits, _line)

    def took(self, plain: Plain) -> None:
        """Take the reads that were looked at."""
        self._decoder.take(plain.data)
        self.counter.see(plain.numbers)
        self._books["frames"] += plain.size

    def end(self, now: int) -> list[Heard]:
        """The connection is gone: who comes next has to say HELLO first."""
        heard: list[Heard] = []
        self._heard = heard
        if torn := self._decoder.end():
            self._lose(self._bucket("torn"), torn)
        self._misplace("fragment", self._fragments.abandon())
        self._forget()
        return self._told(heard)

    def _forget(self) -> None:
        self._reader = self._info = None
        for each in (self._decoder, self._encoder):
            each.crc_bits, each.max_frame = CRC16, MAX_FRAME
        self._host.forget()
        self.counter.restart()

    def _reading(self) -> tuple[SampleReader | None, int, int]:
        """Return what decides how frames are read."""
        return self._reader, self._decoder.crc_bits, self._decoder.max_frame

    def _told(self, heard: list[Heard]) -> list[Heard]:
        for one in self._damage:
            self._books[one.kind] += one.count
        heard += self._damage
        self._damage.clear()
        return heard

    def _bucket(self, kind: str) -> str:
        return "before_identity" if self._reader is None else kind

    def _lose(self, kind: str, count: int) -> None:
        add_damage(self._damage, kind, count)

    def _misplace(self, kind: str, count: int) -> None:
        """Move bytes that were counted as frames into another bucket."""
        if count:
            self._books["frames"] -= count
            self._lose(kind, count)

    # ------------------------------------------------------------------ frames

    def _work(self, complete: bytes) -> bytes:
        """Work on complete frames until a HELLO changes how the rest is to be read; return that rest."""
        anonymous, reading = self._reader is None, self._reading()
        crc_bits, max_frame = self._decoder.crc_bits, self._decoder.max_frame
        many = is_many(complete)
        frames = decode_bulk(complete, crc_bits, max_frame) if many else split(complete, crc_bits, max_frame)
        counter = FrameCounter() if anonymous else self.counter
        steps = walk_many(frames, counter) if isinstance(frames, Frames) else walk_few(frames, counter)
        used = len(frames)
        for step in steps:
            if isinstance(step, Run):
                if anonymous:
                    self._misplace("before_identity", step.size)
                else:
                    self._run(step)
            elif anonymous and step.body[0] != Kind.HELLO:
                self._misplace("before_identity", step.size)
            else:
                self._single(step)
                if reading != self._reading():
                    used = step.walked
                    if anonymous:
                        self.counter.restart(HEADER.unpack_from(step.body)[2])
                    break
        changed = reading != self._reading()
        taken = int(sum(frames.sizes[:used]) if isinstance(frames, Parts) else frames.size[:used].sum())
        self._books["frames"] += taken
        for before, kind, count in frames.damaged:
            if before < used or not changed:
                self._lose("before_identity" if anonymous else DAMAGE[kind], count)
                taken += count
        return complete[taken:]

    def _run(self, run: Run) -> None:
        assert self._reader is not None
        read = self._reader.read(run)
        if isinstance(read, Samples):
            self._heard.append(read)
        else:
            self._misplace(read, run.size)

    def _single(self, single: Single) -> None:
        """Take one frame that is no whole SAMPLES."""
        kind, flags, seq = HEADER.unpack_from(single.body)
        payload = single.body[HEADER.size :]
        if flags & UNKNOWN_FLAGS or kind >= _FROM_HOST:
            self._misplace("unknown", single.size)
            return
        if flags & PARTS:
            if not flags & Flag.FRAGMENT:
                self._misplace("malformed", single.size)
                return
            plain, more = flags & ~PARTS, bool(flags & Flag.MORE)
            whole, given_up = self._fragments.add(kind, plain, more, payload, single.size, single.lost)
            self._misplace("fragment", given_up)
            if whole is None:
                return
            flags, payload = plain, whole
        if bucket := self._message(kind, flags, seq, payload):
            self._misplace(bucket, single.size)

    def _message(self, kind: int, flags: int, seq: int, payload: bytes) -> str:
        """Take one whole message; return the bucket of its bytes where it cannot be understood."""
        if kind == Kind.SAMPLES:
            return self._long_samples(flags, payload)
        message = unpack(kind, flags, payload)
        if message is None:
            return "malformed" if kind in _KINDS else "unknown"
        if message.kind == Kind.HELLO:
            return self._hello(message)
        if message.kind == Kind.LOG:
            self._heard.append(_line(message))
            return ""
        if message.kind == Kind.ACK and message.of == Kind.SET_RATE:
            self._rate_accepted(message.of_seq)
        self._heard.append(Answer(message))
        return ""

    def _long_samples(self, flags: int, payload: bytes) -> str:
        """Read SAMPLES that came as fragments (images)."""
        if self._reader is None or len(payload) < 2:
            return "malformed"
        body = HEADER.pack(Kind.SAMPLES, flags, 0) + payload
        read = self._reader.read(Run(payload[0], flags, payload[1], len(body), 1, 0, body, 0, len(body)))
        if isinstance(read, Samples):
            self._heard.append(read)
            return ""
        return read

    def _hello(self, message: Message) -> str:
        if message.version > VERSION:
            self.refused = (
                f"the board speaks version {message.version} of the protocol and this program only {VERSION}; "
                "update this program or flash older firmware"
            )
            self._heard.append(Text(self.refused, "error"))
            self._forget()
            return ""
        understood = understand(message.tail, message.tick_hz)
        if message.crc_bits not in (CRC16, CRC32) or message.max_frame < _SHORTEST_MAX_FRAME:
            understood = f"CRC of {message.crc_bits} bits and frames of {message.max_frame} bytes cannot be"
        if isinstance(understood, str):
            self._heard.append(Text(f"HELLO cannot be used: {understood}; mend the firmware's description", "error"))
            return "malformed"
        self.refused = ""
        info, streams = understood
        if self._reader is None or self._present(info) != info or self._info != info:
            self._reader, self._info = SampleReader(streams, message.tick_hz), info
        for each in (self._decoder, self._encoder):
            each.crc_bits, each.max_frame = message.crc_bits, message.max_frame
        self._host.speak(message.crc_bits, message.max_frame)
        self._heard.append(Described(info, message.nonce))
        return ""

    # ------------------------------------------------------------------ rates

    def _rate_accepted(self, seq: int) -> None:
        wanted = self._host.accepted(seq)
        if wanted is not None and self._reader is not None:
            self._reader.change_rate(*wanted)

    def _present(self, info: BoardInfo) -> BoardInfo:
        """Return the identity with the rates that hold now."""
        if self._reader is None:
            return info
        return replace(info, streams=tuple(self._reader.streams.values()))

    # ------------------------------------------------------------------ bytes of the host

    def sent(self, data: bytes) -> list[Message]:
        """Take bytes that the host wrote (or, in a replay, had written); return the commands in them."""
        return self._host.take(data)

    def send(self, command: Message | str) -> bytes:
        """Return the bytes of a command, given as a message or as text such as `SET_RATE stream=0 rate_mhz=100000`.

        Raises:
            UsageError: The text names no message (see `spoken`).
        """
        return self._encoder.encode(message_from(command) if isinstance(command, str) else command)


def _line(message: Message) -> Text:
    return Text(message.tail.decode("utf-8", "replace").rstrip("\r\n\0"), _LEVELS.get(message.level, "info"))
