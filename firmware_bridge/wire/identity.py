"""Whether the board that answers is the one that is meant: the one asked for, and the one that was here before.

A port's name says nothing about the board behind it. Whoever answered first is the board of the conversation; another
model or serial number later, after an unplug or behind a server, is refused with a sentence. What a board does not
tell (no serial number, model unknown) is not held against it. The judgement follows the bytes, live and in a replay.
"""

from collections.abc import Callable

from firmware_bridge.streams import BoardInfo

__all__ = ["SURE", "Identity", "is_known"]

SURE = 0.5
"""A dialect that is less sure than this and knows no stream only keeps the bytes: nobody has been met yet."""


def is_known(info: BoardInfo | None) -> bool:
    """Return whether a board is understood; `undescribed` is what a dialect says of bytes that it can only keep."""
    return info is not None and bool(info.streams or info.confidence > SURE)


class Identity:
    """Who a conversation is held with.

    Args:
        expect: Judges an identity against what the user asked for: a sentence, or None.
    """

    def __init__(self, expect: Callable[[BoardInfo], str | None] | None) -> None:
        self._expect = expect
        self._met: BoardInfo | None = None
        self._port = ""

    def opened(self, port: str) -> None:
        """A connection exists; the board behind it may be another one."""
        self._port = port

    def judge(self, info: BoardInfo) -> str:
        """Return why `info` is the wrong board, as one sentence; empty where it is the right one, which is kept."""
        if self._expect is not None and (sentence := self._expect(info)):
            return sentence
        met = self._met
        if met is None:
            self._met = info if is_known(info) else None
            return ""
        other_serial = met.serial and info.serial and met.serial != info.serial
        other_model = met.model != info.model and "unknown" not in (met.model, info.model)
        if not other_serial and not other_model:
            return ""
        return (
            f"{self._port}: {info.model} {info.serial} answered where {met.model} {met.serial} was; plug that one in "
            "again, or stop and start anew to use this one"
        )
