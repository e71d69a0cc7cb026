"""The help page: the focused pane in a sentence or two, then every key. Any of several keys closes it; nothing traps.

Rule of this room: the table of keys is the one in `keys`; here are only the words about panes.
"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from hil.tui.cells import DIM, KEY, TEXT, TITLE, WARN, Line, text, wrap
from hil.tui.keys import KEYS
from hil.tui.pane import Pane

__all__ = ["PANES", "HelpScreen", "lines"]

PANES = {
    "boards": (
        "One line a board: state, rate, samples lost, clock against this computer's with its uncertainty. A board that "
        "is not live says why and what to do. `unknown` means that the board does not number its samples: never 0. "
        "Up and down move the cursor, enter shows only that board."
    ),
    "plot": (
        "Channels of one unit share a chart. Every column of dots spans the least and greatest reading in it: a spike "
        "of one sample is always seen. A red × on the time axis marks missing samples. l gives each channel a lane; "
        "a shows the Allan deviation: how far noise averages out, and where the bias begins to wander."
    ),
    "label": (
        "The model's decision, its certainty, and one sign a decision: the number of the class, or · below 50 %. What "
        "the board itself says stands beside it, where it says anything."
    ),
    "ledger": (
        "Where every expected sample and every received byte went. The sums must close; if they do not, the bench "
        "itself is wrong. `unattributed`: lost, and the board's next status will tell whether it or the link lost it."
    ),
    "log": "What happened, newest last. Up and page up look back.",
}  # fmt: skip
"""What each pane shows and how to read it."""


def _wrap(words: str, width: int) -> list[str]:
    return [text(row) for row in wrap([(words, TEXT)], width, 0)]


def lines(pane: str, width: int) -> list[Line]:
    """Return the page for a focused pane.

    Args:
        pane: A key of `PANES`; anything else gives no words about a pane.
        width: Cells at hand.
    """
    page: list[Line] = []
    if pane in PANES:
        page.append([("The focused pane: ", TITLE), (pane, KEY)])
        page += [[(row, TEXT)] for row in _wrap(PANES[pane], width - 2)]
        page.append(())
    page.append([("Keys", TITLE), ("   (▲ changes the bench; all others only this screen)", DIM)])
    labels = [key for key in KEYS if key.id.startswith("label.")]
    for key in KEYS:
        if key in labels[1:]:
            continue
        shown, help_line = key.shown, key.help
        if key is labels[0]:
            shown, help_line = "1-9", "Start that class as a label; again: stop it. Only while a recording runs."
        if key.id == "screen.help":
            shown = "? F1"
        rows = _wrap(help_line, width - 14)
        page.append([(f"{shown:>9} ", KEY), ("▲ " if key.kind == "act" else "  ", WARN), (rows[0], TEXT)])
        page += [[(" " * 12 + row, TEXT)] for row in rows[1:]]
    page.append(())
    page += [[(row, DIM)] for row in _wrap(
        "A mouse works too: click a pane to focus it, turn the wheel to scroll. Every ▲ has a verb: `hil --help`.",
        width - 2,
    )]  # fmt: skip
    return page


class HelpScreen(ModalScreen[None]):
    """The page over the screen.

    Args:
        pane: The pane that had the focus.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q,enter,space,ctrl+c", "dismiss", "close", show=False, id="help.close"),
    ]

    def __init__(self, pane: str) -> None:
        super().__init__()
        self._pane = pane

    def compose(self) -> ComposeResult:
        """One pane."""
        yield Pane("help · esc closes", id="help")

    def on_mount(self) -> None:
        """Take the focus."""
        self.query_one(Pane).focus()

    def on_resize(self) -> None:
        """Wrap to the new width."""
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        pane = self.query_one(Pane)
        pane.show(lines(self._pane, pane.size.width))
