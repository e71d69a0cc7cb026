"""A board file to start from, for bytes that were kept before anyone described them: of a recording or a bare file."""

from pathlib import Path

from firmware_bridge.errors import UsageError
from firmware_bridge.wire.skeleton import describe
from hil.recording.files import explain
from hil.recording.mcapfile import MAGIC
from hil.recording.reader import Recording

__all__ = ["ENOUGH", "sketch"]

ENOUGH = 1 << 20
"""Bytes from the beginning that are looked at."""


def sketch(path: str | Path, role: str | None = None) -> str:
    """Return the text of a board file for a board that prints lines.

    Args:
        path: A recording, or a bare file of bytes as they came from a port.
        role: Board of a recording; None: its only one.

    Raises:
        FileError: It cannot be read.
        UsageError: There are several boards, no bytes, or no lines with numbers.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(ENOUGH)
    except OSError as error:
        raise explain(error, path) from error
    if not data.startswith(MAGIC):
        return describe(data, path.stem, whole=True)
    with Recording(path) as recording:
        received: dict[str, bytearray] = {}
        for arrival in recording.arrivals():
            if arrival.kind == "rx" and role in (None, arrival.board):
                received.setdefault(arrival.board, bytearray()).extend(arrival.data)
                if len(received[arrival.board]) >= ENOUGH:
                    break
    if len(received) != 1:
        roles = ", ".join(sorted(received)) or "none"
        raise UsageError(f"it holds bytes of these boards: {roles}", str(path), "choose one with --role")
    ((name, data_of),) = received.items()
    return describe(bytes(data_of), name)
