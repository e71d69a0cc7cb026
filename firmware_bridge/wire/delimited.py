"""Frames of described boards between delimiters: COBS, SLIP and HDLC stuffing.

Rule: a piece between delimiters is one frame or is dropped whole, since no other frame can begin inside it.
"""

import numpy as np
from cobs import cobs

from firmware_bridge.wire.fieldplan import FramePlan
from firmware_bridge.wire.framescan import PRINTABLE, Drop, Found, Judge, Synchronised

__all__ = ["Delimited", "scanner"]


class Delimited:
    """Frames between delimiters, in which the delimiter itself was replaced (COBS, SLIP, HDLC)."""

    def __init__(self, plan: FramePlan) -> None:
        self._judge = Judge(plan)
        self._sync = plan.sync
        self._kind = plan.table.stuffing
        self._mark = {"cobs": b"\x00", "slip": b"\xc0", "hdlc": b"\x7e"}[self._kind]
        self._lines = plan.table.text is not None
        self._buffer = b""
        self._offset = 0
        self._skipping = False

    @property
    def pending(self) -> int:
        """Bytes held back."""
        return len(self._buffer)

    def take(self, data: bytes, final: bool = False) -> Found:
        """Take bytes; `final` when no more come, so that what is held back is decided."""
        found = Found()
        parts = (self._buffer + data).split(self._mark)
        bodies: list[bytes] = []
        self._parts: list[bytes] = []
        for part in parts[:-1]:
            self._part(part, len(part) + 1, bodies, found)
            self._skipping = False
        self._buffer = parts[-1]
        if self._buffer and (final or len(self._buffer) > 2 * self._judge.max_length or self._skipping):
            kind = "torn_frame" if final and not self._skipping else "oversize"
            self._skipping = not final
            found.drops.append(Drop(kind, self._offset, len(self._buffer)))
            self._offset += len(self._buffer)
            self._buffer = b""
        self._check(bodies, found)
        return found

    def _part(self, part: bytes, wire: int, bodies: list[bytes], found: Found) -> None:
        if not part and not self._skipping:
            found.drops.append(Drop("framing", self._offset, wire))
        elif self._skipping or len(part) > 2 * self._judge.max_length:
            found.drops.append(Drop("oversize", self._offset, wire))
        elif (body := self._unstuff(part)) is None or not body.startswith(self._sync):
            self._drop("bad_stuffing", part, self._offset, wire, found)
        elif len(body) < self._judge.shortest or self._judge.length(body, 0) not in (
            0 if self._free else -1,
            len(body),
        ):
            self._drop("bad_length", part, self._offset, wire, found)
        else:
            bodies.append(body)
            self._parts.append(part)
            found.wire.append(wire)
            found.offsets.append(self._offset)
        self._offset += wire

    def _drop(self, kind: str, part: bytes, offset: int, wire: int, found: Found) -> None:
        """Drop a piece that is no frame: lines for people where it is printable and the file says so."""
        text = self._lines and bool(part) and not part.translate(None, PRINTABLE)
        found.drops.append(Drop("text" if text else kind, offset, wire, part if text else b""))

    @property
    def _free(self) -> bool:
        """Whether frames may have any length."""
        return self._judge.fixed is None and self._judge.header <= len(self._sync)

    def _unstuff(self, part: bytes) -> bytes | None:
        try:
            if self._kind == "cobs":
                return bytes(cobs.decode(part))
        except cobs.DecodeError:
            return None
        escape, codes = {"slip": (b"\xdb", {0xDC: 0xC0, 0xDD: 0xDB}), "hdlc": (b"\x7d", None)}[self._kind]
        pieces = part.split(escape)
        body = bytearray(pieces[0])
        for piece in pieces[1:]:
            if not piece or (codes is not None and piece[0] not in codes):
                return None
            body.append(codes[piece[0]] if codes is not None else piece[0] ^ 0x20)
            body += piece[1:]
        return bytes(body)

    def _check(self, bodies: list[bytes], found: Found) -> None:
        if not bodies:
            return
        data = b"".join(bodies)
        lengths = [len(body) for body in bodies]
        starts = [0, *np.cumsum(lengths)[:-1].tolist()]
        good = self._judge.good(np.frombuffer(data, np.uint8), starts, lengths)
        for index in np.flatnonzero(~good).tolist():
            self._drop("bad_checksum", self._parts[index], found.offsets[index], found.wire[index], found)
        keep = np.flatnonzero(good).tolist()
        found.data = data
        found.starts, found.lengths = [starts[index] for index in keep], [lengths[index] for index in keep]
        found.wire, found.offsets = [found.wire[index] for index in keep], [found.offsets[index] for index in keep]


def scanner(plan: FramePlan) -> Synchronised | Delimited:
    """Return what finds the frames of a plan."""
    return Synchronised(plan) if plan.table.stuffing == "none" else Delimited(plan)
