"""Units and rates that are not what was said: by gravity, by how fast it turns, and by the times of the samples.

Rule of this room: only what physics or the rest of the dataset settles is called an error. An accelerometer that is
carried about measures 1 g in the median; a gyroscope turns what the accelerometer calls down; the times of the samples
know the rate.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from hil.data.finding import ERROR, WARNING, Finding
from hil.measure.kinds import ACCELERATION, RATE
from hil.measure.units import conversion, kindred
from hil.models.labelled import Part

__all__ = ["differing", "gravity", "rates", "turning"]

Float = npt.NDArray[np.float64]

_ROOM = 1.4
"""How far from 1 g a carried accelerometer's median may be, as a factor."""
_FAR = 4.0
"""How far one recording may be, as a factor, before another unit is thought of."""
_FASTEST = math.radians(4500)
"""rad/s that no small gyroscope measures."""


def differing(parts: Sequence[Part]) -> Iterator[Finding]:
    """Yield recordings whose channels, units or rate are not those of most."""
    kinds: dict[tuple[object, ...], list[Part]] = defaultdict(list)
    for part in parts:
        kinds[part.channels, part.units, part.rate_hz].append(part)
    usual = max(kinds.values(), key=len)[0]
    for same in kinds.values():
        for part in same if same[0] is not usual else ():
            for name, found, wanted in (
                ("channels", part.channels, usual.channels), ("units", part.units, usual.units),
                ("rate", f"{part.rate_hz:g} Hz", f"{usual.rate_hz:g} Hz"),
            ):  # fmt: skip
                if found != wanted:
                    told = [one if isinstance(one, str) else ", ".join(one) for one in (found, wanted)]
                    yield Finding(ERROR, name, part.path, f"its {name} is {told[0]} and most have {told[1]}",
                                  "correct it, or declare [data.conditioning]")  # fmt: skip


def rates(parts: Sequence[Part]) -> Iterator[Finding]:
    """Yield recordings whose samples came at another rate than was said, or irregularly."""
    for part in parts:
        if part.measured_hz is None or not part.rate_hz:
            continue
        most, all_ = part.measured_hz
        if abs(most / part.rate_hz - 1.0) > 0.05:
            what = f"it says {part.rate_hz:g} Hz and its samples come at {most:.4g} Hz"
            yield Finding(ERROR, "rate", part.path, what, "give the rate in a board file and decode it again")
        elif abs(all_ / most - 1.0) > 0.1:
            what = f"most of its samples come at {most:.3g} Hz and all together at {all_:.3g} Hz"
            next_step = "some are missing and nobody counted them: windows are longer than they say"
            yield Finding(WARNING, "irregular", part.path, what, next_step)


def gravity(parts: Sequence[Part], by: str) -> Iterator[Finding]:
    """Yield recordings whose accelerometer measures gravity in another unit, and groups in which no unit makes it so.

    Vigorous movement adds to gravity, so that one recording alone is told only where it is far off.
    """
    sizes: dict[str, list[float]] = defaultdict(list)
    for part in parts:
        for columns in _triads(part, ACCELERATION):
            unit = part.units[columns[0]]
            size = float(np.median(np.linalg.norm(_all(part)[:, columns], axis=1)))
            in_g = size * (conversion(unit, "g") or math.nan)
            if not math.isfinite(in_g):
                continue
            other = (
                None if 1 / _FAR < in_g < _FAR else next((one for one in kindred(unit) if _is_gravity(size, one)), None)
            )
            if other is None:
                sizes[part.groups[by] or part.path].append(in_g)
                continue
            names = "/".join(part.channels[at] for at in columns)
            what = f"the median of |{names}| is {size:.3g} {unit}: it looks like {other}"
            yield Finding(ERROR, "unit", part.path, what, f"say {other}, or convert it")
    for name, found in sizes.items():
        middle = float(np.median(found))
        if not 1 / _ROOM < middle < _ROOM:
            what = f"the median of its acceleration is {middle:.3g} g, and no unit makes it gravity"
            yield Finding(WARNING, "unit", f"{by} {name}", what, "see whether it is filtered, saturated or falling")


