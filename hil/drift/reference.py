"""What a model's training looked like, small enough to travel in the model file.

Rule of this room: plain numbers with a schema, checked when read; nothing of a person but statistics over all of them.
A reference is complete by itself: with it and the readings anyone gets the same verdict.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hil.drift.looks import Layout

__all__ = ["LEVELS", "SCHEMA", "LeftOut", "Reference", "Scores", "rounded"]

SCHEMA = 2
"""2: `explained`, `unexplained` and `left_out`, without which a watch is as it was."""

LEVELS = tuple((np.arange(21) / 20 * 0.99 + 0.005).round(4).tolist())
"""Shares at which the distribution of a channel is kept."""

Row = tuple[float, ...]
Floats = npt.NDArray[np.float64]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Scores(_Part):
    """What the network's scores looked like on people.

    Attributes:
        means: Mean scores of each label that was decided for, `(labels, labels)`; empty where it never was.
        precision: Inverse of their pooled covariance, row by row.
        centre: Mean of each figure of a look (see `hil.drift.scores.FIGURES`).
        within: Standard deviation of each within one person.
        between: Standard deviation of people's means.
        limits: Sum at which each is an alarm.
        people: Whose scores they are: people the network was not trained on, for of those it is too sure.
        weights_sha256: Digest of the network whose scores they are.
    """

    means: tuple[Row, ...]
    precision: tuple[Row, ...]
    centre: Row
    within: Row
    between: Row
    limits: Row
    people: tuple[str, ...]
    weights_sha256: str

    @model_validator(mode="after")
    def _fits(self) -> Scores:
        count = len(self.means)
        if len(self.precision) != count or any(len(row) not in (0, count) for row in self.means):
            raise ValueError("means and precision of the scores differ in size")
        figures = {len(row) for row in (self.centre, self.within, self.between, self.limits)}
        if any(len(row) != count for row in self.precision) or len(figures) != 1:
            raise ValueError("precision, centre, within, between and limits of the scores differ in size")
        return self


class LeftOut(_Part):
    """What people did under the limits, each while left out of what was learnt.

    Attributes:
        sessions: How many sessions, each person's in several orders.
        spread: How far the logarithms of the highest oddness of sessions lie apart, over people and orders.
        sensor: Share of sessions with a false alarm of a sensor.
        model: Share with a false alarm of the model, by what readings say alone.
        movements: Movements that were left out of everybody and then shown by somebody.
        strange: Share of those that were called a sensor's fault; None: classes are unknown.
    """

    sessions: int
    spread: float
    sensor: float
    model: float
    movements: int
    strange: float | None


class Reference(_Part):
    """What training looked like.

    Attributes:
        version: Written as `schema`.
        channels: Names, as they are watched.
        units: One a channel.
        scales: Spread of each channel.
        samples: Of a look.
        quantiles: For each channel its quantiles at `LEVELS`.
        longest_run: For each channel how often at most a reading came again without a break.
        centre: Mean look.
        spread: Standard deviation of each entry of a look.
        precision: Inverse of the correlation matrix of looks, its lower triangle row by row.
        within: For each suspicion (see `hil.drift.suspicions`) its standard deviation within one person.
        between: For each suspicion the standard deviation of people's means.
        limits: For each suspicion the sum at which it is an alarm.
        oddness: Of the logarithm of a look's squared distance from all of training: mean, standard deviation within and
            between people, and the sum of excesses that is an alarm.
        explained: Share of what stands out that one suspicion must explain to be believed.
        unexplained: Of the suspicions' limits, how many are the model's fault where no suspicion explains it.
        left_out: What left-out people did under the limits; None: nobody was left out.
        people: Whose readings they are.
        hours: Of readings.
        per_hour: False alarms an hour that the limits were set for.
        seed: Of the orders in which readings were put to find the limits.
        scores: What the network's scores looked like; None: nobody looked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)

    version: Annotated[int, Field(alias="schema", ge=1)] = SCHEMA
    channels: Annotated[tuple[str, ...], Field(min_length=1, max_length=32)]
    units: tuple[str, ...]
    scales: Row
    samples: Annotated[int, Field(ge=4, le=1_000_000)]
    quantiles: tuple[Row, ...]
    longest_run: tuple[int, ...]
    centre: Row
    spread: Row
    precision: Row
    within: Row
    between: Row
    limits: Row
    oddness: tuple[float, float, float, float]
    explained: Annotated[float, Field(gt=0, le=1)] = 0.3
    unexplained: Annotated[float, Field(ge=1)] = 1.0
    left_out: LeftOut | None = None
    people: tuple[str, ...]
    hours: float
    per_hour: float
    seed: int
    scores: Scores | None = None

    @field_validator("version")
    @classmethod
    def _known(cls, value: int) -> int:
        if value > SCHEMA:
            raise ValueError(f"the reference has schema {value} and this version reads {SCHEMA}: update this program")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Reference:
        count = len(self.channels)
        if {len(self.units), len(self.scales), len(self.quantiles), len(self.longest_run)} != {count}:
            raise ValueError("units, scales, quantiles and longest_run need one entry a channel")
        if any(len(row) != len(LEVELS) or list(row) != sorted(row) for row in self.quantiles):
            raise ValueError(f"quantiles need {len(LEVELS)} ascending values a channel")
        if any(scale <= 0 for scale in (*self.scales, *self.spread, *self.within)):
            raise ValueError("scales, spread and within are positive")
        size = self.layout.size
        if len(self.centre) != size or len(self.spread) != size or len(self.precision) != size * (size + 1) // 2:
            raise ValueError(f"centre, spread and precision are not those of looks of {size} entries")
        suspicions = 3 * count + len(self.layout.turns())
        if {len(self.within), len(self.between), len(self.limits)} != {suspicions}:
            raise ValueError(f"within, between and limits need {suspicions} entries")
        return self

    @property
    def layout(self) -> Layout:
        """Which entry of a look is what."""
        return Layout(self.channels, self.units, self.scales)

    def matrix(self) -> Floats:
        """Return the precision `(d, d)`."""
        size = self.layout.size
        found = np.zeros((size, size))
        found[np.tril_indices(size)] = self.precision
        return found + np.tril(found, -1).T

    def plain(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return self.model_dump(mode="json", by_alias=True)


def rounded(values: npt.ArrayLike, digits: int = 6) -> tuple[float, ...]:
    """Return numbers with so many digits: a reference is small, and its text the same on every machine."""
    return tuple(float(f"{value:.{digits}g}") for value in np.ravel(np.asarray(values, np.float64)).tolist())
