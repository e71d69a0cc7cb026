"""What a board answers, as events: STATUS with names of streams, and what became of a command.

Rule of this room: pure; what an answer changes in the conversation is decided in `protocol`.
"""

from collections.abc import Iterator, Mapping

from firmware_bridge.events import Event, Log, Reply, Status
from firmware_bridge.wire.messages import REASONS, Kind, Message, name_of, status_rows

__all__ = ["replies", "status_of"]

_REPLIES = (Kind.ACK, Kind.NAK, Kind.CREDIT, Kind.RESULT)


def replies(board: str, message: Message, now: int) -> Iterator[Event]:
    """Yield what an answer to a command tells: the answer, after a warning where the board refused."""
    if message.kind == Kind.NAK:
        said = message.tail.decode("utf-8", "replace") or REASONS.get(message.reason, "no reason")
        yield Log(board, now, "warning", f"the board refused {name_of(message.of)}: {said}")
    if message.kind in _REPLIES:
        yield Reply(board, now, message.kind.name, message.fields, message.tail)


def status_of(board: str, message: Message, names: Mapping[int, str], now: int) -> Status:
    """Return a STATUS with its rows by the names of the streams."""
    rows = {names.get(wire_id := row.pop("stream"), str(wire_id)): row for row in status_rows(message)}
    return Status(board, now, {**message.fields, "streams": rows})
