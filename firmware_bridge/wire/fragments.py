"""Long messages put together from their fragments.

Parts of one message come in order, with no part of another message of the same kind between them. A part that does not
follow the one before (wrong offset, or frames known to be lost since) ends the attempt: its bytes go to the bucket
`fragment`, and the next part at offset 0 begins anew. Memory is bounded by `LONGEST`.
"""

from dataclasses import dataclass, field

__all__ = ["LONGEST", "Assembly", "Fragments"]

LONGEST = 32 << 20
"""Bytes of the longest message that is put together (an image of 4 million 32-bit values)."""


@dataclass(slots=True)
class Assembly:
    """A message that is not complete yet: its parts, the bytes they took on the wire, and the loss count they saw."""

    flags: int
    lost: int
    parts: list[bytes] = field(default_factory=list)
    length: int = 0
    wire_bytes: int = 0


class Fragments:
    """The open assemblies of one connection, at most one a kind."""

    def __init__(self) -> None:
        self._open: dict[int, Assembly] = {}

    def add(self, kind: int, flags: int, more: bool, payload: bytes, size: int, lost: int) -> tuple[bytes | None, int]:
        """Take one part.

        Args:
            kind: Of the message.
            flags: Without FRAGMENT and MORE.
            more: Whether further parts follow.
            payload: Offset (u32) and bytes.
            size: Bytes this part took on the wire.
            lost: Frames known to be lost on this connection so far.

        Returns:
            The whole payload where this part completes it, and the wire bytes that were given up.
        """
        offset = int.from_bytes(payload[:4], "little")
        assembly = self._open.get(kind)
        given_up = 0
        follows = (
            assembly is not None
            and assembly.length == offset > 0
            and (assembly.flags, assembly.lost) == (flags, lost)
            and offset + len(payload) <= LONGEST
        )
        if not follows:
            if assembly is not None:
                given_up = self._open.pop(kind).wire_bytes
            if offset or len(payload) < 4:
                return None, given_up + size
            assembly = self._open[kind] = Assembly(flags, lost)
        assert assembly is not None
        assembly.parts.append(payload[4:])
        assembly.length += len(payload) - 4
        assembly.wire_bytes += size
        if more:
            return None, given_up
        del self._open[kind]
        return b"".join(assembly.parts), given_up

    def abandon(self) -> int:
        """Forget everything; return the wire bytes that were given up."""
        given_up = sum(assembly.wire_bytes for assembly in self._open.values())
        self._open.clear()
        return given_up
