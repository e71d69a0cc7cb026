"""Every key of the screen in one table: those that work on all pages, and those of each page.

Rule of this room: the tables of the pages stand beside the pages; here they become one, which is what tests and a
user's own keymap are held against.
"""

from collections.abc import Mapping

from firmware_bridge.errors import UsageError
from hil.tui.key import Key, shown_as
from hil.tui.pagelist import PAGES, page_keys

__all__ = ["COMMON", "EVIDENCE", "KEYS", "checked"]

SCRIPT = "hil ui --script FILE"
"""The command line that takes along what these keys do: its steps `picture`, `text` and `data`."""

COMMON = (
    *page_keys(),
    Key("screen.picture", "s", "picture", "picture", "Keep a picture of the screen as an SVG file.", "act", SCRIPT),
    Key("screen.evidence", "S", "evidence", "evidence",
        "Take along what the focused pane shows: picture, CSV, NPZ, clipboard, the command that makes it again."),
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

EVIDENCE = (
    Key("evidence.picture", "s", "export('picture')", "picture", "The whole screen as an SVG file.", "act", SCRIPT),
    Key("evidence.csv", "c", "export('csv')", "CSV", "What the focused pane shows, as a table in a text file.", "act",
        SCRIPT),
    Key("evidence.npz", "n", "export('npz')", "NPZ", "The same as arrays by name, for NumPy.", "act", SCRIPT),
    Key("evidence.copy", "y", "export('copy')", "copy the table",
        "The same into the clipboard (OSC 52), as spreadsheets take it."),
    Key("evidence.command", "k", "export('command')", "copy the command",
        "The command line that makes the same again, into the clipboard."),
    Key("evidence.file", "f", "export('file')", "the file behind it",
        "The recording itself: in a browser it is downloaded, in a terminal its name is copied."),
)  # fmt: skip
"""Keys of what can be taken along; they work while that is offered."""

KEYS = (*(key for page in PAGES for key in page.keys), *COMMON, *EVIDENCE)
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
    for title, keys in (*((page.title, (*page.keys, *COMMON)) for page in PAGES), ("evidence", EVIDENCE)):
        taken: dict[str, str] = {}
        for key in keys:
            for name in keymap.get(key.id, key.keys).split(","):
                other = taken.setdefault(name.strip(), key.id)
                if other != key.id:
                    what = f"{shown_as(name)} would mean both {other} and {key.id} on the page {title}"
                    raise UsageError(what, where, "give one of them another key")
    return dict(keymap)
