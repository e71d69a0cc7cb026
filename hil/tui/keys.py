"""Every key of the screen in one table: those that work on all pages, and those of each page.

Rule of this room: the tables of the pages stand beside the pages; here they become one, which is what tests and a
user's own keymap are held against.
"""

from collections.abc import Mapping

from firmware_bridge.errors import UsageError
from hil.tui.key import Key, shown_as
from hil.tui.pagelist import PAGES, page_keys

__all__ = ["COMMON", "KEYS", "checked"]

COMMON = (
    *page_keys(),
    Key("screen.picture", "s", "picture", "picture", "Keep a picture of the screen as an SVG file."),
    Key("screen.motion", "ctrl+r", "motion", "reduced motion",
        "Draw two pictures a second and animate nothing; again: as before."),
    Key("screen.lesson", "ctrl+l", "lesson", "lesson",
        "Skip the lesson of the first run, for good; without one: begin it."),
    Key("screen.help", "question_mark,f1", "help", "help", "Show this page."),
    Key("screen.palette", "ctrl+p", "command_palette", "all actions", "Find any action by its name."),
    Key("screen.quit", "ctrl+q", "leave", "quit",
        "Leave the screen. While a recording runs it is asked for twice, and the file is closed first.", first=True),
    Key("screen.interrupt", "ctrl+c", "interrupt", "how to quit",
        "Never stops anything: says how to leave, so that no recording is lost by habit.", first=True),
)  # fmt: skip
"""Keys that work on every page."""

KEYS = (*(key for page in PAGES for key in page.keys), *COMMON)
"""All keys, in the order of the help page."""


def checked(keymap: Mapping[str, str], where: str) -> dict[str, str]:
    """Return a user's keymap, known to be one that leaves every key one meaning on its page.

    Args:
        keymap: Key names, separated by commas, by the id of a key.
        where: The file, for mistakes.

    Raises:
        UsageError: An id is not known, or two actions of a page would share a key.
    """
    known = {key.id: key for key in KEYS}
    for name in keymap:
        if name not in known:
            import difflib

            near = difflib.get_close_matches(name, known, 1)
            todo = f"did you mean {near[0]}?" if near else f"use one of: {', '.join(sorted(known))}"
            raise UsageError(f"there is no key called {name!r}", where, todo)
    for page in PAGES:
        taken: dict[str, str] = {}
        for key in (*page.keys, *COMMON):
            for name in keymap.get(key.id, key.keys).split(","):
                other = taken.setdefault(name.strip(), key.id)
                if other != key.id:
                    what = f"{shown_as(name)} would mean both {other} and {key.id} on the page {page.title}"
                    raise UsageError(what, where, "give one of them another key")
    return dict(keymap)
