"""The watch beside a model: readings and scores of one stream in, hop by hop; one verdict over time out.

Rule of this room: a verdict is a function of the samples and their order, whatever the batches were. A look is one
window without a gap; what a gap broke off is left out, and the sums go on, for the sensor is the same. A sensor is
`sensor different` when one suspicion alone explains what stands out. What no single one explains, and scores that are
unlike all that were seen while the readings are as in training, are `model wrong`: the model is asked what it has not
learnt. Nobody is blamed before the first look (`waiting`).
"""

from collections import deque
from collections.abc import Sequence
from math import exp

import numpy as np
import numpy.typing as npt

from hil.drift.bank import Bank, Look
from hil.drift.blame import KEPT, Blame
from hil.drift.change import CALM
from hil.drift.looks import longest_run, reduced
from hil.drift.reference import Reference
from hil.drift.verdict import FINE, MODEL, SENSOR, WAITING, Change, Finding, State

__all__ = ["Watch", "look"]

Float = npt.NDArray[np.float64]


class Watch:
    """Watches one stream of one board.

    Args:
        reference: What training looked like.
        network: Digest of the network whose scores come; another one's are not judged.
        frame: Rows and columns, where readings are frames.
        bank: Where the looks of other streams beside the same model are computed too; None: a bank of its own.
    """

    def __init__(
        self, reference: Reference, network: str = "", frame: tuple[int, int] | None = None, bank: Bank | None = None
    ) -> None:
        self.reference = reference
        self.changes: list[Change] = []
        """Every change of the verdict."""
        self.counts = {FINE: 0, SENSOR: 0, MODEL: 0}
        """Looks by verdict."""
        self.verdict = WAITING
        self.bank = Bank(reference, network) if bank is None else bank
        self.row = self.bank.row()
        self._finding: Finding | None = None
        self.frame = frame
        self._parts: list[npt.NDArray[np.floating]] = []
        self._rows: list[npt.NDArray[np.floating]] = []
        self._held = 0
        self._t_ns = 0
        self._recent: deque[int] = deque(maxlen=KEPT)
        self._share = self._model = 0.0
        self._far: tuple[float, int] = (0.0, 0)
        self._told: State | None = None

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
        return look([self])[0] if self.hold(readings, t_ns, scores, reset) else None

    def hold(
        self, readings: npt.NDArray[np.floating], t_ns: int, scores: npt.NDArray[np.floating] | None = None,
        reset: bool = False,
    ) -> bool:  # fmt: skip
        """Keep a hop (see `take`) until `look`; return whether a look is whole, which must be looked at before more."""
        if reset:
            self._parts, self._rows, self._held = [], [], 0
            return False
        self._parts.append(readings)
        self._held += len(readings)
        if scores is not None:
            self._rows.append(scores)
        self._t_ns = t_ns
        return self._held >= self.reference.samples

    def whole(self) -> tuple[list[npt.NDArray[np.floating]], list[npt.NDArray[np.floating]]]:
        """Return the parts of a whole look, readings `(hop, C)` and scores `(labels,)`, and begin the next."""
        parts, rows = self._parts, self._rows
        self._parts, self._rows, self._held = [], [], 0
        return parts, rows

    def state(self) -> State:
        """Return where it stands; any thread may ask, and asking again before the next look costs nothing."""
        looks, told = self.looks, self._told
        if told is not None and told.looks == looks:
            return told
        far = self._far[0] / self._far[1] if self._far[1] else None
        told = self._told = State(
            self.verdict, self._finding, looks, self._share, self._model,
            dict(zip(self.reference.channels, self.bank.distances.values(self.row), strict=True)), far, self.bank.why,
        )  # fmt: skip
        return told

    @property
    def looks(self) -> int:
        """Looks so far."""
        return sum(self.counts.values())

    @property
    def finding(self) -> Finding | None:
        """What is different, None where nothing is."""
        return self._finding

    def judge(self, look: Look, readings: npt.NDArray[np.floating]) -> Change | None:
        """Return the change of the verdict that a look of this stream makes."""
        shares, t_ns, odd = look.shares, self._t_ns, self.bank.odd
        self._share, self._model = look.sensor, max(look.unlike, look.said)
        unlike, said = look.unlike, look.said
        if look.far is not None:
            self._far = (self._far[0] + look.far, self._far[1] + 1)
        self._recent.append(t_ns)
        stuck = self._stuck(readings, t_ns) if look.stuck else None
        finding = stuck or (None if look.blame is None else self._blame(look.blame, shares[:odd]))
        alone = self._share / self.reference.unexplained  # what no suspicion explains
        kind = SENSOR if finding is not None else self._kind(max(unlike, said, alone))
        if finding is None and kind == SENSOR:
            finding = self._finding
        if kind == MODEL:
            signal = max(unlike, alone) >= said
            at = odd if signal else odd + 1 + int(shares[odd + 1 :].argmax())
            if signal and alone > unlike:
                at = int(shares[:odd].argmax())
            finding = Finding("signal" if signal else "scores", since_ns=self._since(self.bank.sums.age(at, self.row)))
        before, self.verdict, self._finding = self.verdict, kind, finding
        self.counts[kind] += 1  # last of all: what a thread was told before is asked again
        if kind == before or (before == WAITING and kind == FINE):
            return None
        change = Change(t_ns, kind, finding)
        self.changes.append(change)
        return change

    def _kind(self, model: float) -> str:
        """Return the verdict where no suspicion stands alone; an alarm is over only when all is calm."""
        if (
            self.verdict == SENSOR
            and self._share >= CALM
            and self._finding is not None
            and self._finding.kind != "stuck"
        ):
            return SENSOR
        if model >= 1.0:
            return MODEL
        if self.verdict == MODEL and model >= CALM:
            return MODEL
        return FINE

    def _stuck(self, readings: npt.NDArray[np.floating], t_ns: int) -> Finding | None:
        runs = longest_run(readings)
        beyond = runs > self.bank.longest
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

    def _blame(self, blame: Blame, shares: Float) -> Finding | None:
        """Return the one suspicion that explains what stands out since the first alarm began; None where none does."""
        if blame.share < self.reference.explained:
            return None
        kind, channels = self.bank.names[blame.at]
        since = self._since(self.bank.sums.age(int(shares.argmax()), self.row))
        unit = {"bias": self.reference.units[blame.at % len(self.reference.units)], "gain": "x", "noise": "x"}
        amount = blame.size if kind == "bias" else exp(min(blame.size, 50.0)) if kind in ("gain", "noise") else 0.0
        return Finding(kind, channels, amount, unit.get(kind, ""), min(blame.share, 1.0), since)

    def _since(self, age: int) -> int:
        at = max(len(self._recent) - max(age, 1), 0)
        return self._recent[at]


