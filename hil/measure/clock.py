"""The clock of a board against the host's: drift, wander and stability from the exchanges in the recording.

Rule of this room: only exchanges tell; without enough of them everything is unknown. The envelope fit gives the line
and its interval; what the offline refit leaves about that line is the wander, and how its slope changes from span to
span is the stability. Half of the least round trip bounds what no exchange can tell, and is said beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.envelope import FEWEST, Line, fit_line
from firmware_bridge.events import ClockReading
from firmware_bridge.refit import refit
from hil.measure.figure import Figure, PlotData
from hil.measure.intervals import NONE, sd_interval
from hil.measure.make import Maker

__all__ = ["Clock", "clock_of"]

_MOST_POINTS = 4000


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """What is known of a board's clock.

    Attributes:
        figures: Drift, wander, stability, round trip.
        drift_ppm: How much faster it runs than the host's; None: unknown.
        plot: Exchanges about the line; None without a line.
    """

    figures: tuple[Figure, ...]
    drift_ppm: float | None
    plot: PlotData | None


def clock_of(make: Maker, readings: Sequence[ClockReading], tick_hz: float | None) -> Clock:
    """Return what the exchanges of a board tell of its clock; of its longest boot.

    Args:
        make: Of the board.
        readings: In order.
        tick_hz: Nominal ticks a second; None where the board sends no time.
    """
    keys = ("drift", "wander", "stability", "round_trip")
    rows = _longest_boot(readings)
    why = ""
    if tick_hz is None:
        why = "the board sends no time of its own"
    elif not readings:
        why = "the recording holds no clock exchanges (imported, or a board that does not answer pings)"
    elif len(rows) < FEWEST:
        why = f"{len(rows)} clock exchanges are too few, {FEWEST} are needed"
    line = fit_line(rows[:, 0], rows[:, 1], rows[:, 2], 1e9 / tick_hz) if tick_hz and not why else None
    if line is None or tick_hz is None:
        why = why or "the board's clock did not move between the exchanges"
        return Clock(tuple(make.unknown(key, why, n=len(rows)) for key in keys), None, None)
    drift = -line.stretch / (1 + line.stretch) * 1e6
    half = line.quantile * line.stretch_error * 1e6
    span = (rows[-1, 1] - rows[0, 1]) / tick_hz
    told = f"over {span:.0f} s; delays taken as equal both ways, off by at most {line.round_trip_ns / 2e3:.1f} us"
    trip = (rows[:, 2] - rows[:, 0]) / 1e3
    figures = [
        make("drift", drift, drift - half, drift + half, condition=told, n=len(rows), method="envelope fit, Student"),
        *_wander(make, readings, line, tick_hz, span),
        make("round_trip", float(np.median(trip)), condition="host, link and board together", n=len(rows),
             method="median", note=f"least {trip.min():.1f} us, greatest {trip.max():.1f} us"),
    ]  # fmt: skip
    return Clock(tuple(figures), drift, _plot(make.board, rows, line, drift))


def _longest_boot(readings: Sequence[ClockReading]) -> npt.NDArray[np.int64]:
    """Return sent, tick and received of the longest stretch in which the ticks only grow, int64 `(N, 3)`."""
    rows = np.array([(one.sent_ns, one.tick, one.received_ns) for one in readings], np.int64).reshape(-1, 3)
    if len(rows) < 2:
        return rows
    parts = np.split(rows, np.flatnonzero(np.diff(rows[:, 1]) < 0) + 1)
    return max(parts, key=len)


def _wander(make: Maker, readings: Sequence[ClockReading], line: Line, tick_hz: float, span: float) -> list[Figure]:
    rows = _longest_boot(readings)
    known = {(int(row[0]), int(row[1])) for row in rows}
    fit = refit([one for one in readings if (one.sent_ns, one.tick) in known], tick_hz)
    knots = 0 if fit is None else len(fit.ticks)
    if fit is None or knots < 4:
        why = f"{span:.0f} s of exchanges give {knots} spans, 4 are needed (about 2 minutes)"
        return [make.unknown(key, why, n=knots) for key in ("wander", "stability")]
    ideal = line.t_ns + (fit.ticks - line.tick) * line.ns_per_tick * (1 + line.stretch)
    left = (fit.t_ns - ideal) / 1e3
    left = left - np.polyval(np.polyfit(np.arange(knots), left, 1), np.arange(knots))
    wander = float(np.sqrt((left**2).sum() / (knots - 2)))
    steps = np.diff(fit.ticks) / tick_hz
    slopes = np.diff(fit.t_ns) / 1e9 / steps - 1
    jumps = -np.diff(slopes) * 1e6
    stability = float(np.sqrt((jumps**2).mean() / 2))
    told = f"{knots} spans of {float(np.median(steps)):.0f} s; what the exchanges themselves scatter is in it"
    return [
        make("wander", wander, *sd_interval(wander, knots - 1), condition=told, n=knots, method="rms about the line"),
        make("stability", stability, *(sd_interval(stability, len(jumps)) if len(jumps) > 1 else NONE),
             condition=told, n=len(jumps), method="Allan deviation of the slopes of the spans"),
    ]  # fmt: skip


def _plot(board: str, rows: npt.NDArray[np.int64], line: Line, drift: float) -> PlotData:
    kept = rows[:: max(1, len(rows) // _MOST_POINTS)]
    ideal = (kept[:, 1] - line.tick) * line.ns_per_tick * (1 + line.stretch)
    x = (kept[:, 2] - rows[0, 2]) / 1e9
    below, above = ((kept[:, side] - line.t_ns) - ideal for side in (0, 2))
    return PlotData(
        "clock", f"clock exchanges about the line of {drift:+.3f} ppm", board, "", "time, s", "host less line, us",
        {"x": x, "y": (below + above) / 2e3, "below": below / 1e3, "above": above / 1e3},
    )  # fmt: skip
