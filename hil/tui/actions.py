"""The list of all actions (ctrl+p): Textual's own, mended where it fell over.

Rule of this room: nothing about what can be done; pages say that (`Page.actions`).
"""

import contextlib
from typing import Any

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.worker import ResultType, Worker, WorkType

__all__ = ["ActionList"]


class ActionList(CommandPalette):
    """Textual's list of commands; three things ended the whole screen in 8.2.

    A page turned before its lines were laid out, a click beside it that came when a key had closed it already, and a
    search that went on in a list that was closed.
    """

    def _action_command_list(self, action: str) -> None:
        with contextlib.suppress(KeyError):  # there is no line yet to turn a page from
            super()._action_command_list(action)

    def run_worker(self, work: WorkType[ResultType], *args: Any, **options: Any) -> Worker[ResultType]:
        """Search, and end nothing where the list goes before the search has begun or ended."""
        return super().run_worker(work, *args, **(options | {"exit_on_error": False}))

    async def _watch__show_busy(self) -> None:
        with contextlib.suppress(NoMatches):  # a search may end after the list has gone
            await super()._watch__show_busy()

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close it, once, and look for nothing more."""
        self._cancel_gather_commands()
        return super().dismiss(result) if self.is_current else AwaitComplete()
