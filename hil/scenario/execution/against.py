"""One scenario on two targets: how far apart they are in rate, jitter, loss, values and decisions.

Rule of this room: a gap is told and not judged (checks judge). Samples of both runs are counted from the first one of
each, so that a board that numbers from elsewhere is compared all the same. Of a long run every k-th sample is kept, by
its number, the same ones on both sides.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Prediction
from firmware_bridge.streams import Stream
from hil.measure.make import slug
from hil.scenario.evidence.evidence import BoardEvidence
from hil.scenario.execution.execute import Execution
from hil.scenario.metrics.decisions import ModelEvidence

__all__ = ["GapRow", "Portrait", "gap_rows"]

MOST = 65_536
"""Samples of one stream that are kept."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class GapRow:
    """One line of the gap: a figure here, there, and there less here; None where it is unknown.

    Figures that compare both runs (`ks`, `agreement`, `kappa`) stand under `there`, with what equal runs give under
    `here`; `low` and `high` are the 95 % interval of a share.
    """

    name: str
    here: float | None
    there: float | None
    unit: str
    low: float | None = None
    high: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain = {key: getattr(self, key) for key in self.__dataclass_fields__}
        known = self.here is not None and self.there is not None
        return plain | {"difference": (self.there or 0.0) - (self.here or 0.0) if known else None}


@dataclass(slots=True, eq=False)
class _Kept:
    """Samples of one stream: every `stride`-th by its place since the first of the run."""

    stream: Stream
    first: dict[int, int] = field(default_factory=dict)
    values: list[Floats] = field(default_factory=list)
    places: list[npt.NDArray[np.int64]] = field(default_factory=list)
    stride: int = 1
    count: int = 0


class Portrait:
    """What is kept of a run for the comparison: the values of every stream, in bounded memory."""

    def __init__(self) -> None:
        self.streams: dict[tuple[str, str], _Kept] = {}

    def take(self, arrival: Arrival) -> None:
        """Keep the samples of an arrival."""
        for item in arrival.items:
            if isinstance(item, Batch) and len(item):
                self._keep(item)

    def places(self, board: str, stream: str, boot: int) -> int:
        """Return the number of the first sample of a boot."""
        kept = self.streams.get((board, stream))
        return 0 if kept is None else kept.first.get(boot, 0)

    def _keep(self, batch: Batch) -> None:
        kept = self.streams.setdefault((batch.board, batch.stream.name), _Kept(batch.stream))
        first = kept.first.setdefault(batch.boot, batch.first)
        places = np.arange(batch.first - first, batch.end - first)
        wanted = places % kept.stride == 0
        kept.values.append(batch.values.reshape(len(batch), -1)[wanted])
        kept.places.append(places[wanted])
        kept.count += int(wanted.sum())
        if kept.count > MOST:
            kept.stride *= 2
            whole, at = np.concatenate(kept.values), np.concatenate(kept.places)
            half = at % kept.stride == 0
            kept.values, kept.places, kept.count = [whole[half]], [at[half]], int(half.sum())


def gap_rows(here: tuple[Execution, Portrait], there: tuple[Execution, Portrait]) -> Iterator[GapRow]:
    """Yield the gap between two runs of one scenario.

    Args:
        here: The run that was asked for.
        there: The run on the other target.
    """
    (mine, seen), (other, met) = here, there
    for role, board in mine.evidence.boards.items():
        second = other.evidence.boards[role]
        yield GapRow(f"link.{role}.loss", _loss(board), _loss(second), "%")
        for name in board.streams:
            if name in second.streams:
                yield from _stream(role, name, board, second)
                yield from _values(role, name, seen, met)
    for name, model in mine.models.items():
        yield from _decisions(name, (model, seen), (other.models[name], met))


def _loss(board: BoardEvidence) -> float | None:
    parts = [] if board.books is None else list(board.books.streams.values())
    expected, missing = [part.expected for part in parts], [part.missing for part in parts]
    if board.imported or not parts or None in expected or None in missing:
        return None
    due = sum(count or 0 for count in expected)
    return 100.0 * sum(count or 0 for count in missing) / due if due else None


