"""The watch beside a model: readings and scores of one stream in, hop by hop; one verdict over time out.

Rule of this room: a verdict is a function of the samples and their order, whatever the batches were. A look is one
window without a gap; what a gap broke off is left out, and the sums go on, for the sensor is the same. A sensor is
`sensor different` when one suspicion alone explains what stands out. What no single one explains, and scores that are
unlike all that were seen while the readings are as in training, are `model wrong`: the model is asked what it has not
learnt. Nobody is blamed before the first look (`waiting`).
"""

from collections import deque
from math import exp

import numpy as np
import numpy.typing as npt

from hil.drift.change import CALM, Sums
from hil.drift.distances import Distances
from hil.drift.learn import rising_rules, suspicion_rules
from hil.drift.looks import features, longest_run, reduced
from hil.drift.reference import Reference, Scores
from hil.drift.scores import figures
from hil.drift.suspicions import Suspicions
from hil.drift.verdict import FINE, MODEL, SENSOR, WAITING, Change, Finding, State

__all__ = ["Watch"]

Float = npt.NDArray[np.float64]

EXPLAINED = 0.3
"""Share of what stands out that one suspicion must explain to be believed."""

_KEPT = 64
"""Looks that are kept to say what has changed."""

_RUN = 5
"""Equal readings in a row beyond twice the longest run of training, and a quarter of a look: a stuck sensor."""


class _Known:
    """Scores of a reference as arrays."""

    def __init__(self, scores: Scores) -> None:
        labels = len(scores.means)
        self.means = np.array([row or (np.nan,) * labels for row in scores.means])
        self.precision = np.array(scores.precision)
        self.centre = np.array(scores.centre)


