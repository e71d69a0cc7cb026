"""Terminals as Textual drives them, but for what is written there also goes to a recording; and one that is nowhere.

Rule of this room: taken where the screen writes, not behind a pseudo terminal, so that it works on every system and
what is recorded is exactly what was drawn.
"""

from collections.abc import Callable

from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver

__all__ = ["Nowhere", "taped"]

Tape = Callable[[str, tuple[int, int]], None]

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
"""The other page of the terminal without its cursor, and back: what a real driver says at its start and end."""


class Nowhere(HeadlessDriver):
    """A terminal that nobody looks at, and which is drawn on all the same."""

    @property
    def is_headless(self) -> bool:
        """No: a screen draws nothing where it is told so."""
        return False

    def start_application_mode(self) -> None:
        """Begin as a real one does."""
        super().start_application_mode()
        self.write(ENTER)

    def stop_application_mode(self) -> None:
        """End as a real one does."""
        self.write(LEAVE)


def taped(base: type[Driver], tape: Tape) -> type[Driver]:
    """Return a driver that also hands on what it writes, with the size of the screen then."""

    class Taped(base):  # type: ignore[misc, valid-type]  # which terminal it is, is known when it runs
        """A terminal with a witness."""

        def write(self, data: str) -> None:
            """Write, and hand it on."""
            tape(data, (self._app.size.width, self._app.size.height))
            super().write(data)

    return Taped
