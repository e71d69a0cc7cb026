"""The help page: the focused pane in a sentence or two, then every key. Any of several keys closes it; nothing traps.

Rule of this room: keys and words about panes are those of the page; here they only become lines.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from hil.tui.charts.cells import DIM, KEY, TEXT, TITLE, WARN, Line, text, wrap
from hil.tui.key import Key, shown_as
from hil.tui.keys import COMMON
from hil.tui.pagelist import PageInfo, page_keys
from hil.tui.terminal.pane import Pane

__all__ = ["HelpScreen", "lines"]

DIGITS = tuple(f".{digit}" for digit in range(1, 10))
"""Ends of the ids of keys that are told in one line."""
THROUGH = (*page_keys(), *(key for key in COMMON if key.id in ("screen.palette", "screen.quit")))
"""Keys that do what they always do while the page of help is open."""
LAST = (
    "A mouse works too: click a pane to focus it, turn the wheel to scroll. Keys can be moved in screen.toml: "
    "`hil ui --help` says where."
)


def _wrap(words: str, width: int) -> list[str]:
    return [text(row) for row in wrap([(words, TEXT)], width, 0)]


def lines(page: PageInfo, keys: Sequence[Key], pane: str, width: int, reach: str = "") -> list[Line]:
    """Return the page of help for a focused pane.

    Args:
        page: The page it is on.
        keys: The keys that work there, as the user has them.
        pane: One of the page's panes; anything else gives no words about a pane.
        width: Cells at hand.
        reach: How another shell reaches the bench; empty where there is none.
    """
    rows: list[Line] = [*wrap([(f"{page.title}: ", TITLE), (page.help, TEXT)], width - 2), ()]
    if pane in page.panes:
        rows.append([("The focused pane: ", TITLE), (pane, KEY)])
        rows += [[(row, TEXT)] for row in _wrap(page.panes[pane], width - 2)]
        rows.append(())
    rows.append([("Keys", TITLE), ("   (▲ changes the bench or a file, as the verb in `…` does)", DIM)])
    digits = [key for key in keys if key.id[-2:] in DIGITS]
    for key in keys:
        if key in digits[1:]:
            continue
        shown = " ".join(shown_as(name) for name in key.keys.split(","))
        shown, help_line = ("1-9", key.help.replace("class 1", "that class")) if key in digits else (shown, key.help)
        verb = [(f" `{key.verb}`", DIM)] if key.verb else []
        first, *others = wrap([(help_line, TEXT), *verb], width - 14, 0)
        rows.append([(f"{shown:>9} ", KEY), ("▲ " if key.kind == "act" else "  ", WARN), *first])
        rows += [[(" " * 12, TEXT), *row] for row in others]
    if reach:
        rows += [(), [("The engine of this bench", TITLE)], *([(row, TEXT)] for row in _wrap(reach, width - 2))]
    rows.append(())
    rows += [[(row, DIM)] for row in _wrap(LAST, width - 2)]
    return rows


class HelpScreen(ModalScreen[None]):
    """The page of help over another page.

    Args:
        page: That page.
        keys: Its keys, as the user has them.
        pane: The pane that had the focus.
        reach: How another shell reaches the bench; empty where there is none.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q,enter,space,ctrl+c", "dismiss", "close", show=False, id="help.close"),
        *(Binding(key.keys, f"app.{key.action}", key.name, show=False, id=key.id) for key in THROUGH),
    ]

    def __init__(self, page: PageInfo, keys: Sequence[Key], pane: str, reach: str = "") -> None:
        super().__init__()
        self._about = (page, keys, pane)
        self._reach = reach

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
        pane.show(lines(*self._about, pane.size.width, self._reach))
