"""A browser that says how much of what was drawn it has got, so that a slow line gets fewer pictures, never old ones.

What a tab draws goes through a pipe, a server, a socket and perhaps a tunnel, and each of them can hold minutes of a
slow line. So the server numbers the pieces, the browser confirms them, and the screen is told here.

Rule of this room: nothing is thrown away, as in `hil.tui.terminal.outlet`: whoever draws asks first and leaves a
picture out.
"""

from typing import Any

from textual.drivers.web_driver import WebDriver

__all__ = ["DRIVER", "TAKEN", "CountingBrowser"]

DRIVER = f"{__name__}:CountingBrowser"
"""How the environment of a tab names it."""
TAKEN = "taken"
"""Type of the message that says how many pieces (`count`) have come to the browser so far."""


class CountingBrowser(WebDriver):
    """The usual driver behind a browser, with an account in pieces."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._given = self._taken = 0

    @property
    def waiting(self) -> int:
        """Pieces that were given and have not come to the browser yet."""
        return self._given - self._taken

    def write(self, data: str) -> None:
        """Give the browser something."""
        self._given += 1
        super().write(data)

    def on_meta(self, packet_type: str, payload: dict[str, Any]) -> None:
        """Take what the server says beside keys."""
        if packet_type == TAKEN:
            self._taken = int(payload["count"])
        else:
            super().on_meta(packet_type, payload)
