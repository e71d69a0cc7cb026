"""Two models at one board in two columns: what each says, how it is right, what it confuses, how long it computes.

Rule of this room: pure, from a scene to lines; both columns are made by the same function, so that they can be read
across.
"""

from collections.abc import Sequence
from itertools import zip_longest

from hil.tui.charts.cells import BAD, DIM, GOOD, KEY, TEXT, TITLE, Line, Run, channel_ink, cut, text, wrap
from hil.tui.lines import judgedlines
from hil.tui.lines.modellines import DRIFT, STATES, boarded, worked
from hil.tui.state.modelling import Modelling
from hil.tui.state.versus import Versus
from hil.views.snapshot import PredictionView

__all__ = ["beside"]

BINS = 5
"""Bins of confidence in a column."""


def beside(scene: Modelling, width: int) -> tuple[Line, list[Line]]:
    """Return the rest of the title and the two columns."""
    one, other = scene.here, scene.beside
    if one is None or other is None:
        return (), []
    half = (width - 3) // 2
    parts = zip(_column(scene, one, half), _column(scene, other, half), strict=True)
    columns = [row for left, right in parts for row in _across(left, right, half)]
    title = [(f"{one.model} beside {other.model} at {one.board}", KEY)]
    return title, [*_agreement(scene, one, other, width), *columns]


def _agreement(scene: Modelling, one: PredictionView, other: PredictionView, width: int) -> list[Line]:
    turned = (other.model, one.model, one.board) in scene.versus
    pair = scene.versus.get((other.model, one.model, one.board) if turned else (one.model, other.model, one.board),
                            Versus())  # fmt: skip
    if not pair.both:
        return [[("  no decision of both yet", DIM)]]
    mine, its = (pair.right, pair.left) if turned else (pair.left, pair.right)
    line: list[Run] = [("  same     ", TITLE), (f"{pair.same} of {pair.both} ({pair.same / pair.both:.0%})", TEXT)]
    if pair.differ:
        line.append((f"; of {pair.differ} that differ {one.model} alone was right in {mine}, {other.model} in {its}",
                     TEXT))  # fmt: skip
    if pair.alone:
        line.append((f"; {pair.alone} had no partner", DIM))
    return list(wrap(line, width, 11))


def _column(scene: Modelling, one: PredictionView, width: int) -> list[list[Line]]:
    """Return what stands in a column, part by part, so that parts of both begin in the same row."""
    word, ink = STATES.get(one.state, (one.state, DIM))
    lines: list[Line] = [[(f" {cut(one.model, width - 14)}", TITLE), (f"  {word}", ink)]]
    if one.sentence:
        lines += wrap([(f"  {one.sentence}", TEXT)], width)
    if one.label:
        place = one.labels.index(one.label) if one.label in one.labels else 0
        said: list[Run] = [("  says     ", TITLE), (one.label, channel_ink(place)), (f" {one.confidence:.0%}", TEXT)]
        truth = scene.latest.active_label if scene.latest is not None and scene.latest.active_label else one.told
        if truth:
            said.append((" ✔", GOOD) if truth == one.label else (f" ✖ it is {truth}", BAD))
        lines += wrap(said, width, 11)
    drift: list[Line] = []
    if one.drift is not None:
        drift.append([("  drift    ", TITLE), DRIFT.get(one.drift.verdict, (one.drift.verdict, DIM))])
    tally = scene.tally_of(one)
    return [
        lines, drift, [(), *judgedlines.confusion(one, tally, width)],
        [(), *judgedlines.calibration(tally, width, BINS)], [(), *worked(one, width)], boarded(one, width),
    ]  # fmt: skip


def _across(left: Sequence[Line], right: Sequence[Line], half: int) -> list[Line]:
    rows: list[Line] = []
    for one, other in zip_longest(left, right, fillvalue=()):
        used = len(text(one))
        rows.append([*one, (" " * max(0, half - used), TEXT), (" │ ", DIM), *other])
    return rows