def _stream(role: str, name: str, board: BoardEvidence, second: BoardEvidence) -> Iterator[GapRow]:
    place, one, two = f"stream.{role}.{slug(name)}", board.streams[name], second.streams[name]
    yield GapRow(f"{place}.samples", float(one.samples), float(two.samples), "1")
    yield GapRow(f"{place}.rate", one.rate_hz, two.rate_hz, "Hz")
    yield GapRow(f"{place}.jitter_p99", one.jitter_us(0.99), two.jitter_us(0.99), "us")


def _values(role: str, name: str, seen: Portrait, met: Portrait) -> Iterator[GapRow]:
    from scipy.stats import ks_2samp

    one, two = seen.streams[role, name], met.streams[role, name]
    first, second = np.concatenate(one.values), np.concatenate(two.values)
    if first.shape[1] != second.shape[1]:
        return
    image = one.stream.is_image
    for at, channel in enumerate(one.stream.channels[:1] if image else one.stream.channels):
        place, unit = f"stream.{role}.{slug(name)}.{slug(channel)}", one.stream.units[0 if image else at]
        a, b = (part.ravel() if image else part[:, at] for part in (first, second))
        yield GapRow(f"{place}.mean", _mean(a), _mean(b), unit)
        yield GapRow(f"{place}.sd", _sd(a), _sd(b), unit)
        distance = ks_2samp(a, b, method="asymp").statistic
        yield GapRow(f"{place}.ks", 0.0, float(distance), "1")


def _mean(values: Floats) -> float:
    return float(values.mean(dtype=np.float64))


def _sd(values: Floats) -> float:
    return float(values.std(dtype=np.float64))


def _decisions(
    name: str, here: tuple[ModelEvidence, Portrait], there: tuple[ModelEvidence, Portrait]
) -> Iterator[GapRow]:
    place = f"model.{name}"
    yield GapRow(f"{place}.decisions", float(len(here[0].made)), float(len(there[0].made)), "1")
    pairs = _paired(_placed(here[0].made, here[1]), _placed(there[0].made, there[1]), here[0].hop)
    yield GapRow(f"{place}.compared", float(len(here[0].made)), float(len(pairs)), "1")
    if not pairs:
        return
    same = sum(one == other for one, other in pairs)
    from hil.measure.intervals import share_interval  # it brings all of SciPy's statistics

    low, high = share_interval(same, len(pairs))
    yield GapRow(f"{place}.agreement", 1.0, same / len(pairs), "1", _share(low), _share(high))
    yield GapRow(f"{place}.kappa", 1.0, _kappa(pairs), "1")


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100.0


def _placed(made: Sequence[Prediction], run: Portrait) -> Mapping[tuple[str, str, int], list[tuple[int, str]]]:
    found: dict[tuple[str, str, int], list[tuple[int, str]]] = {}
    for one in made:
        at = one.sample - run.places(one.board, one.stream, one.boot)
        found.setdefault((one.board, one.stream, one.boot), []).append((at, one.label))
    return {key: sorted(placed) for key, placed in found.items()}


def _paired(
    here: Mapping[tuple[str, str, int], list[tuple[int, str]]],
    there: Mapping[tuple[str, str, int], list[tuple[int, str]]],
    hop: int,
) -> list[tuple[str, str]]:
    """Return labels of decisions on the same samples: the nearest within half a hop."""
    pairs = []
    for key, placed in here.items():
        others = there.get(key, [])
        ends = np.array([at for at, _ in others])
        for at, label in placed if len(ends) else ():
            nearest = int(np.abs(ends - at).argmin())
            if abs(int(ends[nearest]) - at) * 2 <= hop:
                pairs.append((label, others[nearest][1]))
    return pairs


def _kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Return Cohen's kappa: agreement beyond that of chance; None where chance alone would agree."""
    n = len(pairs)
    labels = {label for pair in pairs for label in pair}
    by_chance = sum(
        sum(one == label for one, _ in pairs) * sum(two == label for _, two in pairs) for label in labels
    ) / (n * n)  # fmt: skip
    agree = sum(one == two for one, two in pairs) / n
    return (agree - by_chance) / (1 - by_chance) if by_chance < 1 else None
