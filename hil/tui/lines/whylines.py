"""Why a model decided so, as cells: under each channel's signal what every piece of it added to the score.

Rule of this room: pure, plain values of an explanation in, lines out. For and against differ by the kind of sign
(blocks that rise, shades that thicken); colour only repeats it. Channels without room are counted, the least carrying
first.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.tui.charts.cells import BAD, DIM, GOOD, KEY, TEXT, TITLE, WARN, Cells, Line, blank, put, runs, wrap
from hil.tui.charts.units import unit_name
from hil.tui.lines import reel
from hil.tui.lines.reel import GUTTER, Track
from hil.tui.state.modelling import Why
from hil.views.snapshot import StreamView

__all__ = ["picture"]

FOR = "▁▂▃▄▅▆▇█"
AGAINST = "░▒▓"
LEAST = 0.04
"""Share of the strongest piece below which a piece is only a dot."""
ROWS = 3
"""Rows of a channel, at least: two of signal, one of what it added."""
MOST_ROWS = 7

Plain = Mapping[str, Any]


def picture(why: Why, width: int, height: int) -> tuple[Line, list[Line]]:
    """Return the rest of the title and the picture of an explanation.

    Args:
        why: The explanation.
        width: Cells.
        height: Rows.
    """
    title = [(f"{why.label or 'the decision'} of {why.model} at {why.board}", KEY)]
    if why.trouble:
        return title, list(wrap([("  ✖ ", BAD), (why.trouble, TEXT)], width))
    if why.found is None:
        return title, [[("  it is being computed in a process of its own; the bench goes on", DIM)]]
    found = why.found
    title.append((f"  {found['confidence']:.0%}, by {found['method']}", DIM))
    words = _words(found, width)[: max(0, height - ROWS - 1)]
    cells = blank(width, max(0, height - len(words)))
    _channels(cells, found)
    return title, [*words, *runs(cells)]


def _words(found: Plain, width: int) -> list[Line]:
    whole = found["completeness"]
    side = "above" if whole["difference"] >= 0 else "below"
    line = [(f"  {FOR[3]}{FOR[7]}", GOOD), (f" spoke for {found['label']}, ", TEXT), (AGAINST, BAD),
            (" against it; ", TEXT),
            (f"its score is {abs(whole['difference']):.2f} {side} the training mean's", TEXT)]  # fmt: skip
    if whole["relative"] is not None:
        line.append((f", the sum is {whole['relative']:.1%} off", DIM if whole["relative"] < 0.05 else WARN))
    if found["first_of_network"] != found["label"]:
        line.append((f"; on this window alone {found['first_of_network']} is first", WARN))
    held = "; ".join(
        f"{one['from_s']:.2f} to {one['to_s']:.2f} s {', '.join(one['channels'])} {one['share']:.0%}"
        for one in found["stretches"][:3]
    )
    return [*wrap(line, width, 2), *wrap([("  half of it: ", TITLE), (held, TEXT)], width, 2)]


def _channels(cells: Cells, found: Plain) -> None:
    """Draw as many channels as have room, those that carried most, in their own order."""
    width, height = cells.size
    last = height - 1
    drawn = list(found["readings"]["values"])
    shares = {one["channel"]: one["share"] for one in found["channels"]}
    fits = max(0, min(len(drawn), last // ROWS))
    chosen = set(sorted(drawn, key=lambda name: -shares[name])[:fits])
    shown = [name for name in drawn if name in chosen]
    most = max((abs(one) for row in found["band"]["added"].values() for one in row), default=0.0) or 1.0
    track = Track((found["band"]["edges_s"][0], found["band"]["edges_s"][-1]))
    each = min(MOST_ROWS, last // max(1, len(shown)))
    for at, name in enumerate(shown):
        top, end = at * each, (at + 1) * each
        channel = drawn.index(name)
        stream = _signal(found, track, 2 * max(1, width - GUTTER))
        heading = f"{name} {unit_name(found['readings']['units'][name])}"
        reel.strip(cells, [(stream, [channel], None)], top, end - 1, heading)
        put(cells, 0, end - 1, f"{shares[name]:>{GUTTER - 2}.0%}", TITLE)
        _band(cells, found["band"]["edges_s"], found["band"]["added"][name], most, track, end - 1)
    left = len(found["channels"]) - len(shown)
    foot = min(height - 1, len(shown) * each)
    if left > 0 and foot >= 0:
        put(cells, 0, foot, f"+{left} more"[: GUTTER - 2], DIM)
    if foot >= 0:
        reel.axis(cells, track, foot)


def _band(
    cells: Cells, edges: Sequence[float], added: Sequence[float], most: float, track: Track, row: int
) -> None:  # fmt: skip
    width = cells.size[0]
    put(cells, GUTTER - 1, row, "│", DIM)
    first, last = track.window
    middles = first + (np.arange(max(0, width - GUTTER)) + 0.5) / max(1, width - GUTTER) * (last - first)
    pieces = np.clip(np.searchsorted(edges, middles, side="right") - 1, 0, len(added) - 1)
    for at, piece in enumerate(pieces.tolist()):
        share = added[piece] / most
        if abs(share) < LEAST:
            put(cells, GUTTER + at, row, "·", DIM)
        elif share > 0:
            put(cells, GUTTER + at, row, FOR[min(7, int(share * 8))], GOOD)
        else:
            put(cells, GUTTER + at, row, AGAINST[min(2, int(-share * 3))], BAD)


def _signal(found: Plain, track: Track, columns: int) -> StreamView:
    """Return the readings as an envelope of so many columns."""
    names = tuple(found["readings"]["values"])
    values = np.array([found["readings"]["values"][name] for name in names], np.float32)
    times: npt.NDArray[np.float64] = np.array(found["readings"]["t_s"], np.float64)
    first, last = track.window
    at = np.clip((times - first) / max(last - first, 1e-9) * columns, 0, columns - 1).astype(np.int64)
    low = np.full((len(names), columns), np.nan, np.float32)
    high = low.copy()
    for channel in range(len(names)):
        np.fmin.at(low[channel], at, values[channel])
        np.fmax.at(high[channel], at, values[channel])
    units = tuple(str(found["readings"]["units"][name]) for name in names)
    return StreamView(
        str(found["board"]), str(found["stream"]), names, units, None, None, False, len(times), round(first * 1e9),
        round(last * 1e9), low, high, np.zeros(columns, np.bool_), values[:, -1] if len(times) else values[:, :0],
    )  # fmt: skip
