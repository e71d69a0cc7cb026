"""A recording of the screen as an asciicast (version 2): what was written to the terminal, and when.

The format is that of asciinema (docs.asciinema.org/manual/asciicast/v2): lines of JSON, first a header, then events of
`[seconds, kind, text]` with the kinds `o` (written), `r` (resized) and `m` (a marker, here a step of a script). Players
for terminals and web pages exist.

Rule of this room: written as it goes, a line an event, so that a session that is killed leaves a file that plays until
then. Time is asked of a clock and never goes back.
"""

import json
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from firmware_bridge.errors import FileError

__all__ = ["Cast"]

Size = tuple[int, int]


class Cast:
    """A recording that is being written.

    Args:
        path: Where to; an existing file is never overwritten.
        size: Columns and rows at first.
        seconds: Returns the time, in seconds since anything.
        title: What is recorded.
        began_s: When that was, UTC seconds; None is not said.

    Raises:
        FileError: The file is there already, or cannot be made.
    """

    def __init__(
        self, path: Path, size: Size, seconds: Callable[[], float], title: str = "", began_s: float | None = None
    ) -> None:
        try:
            self._file = path.open("x", encoding="utf-8")
        except FileExistsError:
            raise FileError("it is there already", str(path), "choose another name") from None
        except OSError as error:
            raise FileError(f"it cannot be written ({error.strerror})", str(path), "choose another place") from None
        self._seconds, self._start, self._last = seconds, seconds(), 0.0
        self._size = size
        header: dict[str, object] = {"version": 2, "width": size[0], "height": size[1]}
        if began_s is not None:
            header["timestamp"] = int(began_s)
        self._write({**header, "title": title, "env": {"TERM": "xterm-256color"}})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wrote(self, data: str, size: Size) -> None:
        """Keep what was written to a terminal of a size."""
        if size != self._size and all(size):
            self._size = size
            self._event("r", f"{size[0]}x{size[1]}")
        self._event("o", data)

    def mark(self, text: str) -> None:
        """Set a marker, where players can stop."""
        self._event("m", text)

    def close(self) -> None:
        """End the file; what is written later is not kept."""
        self._file.close()

    def _event(self, kind: str, text: str) -> None:
        if not self._file.closed:
            self._last = max(self._last, self._seconds() - self._start)
            self._write([round(self._last, 6), kind, text])

    def _write(self, plain: object) -> None:
        self._file.write(json.dumps(plain, ensure_ascii=False) + "\n")
        self._file.flush()
