"""Which port each board of this bench has: a file of the bench, so that no scenario names a port.

    [board.imu-revb]
    port = "usb://A50285BI"

A scenario asks for such a board with `needs = ["board:imu-revb"]`, and takes its port with `port = "bench"`.
"""

import tomllib
from pathlib import Path

from firmware_bridge.errors import FileError, UsageError

__all__ = ["read_bench"]


def read_bench(path: str | Path) -> tuple[tuple[str, str], ...]:
    """Return the role and the port of each board.

    Raises:
        FileError: The file cannot be read.
        UsageError: It is not TOML, or a board has no port.
    """
    try:
        plain = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise FileError(f"it cannot be read ({error.strerror})", str(path), "check the path") from None
    except ValueError as error:
        raise UsageError(f"this is no valid TOML: {error}", str(path), "correct that line") from None
    boards = plain.get("board")
    if not isinstance(boards, dict) or not boards:
        raise UsageError("it names no board", str(path), 'write [board.ROLE] and port = "..."')
    found = []
    for role, table in boards.items():
        port = table.get("port") if isinstance(table, dict) else None
        if not isinstance(port, str) or not port:
            raise UsageError(f"board.{role} has no port", str(path), 'write port = "usb://SERIAL"')
        found.append((role, port))
    return tuple(found)