def look(
    watches: Sequence[Watch], scaled: tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]] | None = None
) -> list[Change | None]:
    """Look with every watch whose look is whole, those of one bank together; return the change of each verdict.

    Args:
        watches: Which.
        scaled: Spread and mean of every number of a whole look `(N * C,)` by which the readings were normalised; None:
            they were not.
    """
    found: list[Change | None] = [None] * len(watches)
    banks: dict[int, list[int]] = {}
    for at, watch in enumerate(watches):
        banks.setdefault(id(watch.bank), []).append(at)
    for places in banks.values():
        wholes = [watches[at].whole() for at in places]
        readings = _joined(watches[places[0]], [parts for parts, _ in wholes], scaled)
        if not np.isfinite(readings).all():  # what is no number is not looked at
            kept = np.flatnonzero(np.isfinite(readings).all(axis=(1, 2))).tolist()
            readings, places, wholes = readings[kept], [places[at] for at in kept], [wholes[at] for at in kept]
            if not kept:
                continue
        bank = watches[places[0]].bank
        looks = bank.look([watches[at].row for at in places], readings, [rows for _, rows in wholes])
        for at, own, one in zip(places, readings, looks, strict=True):
            found[at] = watches[at].judge(one, own)
    return found


def _joined(
    watch: Watch, looks: Sequence[list[npt.NDArray[np.floating]]],
    scaled: tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]] | None,
) -> npt.NDArray[np.floating]:  # fmt: skip
    """Return readings `(looks, N, C)`: of each look its last `N`, and of frames their figures."""
    samples, width = watch.reference.samples, looks[0][0].shape[1]
    every = np.concatenate([part for parts in looks for part in parts])
    if len(every) != len(looks) * samples:
        ends = np.cumsum([sum(map(len, parts)) for parts in looks]).tolist()
        every = np.concatenate([every[end - samples : end] for end in ends])
    if scaled is not None:  # look by look: NumPy's rows of a few channels would cost three times as much
        every = every.reshape(len(looks), -1) * scaled[0]
        every += scaled[1]
    return reduced(every.reshape(-1, width), watch.frame).reshape(len(looks), samples, -1)
