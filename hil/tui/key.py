"""One key of the screen, and what a table of keys becomes: bindings, a footer, the same table as a user moved it.

Rule of this room: a key has an id (so that a file of the user may move it), a name, a line of help, and a kind: `view`
changes only what this screen shows; `act` changes the bench or a file and has a verb of the command line that does the
same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hil.tui.charts.cells import DIM, KEY, TEXT, Run

if TYPE_CHECKING:
    from textual.binding import BindingType

__all__ = ["Hint", "Key", "bindings", "footer", "moved", "shown_as"]

Hint = tuple[str, str]
"""One thing worth saying in the footer: ids of keys, separated by spaces, and a word or two."""

SIGNS = {
    "plus": "+", "equals_sign": "=", "minus": "−", "comma": ",", "full_stop": ".", "left": "←", "right": "→",
    "up": "↑", "down": "↓", "left_square_bracket": "[", "right_square_bracket": "]", "less_than_sign": "<",
    "greater_than_sign": ">", "question_mark": "?", "escape": "esc", "slash": "/", "backslash": "\\",
    "semicolon": ";", "colon": ":", "left_parenthesis": "(", "right_parenthesis": ")", "delete": "del",
    "pageup": "pgup", "pagedown": "pgdn",
}  # fmt: skip
"""How keys are written for people, where their own name is longer than that."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        id: Stable name.
        keys: Key names, separated by commas.
        action: What the page (or the app) does.
        name: One or two words.
        help: One sentence.
        kind: `view` or `act`.
        verb: For `act`: the command line that does the same.
        when: `always`, `live`, `replay` or `recording`: where it is offered.
        first: Whether it works wherever the focus is.
    """

    id: str
    keys: str
    action: str
    name: str
    help: str
    kind: str = "view"
    verb: str = ""
    when: str = "always"
    first: bool = False

    @property
    def shown(self) -> str:
        """How the key is written for people; of several the first."""
        return shown_as(self.keys.partition(",")[0])


def shown_as(name: str) -> str:
    """Return how a key is written for people, such as `^q` for `ctrl+q`."""
    head, plus, tail = name.rpartition("+")
    sign = SIGNS.get(tail, tail.upper() if tail[:1] == "f" and tail[1:].isdigit() else tail)
    return sign if not plus else f"^{sign}" if head == "ctrl" else f"{head}+{sign}"


def bindings(keys: Iterable[Key]) -> "list[BindingType]":
    """Return a table as bindings of a page or of the app."""
    from textual.binding import Binding

    return [Binding(key.keys, key.action, key.name, show=False, id=key.id, priority=key.first) for key in keys]


def moved(keys: Sequence[Key], keymap: Mapping[str, str]) -> tuple[Key, ...]:
    """Return the table with the keys that a user moved; ids that are not in it are passed over."""
    return tuple(replace(key, keys=keymap.get(key.id, key.keys)) for key in keys)


def footer(hints: Iterable[Hint], keys: Iterable[Key], width: int) -> list[Run]:
    """Return keys and names as far as they fit whole, the most useful first."""
    written = {key.id: key.shown for key in keys}
    line: list[Run] = []
    used = 0
    for ids, name in hints:
        signs = " ".join(written.get(one, one) for one in ids.split(" "))
        if used + len(signs) + len(name) + 3 > width:
            continue
        line += [(f" {signs} ", KEY), (f"{name} ", TEXT if used == 0 else DIM)]
        used += len(signs) + len(name) + 3
    return line
