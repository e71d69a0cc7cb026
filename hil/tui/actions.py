"""The list of all actions (ctrl+p): Textual's own, mended where it fell over.

Rule of this room: nothing about what can be done; pages say that (`Page.actions`).
"""

import contextlib

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette

__all__ = ["ActionList"]


class ActionList(CommandPalette):
    """Textual's list of commands; two things ended the whole screen in 8.2.

    A page turned before its lines were laid out, and a click beside it that came when a key had closed it already.
    """

    def _action_command_list(self, action: str) -> None:
        with contextlib.suppress(KeyError):  # there is no line yet to turn a page from
            super()._action_command_list(action)

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close it, once."""
        return super().dismiss(result) if self.is_current else AwaitComplete()
