"""Waits until a screen has nothing left to do: by what is in its queues, never by how long it was given.

Textual's own pilot takes a screen for idle once its process used little CPU in 20 ms. On a machine that gives the
process none in that time, a key is then taken for done while half of what it leads to is still to come.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import pytest
from textual import app as textual_app
from textual import pilot as textual_pilot
from textual._context import active_app
from textual.message import Message
from textual.message_pump import MessagePump

from hil.tui.app import HilApp

__all__ = ["patient"]

TURNS = 8
"""So many turns of the loop in a row with nothing to do: what was handed from task to task has arrived."""

MOST = 2_000
"""Turns: a bench that stands still rests after some fifty; one whose pictures follow each other may never rest."""


class _Rest:
    """Stands in for Textual's `wait_for_idle` and knows what is being dispatched."""

    def __init__(self) -> None:
        self.under_way = 0
        self._dispatches = MessagePump._dispatch_message

    async def dispatch(self, pump: MessagePump, message: Message) -> None:
        self.under_way += 1
        try:
            await self._dispatches(pump, message)
        finally:
            self.under_way -= 1

    async def __call__(self, min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
        app, quiet, until = active_app.get(), 0, monotonic() + max_sleep
        assert isinstance(app, HilApp)
        for turn in range(MOST):
            if quiet == TURNS or app._exit or not (app.place.inline or monotonic() < until):
                return
            await asyncio.sleep(0 if turn % 100 else 0.001)  # a thread gets its turn, too
            quiet = 0 if self.under_way or _busy(app) else quiet + 1


def _waits(pump: MessagePump) -> bool:
    """Whether a message or a call waits for its turn; there is no public place to ask."""
    return pump.is_running and bool(pump._message_queue.qsize() or pump._pending_message or pump._next_callbacks)


def _busy(app: HilApp) -> bool:
    if any(_waits(pump) for pump in (app, *app._registry)) or any(not worker.is_finished for worker in app.workers):
        return True
    screen = app.screen
    to_draw = screen._layout_required or screen._scroll_required or screen._repaint_required or screen._dirty_widgets
    if to_draw or screen._recompose_required or screen._callbacks:
        screen._on_timer_update()  # what a timer would do in a sixtieth of a second
        return True
    return False


@contextmanager
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let pilots wait so, meanwhile."""
    rest = _Rest()

    async def dispatch(pump: MessagePump, message: Message) -> None:
        await rest.dispatch(pump, message)

    with monkeypatch.context() as patch:
        patch.setattr(MessagePump, "_dispatch_message", dispatch)
        for module in (textual_app, textual_pilot):
            patch.setattr(module, "wait_for_idle", rest)
        yield
