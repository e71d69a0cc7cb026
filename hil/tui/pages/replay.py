"""A recording in replay, over the page where it was chosen: the live page on an engine of its own.

Rule of this room: only what differs. Its engine ends with the page, and a recording that cannot be played says so where
it was chosen.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from hil.tui.pagelist import PageInfo
from hil.tui.pages import live_keys
from hil.tui.pages.live import LivePage
from hil.tui.workplace import Workplace

__all__ = ["ReplayPage"]


class ReplayPage(LivePage):
    """One recording in replay.

    Args:
        place: What stands behind it.
        path: The recording.
        classes: Labels on the digits.
        told: Called with a sentence when it is left, empty where nothing went wrong.
        above: Name of the page that it lies over.
    """

    awaited = "replay"

    def __init__(
        self, place: Workplace, path: Path, classes: Sequence[str], told: Callable[[str], None],
        above: str = "recordings",
    ) -> None:  # fmt: skip
        from hil.config import EngineConfig, ReplayConfig  # when a recording is played: nobody else here needs it

        info = PageInfo(above, path.name, "", "A recording in replay; escape goes back to the list.",
                        live_keys.KEYS, live_keys.PANES, lambda *_: self)  # fmt: skip
        config = EngineConfig(replay=ReplayConfig(path=str(path)), classes=tuple(classes))
        super().__init__(info, place, place.open_engine(config))
        self._told = told
        self._ended = False

    def failed(self) -> None:
        """Go back and say why."""
        self._leave(str(getattr(self.client, "failure", "")))

    def action_restore(self) -> None:
        """Close what is open, the nearest first; then the replay itself."""
        if self.painter.note.asking or self.maximised is not None or self.scene.held is not None or self.scene.only:
            super().action_restore()
        else:
            self._leave("")

    def may_leave(self) -> bool:
        """Its engine records nothing."""
        return True

    def close(self) -> None:
        """End its engine, beside the screen: that may take a while. A second time does nothing."""
        self.feed.stop(0.0)
        closing, self._ended = None if self._ended else getattr(self.client, "close", None), True
        if closing is not None:
            threading.Thread(target=closing, name="closing").start()

    def _leave(self, sentence: str) -> None:
        if self.is_attached and self is self.app.screen:
            self.app.pop_screen()
        self.close()
        self._told(sentence)
