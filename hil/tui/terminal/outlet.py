"""A terminal that can say how much it has not taken yet, so that a slow one gets fewer pictures, never old ones.

Rule of this room: nothing is thrown away here, for the next picture says only what differs from the last one. Whoever
draws asks first and leaves a picture out. Without this a line of 20 kB/s would get every picture, half a minute late.
"""

from typing import IO, TYPE_CHECKING, Any, cast

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App

__all__ = ["CountingTerminal", "Outlet"]


class Outlet:
    """A file that counts the characters that went through it.

    Args:
        file: The terminal.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.taken = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        """Write, and return once the system has taken it all."""
        count = self._file.write(text)
        self._file.flush()
        self.taken += len(text)
        return count


class CountingTerminal(LinuxDriver):
    """The usual driver of Linux and macOS, whose writer runs on a thread of its own, with an account."""

    def __init__(self, app: "App[Any]", **options: Any) -> None:
        super().__init__(app, **options)
        self._outlet = Outlet(cast("IO[str]", self._file))
        self._file = cast("Any", self._outlet)
        self._given = 0

    @property
    def waiting(self) -> int:
        """Characters that were given and not yet taken."""
        return self._given - self._outlet.taken

    def write(self, data: str) -> None:
        """Give the terminal something."""
        self._given += len(data)
        super().write(data)
