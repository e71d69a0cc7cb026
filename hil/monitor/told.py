"""Labels that a board tells itself become marks, so that its recordings are labelled as they are made.

A board that knows what goes on (a rig that moves it, a phone that leads a person, the virtual watch) logs the line
`label: NAME` when it begins and `label: none` when it ends. In a replay the marks are in the recording already.
"""

from collections.abc import Iterable

from firmware_bridge.events import Arrival, Disconnected, Item, Log, Mark
from hil.monitor.logbook import LABEL_PREFIX, told_label

__all__ = ["BoardLabels"]


class BoardLabels:
    """A stage that adds a start and a stop mark for every label a board tells; their author is the board."""

    def __init__(self) -> None:
        self._running: dict[str, str] = {}

    def process(self, arrivals: list[Arrival]) -> list[Arrival]:
        """Return the arrivals, each followed by the marks that it brings."""
        out: list[Arrival] = []
        for arrival in arrivals:
            out.append(arrival)
            if marks := self.marks(arrival.items):
                out.append(Arrival("", -1, arrival.t_ns, "note", items=tuple(marks)))
        return out

    def marks(self, items: Iterable[Item]) -> list[Mark]:
        """Return the marks that items bring."""
        return [mark for item in items if isinstance(item, (Log, Disconnected)) for mark in self._marks(item)]

    def reset(self) -> None:
        """Forget what runs."""
        self._running.clear()

    def finish(self) -> list[Arrival]:
        """Nothing is held back."""
        return []

    def _marks(self, item: Item) -> list[Mark]:
        if isinstance(item, Disconnected):
            return self._change(item.board, item.t_ns, "")
        if isinstance(item, Log) and item.text.startswith(LABEL_PREFIX):
            label = told_label(item.text)
            more = item.text.removeprefix(LABEL_PREFIX).strip().removeprefix(label).strip()
            return self._change(item.board, item.t_ns, label, more)
        return []

    def _change(self, board: str, t_ns: int, label: str, note: str = "") -> list[Mark]:
        before = self._running.pop(board, "")
        marks = [Mark(board, t_ns, before, "stop", board)] if before else []
        if label:
            self._running[board] = label
            marks.append(Mark(board, t_ns, label, "start", board, note))
        return marks
