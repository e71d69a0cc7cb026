"""An examination in words: one line a finding, and all about the one at the cursor.

Rule of this room: pure, from values to lines; signs and words say how serious a finding is, colour only repeats them.
"""

from hil.doctor.finding import OK, TROUBLE, UNKNOWN, WARNING, Checkup, Finding, counted
from hil.tui.charts.cells import BAD, DIM, GOOD, KEY, TEXT, TITLE, WARN, Line, cut, wrap

__all__ = ["advice", "findings", "shown"]

SIGNS = {TROUBLE: ("✖ TROUBLE", BAD), WARNING: ("▲ warning", WARN), UNKNOWN: ("? unknown", DIM), OK: ("✔ ok", GOOD)}
"""A sign, a word and an ink for each level."""


def shown(checkup: Checkup | None, only_wrong: bool, engine: Finding | None = None) -> tuple[Finding, ...]:
    """Return the findings to show, and last the one about the engine of the bench where there is one."""
    every = (*checkup.findings, *((engine,) if engine else ())) if checkup else ()
    return tuple(one for one in every if not only_wrong or one.level != OK)


def findings(every: tuple[Finding, ...], width: int, cursor: int, busy: str) -> tuple[Line, list[Line]]:
    """Return the rest of the title and one line a finding."""
    counts = [(sum(one.level == level for one in every), word, ink) for level, (word, ink) in SIGNS.items()]
    title: Line = [(f"{counted(count, word[2:])}  ", ink) for count, word, ink in counts if count]
    if busy:
        title = [*title, (f"examining {busy} …", KEY)]
    if not every:
        words = "the computer is being examined; the screen goes on meanwhile" if busy else "nothing is wrong"
        return title, [[(words, DIM)]]
    of_w = min(24, max(len(one.of) for one in every)) + 1
    what_w = min(16, max(len(one.what) for one in every)) + 1
    lines: list[Line] = []
    for at, one in enumerate(every):
        sign, ink = SIGNS[one.level]
        of = one.of if len(one.of) < of_w else f"…{one.of[2 - of_w :]}"
        room = max(0, width - 13 - of_w - what_w)
        said = one.said if len(one.said) <= room else f"{one.said[: max(0, room - 1)]}…"
        lines.append([("▸ " if at == cursor else "  ", KEY), (f"{sign:<11}", ink), (f"{of:<{of_w}}", DIM),
                      (f"{cut(one.what, what_w - 1):<{what_w}}", TITLE), (said, TEXT)])  # fmt: skip
    return title, lines


def advice(one: Finding | None, checkup: Checkup | None, port: str, width: int) -> list[Line]:
    """Return all about a finding, and what the examination comes to."""
    lines: list[Line] = []
    if one is not None:
        sign, ink = SIGNS[one.level]
        lines += wrap([(f" {sign} ", ink), (f"{one.of}: {one.what}: ", TITLE), (one.said, TEXT)], width)
        lines += wrap([(" do: ", KEY), (one.todo, KEY)], width) if one.todo else [[(" nothing is to be done", DIM)]]
        lines.append(())
    if checkup is not None:
        for sentence in checkup.verdict():
            lines += wrap([(f" {sentence}", TITLE if "±" in sentence or "safe" in sentence else DIM)], width)
    if port:
        lines += wrap([(" port chosen: ", DIM), (port, KEY)], width)
    return lines
