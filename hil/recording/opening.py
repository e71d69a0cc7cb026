"""What is known of a recording when it opens: its header, its boards, and the definitions of its streams.

Rule of this room: what stands between chunks carries its own checksum; a piece that does not match it is left out (or
ends the opening with a sentence), never believed.
"""

import json
from collections.abc import Mapping

from firmware_bridge.errors import FileError
from firmware_bridge.streams import Stream
from hil.recording.header import BOARD, NAME, SCHEMA, BoardSetup, Header, seal_holds, sealed
from hil.recording.pieces import Pieces, RecordedStream

__all__ = ["definitions", "read_header"]

_WRONG = (ValueError, KeyError, TypeError, AttributeError)
"""What damaged JSON ends in."""


def read_header(pieces: Pieces) -> tuple[Header, list[tuple[str, Mapping[str, str]]]]:
    """Return the header with all boards, and all metadata records that can be believed.

    Raises:
        FileError: The file was not made by the bench, is of a newer schema, or is damaged and nothing may be left out.
    """
    file, where = pieces.file, str(pieces.file.path)
    header = next((values for name, values in file.metadata if name == NAME), None)
    if header is None and (file.torn is None or file.chunks):
        raise FileError("this MCAP file was not made by the bench", where, "open it with a tool for MCAP files")
    found = Header(0, versions={}, environment={})
    try:
        if header is not None:
            found = Header.from_metadata(_believed(header), where)
    except _WRONG:
        pieces.leave_out("the header is damaged")
    kept: list[tuple[str, Mapping[str, str]]] = [(NAME, sealed(found.as_metadata()))]
    for name, values in file.metadata:
        if name == NAME:
            continue
        try:
            if name == BOARD and json.loads(_believed(values).get("schema", "1")) <= SCHEMA:
                found = found.with_board(BoardSetup.from_dict(json.loads(values["board"])))
            kept.append((name, _believed(values)))
        except _WRONG:
            pieces.leave_out(f"the metadata {name} is damaged")
    return found, kept


def definitions(pieces: Pieces) -> tuple[RecordedStream, ...]:
    """Return every stream that has samples, in the order of their channels; channels not to be believed are forgotten.

    Raises:
        FileError: A definition is damaged and nothing may be left out.
    """
    keys: dict[int, int] = {}
    found = []
    for channel in sorted(
        pieces.file.channels.values(), key=lambda one: (one.metadata.get("kind") == "samples", one.id)
    ):
        try:
            about = _believed(channel.metadata)
            if about["kind"] == "keys":
                keys[int(about["samples"])] = channel.id
            elif about["kind"] == "samples":
                stream = Stream.from_dict(json.loads(about["stream"]))
                known = RecordedStream(about["board"], stream, channel.id, keys.get(channel.id, 0), about["form"])
                if known.layout.record.itemsize and pieces.has(channel.id):
                    found.append(known)
        except _WRONG:
            pieces.leave_out(f"the definition of {channel.topic} is damaged")
            del pieces.file.channels[channel.id]
    return tuple(found)


def _believed(values: Mapping[str, str]) -> Mapping[str, str]:
    if not seal_holds(values):
        raise ValueError("the checksum does not hold")
    return values