def turning(parts: Sequence[Part], by: str) -> Iterator[Finding]:
    """Yield recordings whose gyroscope is off by what lies between deg/s and rad/s, or whose rate is off by 2 or more.

    A gyroscope tells how fast down turns, which the accelerometer sees too: their ratio is near 1 at the right unit and
    rate. People move differently, so that only a recording far from all others is told.
    """
    found: list[tuple[Part, float, float]] = []
    for part in parts:
        pairs = [(a, w) for a in _triads(part, ACCELERATION) for w in _triads(part, RATE)]
        if len(pairs) == 1 and part.rate_hz:
            unit = part.units[pairs[0][1][0]]
            factor = conversion(unit, "rad/s") or 1.0
            values = _all(part)
            rate = values[:, pairs[0][1]] * factor
            ratio = _seen_by_told(part, pairs[0][0], pairs[0][1], factor)
            found.append((part, ratio, float(np.quantile(np.abs(rate), 0.999))))
    known = [math.log(ratio) for _, ratio, _ in found if ratio > 0 and math.isfinite(ratio)]
    usual = math.exp(float(np.median(known))) if known else 1.0
    degree = math.degrees(1)
    for part, ratio, top in found:
        unit = part.units[_triads(part, RATE)[0][0]]
        if not ratio > 0 or not math.isfinite(ratio):
            continue
        what = f"the gyroscope says {1 / ratio:.3g} times the turn that the accelerometer sees"
        if ratio < 4 / degree or top > _FASTEST:
            what += f" (up to {top:.3g} rad/s): it looks like deg/s"
            yield Finding(ERROR, "unit", part.path, what, f"say deg/s in place of {unit}, or convert it")
        elif ratio > degree / 4:
            what += ": it looks like rad/s"
            yield Finding(ERROR, "unit", part.path, what, f"say rad/s in place of {unit}, or convert it")
    yield from _half_rates(found, usual, by)


def _half_rates(found: Sequence[tuple[Part, float, float]], usual: float, by: str) -> Iterator[Finding]:
    """Yield groups all of whose recordings turn half or twice as fast for their gyroscope as those of the others."""
    groups: dict[str, list[float]] = defaultdict(list)
    for part, ratio, _ in found:
        if 4 / math.degrees(1) <= ratio <= math.degrees(1) / 4:
            groups[part.groups[by] or part.path].append(math.log2(ratio / usual))
    spread = [float(np.median(one)) for one in groups.values()]
    if len(spread) < 4:
        return
    width = 1.4826 * float(np.median(np.abs(np.array(spread) - np.median(spread))))
    for (name, one), off in zip(groups.items(), spread, strict=True):
        if abs(off) > 0.75 and abs(off) > 5 * width and float(np.ptp(one)) < 2:
            what = f"by the accelerometer it turns {2.0**off:.2g} times as much by the gyroscope as for the others"
            yield Finding(WARNING, "rate", f"{by} {name}", what, "see whether its rate is what was said")


def _seen_by_told(part: Part, accel: list[int], gyro: list[int], factor: float) -> float:
    """Return how much down turns for the accelerometer, by how much the gyroscope says; NaN where it is unknown."""
    seen = told = 0.0
    width = max(1, round(part.rate_hz / 6))
    for stretch in part.stretches:
        if len(stretch.values) < 4 * width:
            continue
        down, turn = (_smooth(stretch.values[:, columns].astype(np.float64), width) for columns in (accel, gyro))
        length = np.linalg.norm(down, axis=1, keepdims=True)
        down = down / np.maximum(length, 1e-12)
        seen += float((np.gradient(down, axis=0) ** 2).sum()) * part.rate_hz**2
        told += float((np.cross(turn * factor, down) ** 2).sum())
    return math.sqrt(seen / told) if seen > 0 and told > 0 else math.nan


def _smooth(values: Float, width: int) -> Float:
    """Return the moving average, twice."""
    for _ in range(2):
        sums = np.concatenate((np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)))
        values = (sums[width:] - sums[:-width]) / width
    return values


def _is_gravity(size: float, unit: str) -> bool:
    factor = conversion(unit, "g")
    return factor is not None and 1 / _ROOM < size * factor < _ROOM


def _triads(part: Part, units: Sequence[str]) -> list[list[int]]:
    """Return the columns of three neighbouring channels that share one of some units."""
    columns = [at for at, unit in enumerate(part.units) if unit in units]
    found = []
    while len(columns) >= 3:
        three, columns = columns[:3], columns[3:]
        if len({part.units[at] for at in three}) == 1:
            found.append(three)
    return found


def _all(part: Part) -> Float:
    values: Float = np.concatenate([one.values for one in part.stretches]).astype(np.float64)
    return values