class Watch:
    """Watches one stream of one board.

    Args:
        reference: What training looked like.
        network: Digest of the network whose scores come; another one's are not judged.
        frame: Rows and columns, where readings are frames.
    """

    def __init__(self, reference: Reference, network: str = "", frame: tuple[int, int] | None = None) -> None:
        self.reference = reference
        self.changes: list[Change] = []
        """Every change of the verdict."""
        self.counts = {FINE: 0, SENSOR: 0, MODEL: 0}
        """Looks by verdict."""
        self.verdict = WAITING
        self._finding: Finding | None = None
        self._frame = frame
        layout = reference.layout
        self._suspected = Suspicions.of(
            layout, np.array(reference.centre), np.array(reference.spread), reference.matrix()
        )
        self._names = self._suspected.names
        scores = reference.scores
        self._why = "the model file has no scores of people it was not trained on" if scores is None else ""
        if scores is not None and scores.weights_sha256 != network:
            scores, self._why = None, "the scores in the model file are those of another network"
        self._scores = None if scores is None else _Known(scores)
        count = len(self._names)
        within, between, limits = (np.array(one) for one in (reference.within, reference.between, reference.limits))
        rules = suspicion_rules(within, between, limits, len(layout.channels))
        rules += rising_rules(*(np.array([one]) for one in reference.oddness[1:]))
        if scores is not None:
            rules += rising_rules(*map(np.array, (scores.within, scores.between, scores.limits)))
        self._sums = Sums(rules)
        self._sensor = slice(0, count)
        self._odd = count
        self._known = np.ones(len(rules.limits))
        self._longest = np.maximum(2 * np.array(reference.longest_run) + _RUN, reference.samples // 4)
        self._distances = Distances(reference)
        self._parts: list[npt.NDArray[np.floating]] = []
        self._rows: list[npt.NDArray[np.floating]] = []
        self._held = 0
        self._recent: deque[tuple[int, Float]] = deque(maxlen=_KEPT)
        self._usual, self._usual_seen = np.zeros(layout.size), 0
        self._share = self._model = 0.0
        self._far: tuple[float, int] = (0.0, 0)

    def take(
        self, readings: npt.NDArray[np.floating], t_ns: int, scores: npt.NDArray[np.floating] | None = None,
        reset: bool = False,
    ) -> Change | None:  # fmt: skip
        """Take a hop.

        Args:
            readings: `(hop, C)` in the units of the reference.
            t_ns: Time of its last sample, UTC.
            scores: The network's outputs at its end, where it decided; None where it did not.
            reset: The samples do not follow those before: a segment begins somewhere in this hop.

        Returns:
            The change of the verdict, where there is one.
        """
        if reset:
            self._parts, self._rows, self._held = [], [], 0
            return None
        self._parts.append(readings)
        self._held += len(readings)
        if scores is not None:
            self._rows.append(scores)
        if self._held < self.reference.samples:
            return None
        whole = self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts)
        rows = np.stack(self._rows) if self._rows else None
        self._parts, self._rows, self._held = [], [], 0
        return self._look(reduced(whole, self._frame)[-self.reference.samples :], t_ns, rows)

    def state(self) -> State:
        """Return where it stands."""
        far = self._far[0] / self._far[1] if self._far[1] else None
        return State(
            self.verdict, self._finding, sum(self.counts.values()), self._share, self._model,
            dict(zip(self.reference.channels, self._distances.values(), strict=True)), far, self._why,
        )  # fmt: skip

    def _look(
        self, readings: npt.NDArray[np.floating], t_ns: int, rows: npt.NDArray[np.floating] | None
    ) -> Change | None:
        if not np.isfinite(readings).all():
            return None
        self._distances.add(readings)
        look = features(readings[None], self._suspected.layout)[0]
        standard = self._suspected.standard(look)
        numbers = [self._suspected.of_standard(standard)]
        numbers.append(np.log(self._suspected.oddness(standard[None])) - self.reference.oddness[0])
        known = None
        if self._scores is not None:
            if rows is None:
                numbers.append(np.zeros(len(self._scores.centre)))
                known = self._known.copy()
                known[self._odd + 1 :] = 0.0
            else:
                found = figures(rows, self._scores.means, self._scores.precision)
                self._far = (self._far[0] + float(found[0]), self._far[1] + 1)
                numbers.append(found - self._scores.centre)
        shares = self._sums.take(np.concatenate(numbers), known)
        self._share = float(shares[self._sensor].max())
        unlike, said = float(shares[self._odd]), float(shares[self._odd + 1 :].max(initial=0.0))
        self._model = max(unlike, said)
        self._recent.append((t_ns, standard))
        if self._share < CALM:
            self._usual, self._usual_seen = self._usual + standard, self._usual_seen + 1
        stuck = self._stuck(readings, t_ns)
        finding = stuck or (self._blame(shares[self._sensor]) if self._share >= 1.0 else None)
        kind = SENSOR if finding is not None else self._kind(unlike, said)
        if finding is None and kind == SENSOR:
            finding = self._finding
        if kind == MODEL:
            at = self._odd if unlike >= said else self._odd + 1 + int(shares[self._odd + 1 :].argmax())
            finding = Finding("signal" if unlike >= said else "scores", since_ns=self._since(self._sums.age(at)))
        self.counts[kind] += 1
        before, self.verdict, self._finding = self.verdict, kind, finding
        if kind == before or (before == WAITING and kind == FINE):
            return None
        change = Change(t_ns, kind, finding)
        self.changes.append(change)
        return change

    def _kind(self, unlike: float, said: float) -> str:
        """Return the verdict where no suspicion stands alone; an alarm is over only when all is calm."""
        if (
            self.verdict == SENSOR
            and self._share >= CALM
            and self._finding is not None
            and self._finding.kind != "stuck"
        ):
            return SENSOR
        if max(unlike, said) >= 1.0 or self._share >= 1.0:
            return MODEL
        if self.verdict == MODEL and max(unlike, said, self._share) >= CALM:
            return MODEL
        return FINE

    def _stuck(self, readings: npt.NDArray[np.floating], t_ns: int) -> Finding | None:
        runs = longest_run(readings)
        if not runs.any():
            return None
        beyond = runs > self._longest
        for unit in set(self.reference.units):
            # At rest all axes of a sensor may read the same for a while; one that does so alone is stuck at once.
            of = np.array([one == unit for one in self.reference.units])
            if beyond[of].all() and of.sum() > 1:
                beyond[of] = runs[of] >= len(readings) - 1
        if not beyond.any():
            return None
        at = int(np.where(beyond, runs, -1).argmax())
        held = self._finding if self._finding is not None and self._finding.kind == "stuck" else None
        since = t_ns if held is None else held.since_ns
        every = tuple(name for name, more in zip(self.reference.channels, beyond, strict=True) if more)
        return Finding("stuck", every, float(runs[at] + 1), "readings", 1.0, since)

    def _blame(self, shares: Float) -> Finding | None:
        """Return the one suspicion that explains what stands out since the first alarm began; None where none does."""
        age = min(max(self._sums.age(int(shares.argmax())), 1), len(self._recent))
        looks = [self._recent[at] for at in range(len(self._recent) - age, len(self._recent))]
        usual = self._usual / (self._usual_seen + 8)
        shift = np.mean([one[1] for one in looks], axis=0) - usual
        suspected = self._suspected
        energy = float(shift @ suspected.precision @ shift)
        projected = suspected.filters @ shift
        explained = projected**2
        count = len(self.reference.channels)
        explained[2 * count : 3 * count][projected[2 * count : 3 * count] < 0] = 0.0
        stood = np.stack([one[1] for one in looks])
        gains = np.concatenate((explained, 2.0 * suspected.ratios(stood)))
        whole = float(suspected.oddness(stood).mean())
        best = int(gains.argmax())
        share = float(gains[best] / max(energy if best < 3 * count else whole, 1e-9))
        if share < EXPLAINED:
            return None
        kind, channels = self._names[best]
        size = 0.0
        if best < 3 * count:
            direction = suspected.directions[best]
            size = float(projected[best] / np.sqrt(direction @ suspected.precision @ direction))
        unit = {"bias": self.reference.units[best % count], "gain": "x", "noise": "x"}.get(kind, "")
        amount = size if kind == "bias" else exp(min(size, 50.0)) if kind in ("gain", "noise") else 0.0
        return Finding(kind, channels, amount, unit, min(share, 1.0), looks[0][0])

    def _since(self, age: int) -> int:
        at = max(len(self._recent) - max(age, 1), 0)
        return self._recent[at][0]
