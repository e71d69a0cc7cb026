"""A session of the screen as a text: keys, words, and what must be seen before it goes on.

    size 120x35              how large the screen is (also later, as somebody who resizes a terminal)
    press f3 down enter      keys by their names, one after the other
    type "squat 1"           words, into the line that is open
    focus ledger             puts the focus on the pane of that name
    wait "● LIVE" 20         goes on once that stands on the screen; after so many seconds (10) the script has failed
    gone "is starting" 20    goes on once that stands there no longer
    sleep 1.5                goes on after so many seconds
    picture bench.svg        keeps a picture of the screen
    text bench.txt           keeps the screen as text
    data plot.csv            keeps what the focused pane shows, as CSV or (.npz) as arrays

One step a line; `#` begins a comment; words with spaces stand in quotes. Files are written anew every time, for a
script that makes the pictures of a document is there to be run again.

Rule of this room: pure but for reading the file. A mistake names the line, what was found and what may stand there, and
is found before anything is started.
"""

import difflib
import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.errors import UsageError
from firmware_bridge.missing import unread

__all__ = ["SIZE", "Step", "parse_script", "read_script"]

SIZE = (120, 35)
"""Columns and rows, where the script does not say."""
WAIT_S = 10.0
"""How long a text is waited for, where the script does not say."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a script.

    Attributes:
        line: Its number, from 1.
        verb: What is to be done.
        words: Keys, a text, a file or the name of a pane.
        number: Seconds.
        size: Columns and rows.
    """

    line: int
    verb: str
    words: tuple[str, ...] = ()
    number: float = 0.0
    size: tuple[int, int] = (0, 0)


def read_script(path: Path) -> tuple[Step, ...]:
    """Return the steps of a file.

    Raises:
        FileError: It cannot be read.
        UsageError: A line cannot be meant.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise unread(error, path, "name a text file", "the script") from None
    return parse_script(text, str(path))


def parse_script(text: str, where: str = "script") -> tuple[Step, ...]:
    """Return the steps of a script.

    Args:
        text: All of it.
        where: What it is called in mistakes, which add the number of the line.

    Raises:
        UsageError: A line cannot be meant.
    """
    steps: list[Step] = []
    for number, line in enumerate(text.splitlines(), 1):
        spot = f"{where}:{number}"
        try:
            verb, *words = shlex.split(line, comments=True) or [""]
        except ValueError as error:
            raise UsageError(f"the line cannot be read ({error})", spot, "close every quote") from None
        if not verb:
            continue
        if verb not in _VERBS:
            near = difflib.get_close_matches(verb, _VERBS, 1)
            todo = f"did you mean {near[0]}?" if near else f"use one of: {', '.join(_VERBS)}"
            raise UsageError(f"there is no step {verb!r}", spot, todo)
        made, usage = _VERBS[verb]
        step = made(number, verb, words)
        if step is None:
            raise UsageError(f"{line.strip()!r} cannot be meant", spot, f"write: {usage}")
        steps.append(step)
    if not steps:
        raise UsageError("there is no step in it", where, "write one a line, such as: press f3")
    return tuple(steps)


Maker = Callable[[int, str, Sequence[str]], "Step | None"]


def _size(line: int, verb: str, words: Sequence[str]) -> Step | None:
    columns, times, rows = words[0].partition("x") if len(words) == 1 else ("", "", "")
    if not (
        times and columns.isdecimal() and rows.isdecimal() and 10 <= int(columns) <= 1000 and 5 <= int(rows) <= 500
    ):
        return None
    return Step(line, verb, size=(int(columns), int(rows)))


def _press(line: int, verb: str, words: Sequence[str]) -> Step | None:
    return Step(line, verb, tuple(words)) if words and all(map(_is_key, words)) else None


def _text(line: int, verb: str, words: Sequence[str]) -> Step | None:
    return Step(line, verb, tuple(words)) if len(words) == 1 and words[0] else None


def _seen(line: int, verb: str, words: Sequence[str]) -> Step | None:
    seconds = WAIT_S if len(words) == 1 else _seconds(words[1]) if len(words) == 2 else None
    return None if seconds is None or not words[0] else Step(line, verb, (words[0],), seconds)


def _sleep(line: int, verb: str, words: Sequence[str]) -> Step | None:
    seconds = _seconds(words[0]) if len(words) == 1 else None
    return None if seconds is None else Step(line, verb, number=seconds)


def _file(*suffixes: str) -> Maker:
    def made(line: int, verb: str, words: Sequence[str]) -> Step | None:
        fits = len(words) == 1 and Path(words[0]).suffix in suffixes
        return Step(line, verb, tuple(words)) if fits else None

    return made


def _seconds(word: str) -> float | None:
    try:
        seconds = float(word.removesuffix("s"))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _is_key(name: str) -> bool:
    """Whether a key is called so: a character, or a name that Textual knows, after any of ctrl+, shift+ and alt+."""
    from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character

    while name.startswith(("ctrl+", "shift+", "alt+")) and name.partition("+")[2]:
        name = name.partition("+")[2]
    named = {*(key.value for key in Keys), *KEY_NAME_REPLACEMENTS.values()}
    return name in named or key_to_character(name) is not None


_VERBS: Mapping[str, tuple[Maker, str]] = {
    "size": (_size, "size 120x35"), "press": (_press, "press f3 down enter (keys by their names)"),
    "type": (_text, 'type "words"'), "focus": (_text, "focus NAME (of a pane)"),
    "wait": (_seen, 'wait "text" [SECONDS]'), "gone": (_seen, 'gone "text" [SECONDS]'),
    "sleep": (_sleep, "sleep SECONDS"), "picture": (_file(".svg"), "picture FILE.svg"),
    "text": (_file(".txt"), "text FILE.txt"), "data": (_file(".csv", ".npz"), "data FILE.csv (or .npz)"),
}  # fmt: skip
"""What each step is made by, and how it is written."""
