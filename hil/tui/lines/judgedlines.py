"""What a model said under which label, and what its confidence was worth, in as many columns as there are.

Rule of this room: pure, from a tally to lines. What rests on too few decisions says how few instead of a figure.
"""

from collections.abc import Sequence

from hil.tui.charts.cells import BAD, DIM, GOOD, KEY, TEXT, TITLE, WARN, Line, Run, channel_ink, cut, wrap
from hil.tui.state.tally import BINS, ENOUGH, Tally
from hil.views.snapshot import PredictionView

__all__ = ["calibration", "confusion"]

CELL = 7
WIDE = 60
"""From this many columns on classes are written out above a confusion; below they are numbers."""
BAR = 20
"""Cells of a bar that stands for 100 %, at most."""
GAP = 0.1
"""Distance of confidence and accuracy from which a bin is marked."""


def confusion(one: PredictionView, tally: Tally, width: int) -> list[Line]:
    """Return how often what was said under which label."""
    none = f"  {tally.unlabelled} decisions had no label" if tally.unlabelled else ""
    if not tally.judged:
        words = "  no label ran yet: 1-9 on the live page start one, a virtual board tells its own"
        return [*wrap([(words, DIM)], width), [(none, DIM)]]
    cell = CELL if width >= WIDE else max(4, len(str(max(tally.pairs.values()))) + 2)
    named = cell == CELL
    truths = list(dict.fromkeys([*one.labels, *(truth for truth, _ in tally.pairs)]))
    truths = [name for name in truths if any(truth == name for truth, _ in tally.pairs)]
    said = [name for name in one.labels if any(label == name for _, label in tally.pairs)]
    wide = max(15, min(20, max(len(name) for name in truths)) + 1) if named else 10
    fits = max(1, (width - wide - 2) // cell)
    head: list[Run] = [(f"  {'label ↓ said →' if named else '↓ as →':<{wide}}", TITLE)]
    for name in said[:fits]:
        place = one.labels.index(name)
        head.append((f"{cut(name, cell - 1) if named else (place + 1) % 10:>{cell}}", channel_ink(place)))
    share = f"  {tally.right} of {tally.judged} right ({tally.right / tally.judged:.0%})"
    lines: list[Line] = [*wrap([(share, TITLE), (none, DIM)], width), head]
    lines += [_truth_row(name, said[:fits], tally, wide, cell) for name in truths]
    if len(said) > fits:
        lines.append([(f"  +{len(said) - fits} more classes were said", DIM)])
    return lines


def _truth_row(truth: str, said: Sequence[str], tally: Tally, wide: int, cell: int) -> Line:
    line: list[Run] = [(f"  {cut(truth, wide - 1):<{wide}}", TITLE)]
    for name in said:
        count = tally.pairs.get((truth, name), 0)
        words = f"{count}{'✔' if truth == name else ''}" if count else "·"
        line.append((f"{words:>{cell}}", DIM if not count else GOOD if truth == name else BAD))
    return line


def calibration(tally: Tally, width: int, most: int = BINS) -> list[Line]:
    """Return how often decisions of each confidence were right, and the calibration error with what it rests on.

    Args:
        tally: What was counted.
        width: Cells.
        most: Bins that are listed, the fullest ones; the error is over all.
    """
    if not tally.judged:
        return []
    if tally.ece is None:
        worth: Run = (f"too few decisions for a calibration error: {tally.judged} of {ENOUGH}", DIM)
    else:
        worth = (f"calibration error {tally.ece:.3f} of {tally.judged} decisions, {BINS} bins", TEXT)
    lines: list[Line] = list(wrap([("  sure     ", TITLE), worth], width, 11))
    room = max(4, min(BAR, width - 32))
    shown = sorted(sorted(tally.bins, key=lambda at: -tally.bins[at].count)[:most])
    for at in shown:
        one = tally.bins[at]
        off = one.accuracy - one.confidence
        ink, sign = (WARN, "too " if off < 0 else "too un") if abs(off) > GAP and one.count >= 10 else (TEXT, "")
        bar = "█" * round(one.accuracy * room)
        mark = min(room - 1, round(one.confidence * room))
        cells = [*f"{bar:·<{room}}"]
        cells[mark] = "┃"
        name, figure = f"  {at / BINS:4.0%}-{(at + 1) / BINS:4.0%} ", f" {one.accuracy:4.0%}"
        line: list[Run] = [(name, DIM), ("".join(cells), ink), (figure, ink), (f" of {one.count}", DIM)]
        lines.append([*line, (f" {sign}sure", KEY)] if sign else line)
    if len(shown) < len(tally.bins):
        lines.append([(f"  +{len(tally.bins) - len(shown)} more bins", DIM)])
    return lines
