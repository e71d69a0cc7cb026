"""The seconds around a failure: signal, prediction, label and fault over one time, with the moment itself marked.

Rule of this room: pure, plain values of a run's exhibit in, cells out; nothing is judged or measured here. What is
right or wrong, and what is missing, is a character; colour only repeats it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hil.tui.charts.cells import BAD, DIM, FOCUS, GOOD, KEY, TEXT, TITLE, WARN, Cells, Line, blank, put, runs, wrap
from hil.tui.lines import reel
from hil.tui.lines.reel import GUTTER, Track, axis, column_of, columns_of
from hil.views.snapshot import StreamView

__all__ = ["picture"]

MODELS = 3
"""Models whose decisions have a row, at most."""

Plain = Mapping[str, Any]
Span = tuple[str, float, float | None]


def picture(window: Plain, exhibit: Plain, place: tuple[int, int], width: int, height: int) -> tuple[Line, list[Line]]:
    """Return the rest of the title and the picture of a moment.

    Args:
        window: Readings around it, as `hil.scenario.afterwards.exhibit` gives them.
        exhibit: What else is known of the run: its faults and labels.
        place: Which of how many moments it is, from 0.
        width: Cells.
        height: Rows.
    """
    title = [(f"{place[0] + 1} of {place[1]}: ", KEY), (window["metric"], TITLE), (f" at {window['at_s']:.3f} s", TEXT)]
    words = wrap([(f"  {window['why']}", TITLE)], width)[:2]
    cells = blank(width, max(0, height - len(words)))
    track = Track((window["from_s"], window["to_s"]))
    faults = _faults(window, exhibit)
    labels = [(text, start, stop) for text, start, stop in exhibit.get("labels", {}).get(window["board"], ())]
    models = list(dict.fromkeys(one["model"] for one in window["decisions"]))[:MODELS]
    rows = bool(faults) + bool(labels) + len(models) + 1
    signal = max(0, cells.size[1] - rows)
    if signal:
        reel.strips(cells, [_stream(window, columns_of(width))], 0, signal)
    row = signal
    if faults:
        _shade(cells, track, faults, signal)
        _spans(cells, track, row, "fault", faults, WARN, "▒")
        row += 1
    if labels:
        _spans(cells, track, row, "label", labels, KEY, "═")
        row += 1
    for name in models:
        _decisions(cells, track, row, name, [one for one in window["decisions"] if one["model"] == name], labels)
        row += 1
    axis(cells, track, cells.size[1] - 1)
    _moment(cells, track, window["at_s"])
    return title, [*words, *runs(cells)]


def _faults(window: Plain, exhibit: Plain) -> list[Span]:
    return [
        (one["kind"], one["from_s"], one["to_s"])
        for one in exhibit.get("faults", ())
        if one["on"].partition("/")[0] in ("", "*", window["board"])
        and one["from_s"] < window["to_s"] and (one["to_s"] is None or one["to_s"] > window["from_s"])
    ]  # fmt: skip


def _stream(window: Plain, columns: int) -> StreamView:
    """Return the readings as an envelope of so many columns; where samples are missing the columns say so."""
    times = np.array([np.nan if t is None else t for t in window["t_s"]], np.float64)
    values = np.array([[np.nan if v is None else v for v in row] for row in window["values"]], np.float32)
    span = max(window["to_s"] - window["from_s"], 1e-9)
    place = np.clip((times - window["from_s"]) / span * columns, 0, columns - 1)
    low = np.full((len(values), columns), np.nan, np.float32)
    high, gaps = low.copy(), np.zeros(columns, np.bool_)
    known = np.flatnonzero(np.isfinite(times))
    at = place[known].astype(np.int64)
    for channel in range(len(values)):
        np.fmin.at(low[channel], at, values[channel, known])
        np.fmax.at(high[channel], at, values[channel, known])
    for hole in np.flatnonzero(np.isnan(times)):
        if 0 < hole < len(times) - 1:
            first, last = int(place[hole - 1]) + 1, int(place[hole + 1])
            gaps[min(first, columns - 1) : max(last, first + 1)] = True
    units = tuple(str(unit) for unit in window["units"])
    return StreamView(
        str(window["board"]), str(window["stream"]), tuple(map(str, window["channels"])), units, None, None, False,
        len(known), 0, 0, low, high, gaps, np.full(len(values), np.nan, np.float32),
    )  # fmt: skip


def _columns(track: Track, start: float, stop: float | None, width: int) -> tuple[int, int]:
    end = width if stop is None else column_of(track, stop, width)
    first = max(GUTTER, column_of(track, start, width))
    return first, min(width, max(end, first + 1))


def _shade(cells: Cells, track: Track, faults: Sequence[Span], rows: int) -> None:
    """Dot what is empty behind the signal for as long as a fault lasts."""
    for _, start, stop in faults:
        first, last = _columns(track, start, stop, cells.size[0])
        area = np.s_[:rows, first:last]
        empty = cells.codes[area] == 0x20
        empty[:, 1::2] = False
        cells.codes[area] = np.where(empty, ord("·"), cells.codes[area])
        cells.inks[area] = np.where(empty, WARN, cells.inks[area])


def _spans(cells: Cells, track: Track, row: int, name: str, spans: Sequence[Span], ink: int, fill: str) -> None:
    put(cells, 0, row, name, TITLE)
    for words, start, stop in spans:
        first, last = _columns(track, start, stop, cells.size[0])
        if first < last and (stop is None or stop > track.window[0]) and start < track.window[1]:
            put(cells, first, row, f"{fill} {words} {fill * (last - first)}"[: last - first], ink)


def _decisions(
    cells: Cells, track: Track, row: int, name: str, decisions: Sequence[Plain], labels: Sequence[Span]
) -> None:
    """Write what a model said when, with a sign for right and wrong where there is a label."""
    put(cells, 0, row, name[: GUTTER - 1], TITLE)
    width = cells.size[0]
    spots = [min(width - 1, max(GUTTER, column_of(track, one["t_s"], width))) for one in decisions]
    for at, (one, spot) in enumerate(zip(decisions, spots, strict=True)):
        truths = {text for text, start, stop in labels if start <= one["t_s"] and (stop is None or one["t_s"] <= stop)}
        sign, ink = ("·", DIM) if not truths else ("✔", GOOD) if one["label"] in truths else ("✖", BAD)
        room = (spots[at + 1] if at + 1 < len(spots) else width) - spot - 1
        same = at > 0 and decisions[at - 1]["label"] == one["label"]
        words = "" if same or room < 2 else one["label"][:room]
        put(cells, spot, row, f"{sign}{words}", ink)


def _moment(cells: Cells, track: Track, at_s: float) -> None:
    width, height = cells.size
    at = min(width - 1, max(GUTTER, column_of(track, at_s, width)))
    if height and width > GUTTER:
        empty = np.isin(cells.codes[: height - 1, at], (0x20, ord("·")))
        cells.codes[: height - 1, at][empty] = ord("│")
        cells.inks[: height - 1, at][empty] = FOCUS
        put(cells, at, height - 1, "▲", FOCUS)
