"""The list of all actions (ctrl+p): Textual's own, mended where it fell over.

Rule of this room: nothing about what can be done; pages say that (`Page.actions`).
"""

import contextlib

from textual.command import CommandPalette

__all__ = ["ActionList"]


class ActionList(CommandPalette):
    """Textual's list of commands; in 8.2 a page turned before its lines were laid out ended the whole screen."""

    def _action_command_list(self, action: str) -> None:
        with contextlib.suppress(KeyError):  # there is no line yet to turn a page from
            super()._action_command_list(action)
