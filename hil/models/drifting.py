"""The drift watch at a model: what it learns from a dataset, and what it is shown of a runner.

Rule of this room: the watch is shown what the network is shown, hop by hop, after conditioning, from the executor that
live boards use; so it needs no intake of its own, and its verdicts do not depend on how samples came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from hil.drift.bank import Bank
from hil.drift.learn import LEAST_PEOPLE, learn
from hil.drift.looks import FRAME, Layout, reduced
from hil.drift.scores import learn_scores
from hil.drift.verdict import State
from hil.drift.watch import Watch, look
from hil.models.contract import Contract
from hil.models.datasets import Series
from hil.models.package import Package, pack, unpack
from hil.models.segments import Block

__all__ = ["DriftTap", "absent", "layout_of", "look_samples", "network_digest", "referenced", "watch_of"]

LEAST_S = 2.0
"""Seconds that a look lasts at least: a shorter one of a fast board says little and costs much."""

_CHANNELS = 32


def network_digest(package: Package) -> str:
    """Return the digest of a model's network, whatever else its file says."""
    said = hashlib.sha256(package.program or b"")
    for name in sorted(package.weights):
        said.update(name.encode() + b"\0" + np.ascontiguousarray(package.weights[name], "<f4").tobytes())
    return said.hexdigest()


def look_samples(window: int, hop: int, rate_hz: float) -> int:
    """Return the samples of a look: a window, or two seconds where that is more, in whole hops."""
    return -(-max(window, round(LEAST_S * rate_hz), 8) // hop) * hop


def layout_of(contract: Contract, readings: npt.NDArray[np.floating]) -> Layout:
    """Return the layout of looks at what a model reads, its scales those of readings `(N, C)`."""
    names = FRAME if contract.frame is not None else tuple(item.channel for item in contract.inputs)
    units = tuple(item.unit for item in contract.inputs) * (len(FRAME) if contract.frame is not None else 1)
    spread = readings.astype(np.float64).std(axis=0)
    return Layout(names, units, tuple(float(f"{one:.6g}") if one > 0 else 1.0 for one in spread))


def absent(contract: Contract) -> str:
    """Return why there is no watch beside a model; empty where there is."""
    if contract.reference is not None:
        return ""
    return (
        f"model {contract.name} does not say what its training looked like: write it with "
        "`hil drift MODEL --learn DATA -o NEW`, or train it again"
    )


def referenced(
    package: Package, series: Sequence[Series], strangers: Sequence[Series] = (), *, per_hour: float = 1.0,
    seed: int = 0,
) -> Package:  # fmt: skip
    """Return a model with what training looked like.

    Args:
        package: The model.
        series: Readings of the people it was trained on, in its units.
        strangers: Readings of people it was not trained on, for what its scores look like; without any, scores are
            not watched.
        per_hour: False alarms an hour that are allowed.
        seed: Of the orders in which readings are put to find the limits.

    Returns:
        The same model as it is where too few people, or too many channels, let nothing be learnt.
    """
    contract = package.contract
    if contract.frame is None and len(contract.inputs) > _CHANNELS:
        return package
    samples = look_samples(contract.window, contract.hop, contract.rate_hz)
    stretches: dict[str, list[npt.NDArray[np.floating]]] = {}
    classes: dict[str, list[npt.NDArray[np.int64]]] = {}
    for item in series:
        stretches.setdefault(item.person, []).append(reduced(item.values, contract.frame))
        classes.setdefault(item.person, []).append(item.labels)
    if not any(len(one) >= samples for parts in stretches.values() for one in parts):
        return package
    layout = layout_of(contract, np.concatenate([one for parts in stretches.values() for one in parts]))
    judged = len({item.person for item in strangers}) >= LEAST_PEOPLE
    found = learn(layout, stretches, samples, contract.rate_hz, classes=classes, scored=judged, per_hour=per_hour,
                  seed=seed)  # fmt: skip
    if found is None:
        return package
    if strangers:
        looks = _scores_of(package, strangers, samples)
        hours = samples / contract.rate_hz / 3600.0
        known = found.left_out
        spread = None if known is None else (known.spread, len(found.people) - 1)
        scores = learn_scores(looks, per_hour / 2, hours, seed, network_digest(package), spread)
        found = found.model_copy(update={"scores": scores})
    content = dict(package.weights) if package.program is None else package.program
    changed = contract.model_copy(update={"reference": found})
    return unpack(pack(changed, content, package.step), contract.name)


def watch_of(package: Package) -> Watch:
    """Return a watch beside a model that has a reference."""
    assert package.contract.reference is not None
    return Watch(package.contract.reference, network_digest(package), package.contract.frame)


class DriftTap:
    """Shows every stream that a runner reads to a watch of its own.

    Args:
        package: A model with a reference.
    """

    def __init__(self, package: Package) -> None:
        contract = package.contract
        assert contract.reference is not None
        self.watches: dict[tuple[str, str], Watch] = {}
        """By board and stream."""
        self._bank = Bank(contract.reference, network_digest(package))
        self._frame = contract.frame
        means, spreads = [item.mean for item in contract.inputs], [item.std for item in contract.inputs]
        numbers = contract.reference.samples * contract.width
        self._scaled = (
            np.resize(np.array(spreads, np.float32), numbers), np.resize(np.array(means, np.float32), numbers)
        )  # fmt: skip
        self._logits = contract.outputs == "logits"

    def __call__(
        self, shown: Sequence[tuple[str, str, Block, int]], readings: npt.NDArray[np.float32],
        outputs: npt.NDArray[np.float32],
    ) -> None:  # fmt: skip
        """Show hops; see `hil.models.streaming.Tap`."""
        values = readings.copy()  # normalised: a look is put back into the units of the reference at once
        scores = outputs.copy() if self._logits else np.log(np.maximum(outputs, 1e-9))
        due: list[Watch] = []
        for board, stream, block, row in shown:
            watch = self.watches.get((board, stream))
            if watch is None:
                watch = Watch(self._bank.reference, frame=self._frame, bank=self._bank)
                self.watches[board, stream] = watch
            if watch in due:
                look(due, self._scaled)
                due = []
            if watch.hold(values[row], block.t_ns, scores[row] if block.decide else None, block.reset):
                due.append(watch)
        if due:
            look(due, self._scaled)

    def state(self, board: str) -> State | None:
        """Return where the watch of a board stands, of its first stream; None before its first hop."""
        return next((watch.state() for (role, _), watch in tuple(self.watches.items()) if role == board), None)

    def states(self) -> dict[tuple[str, str], State]:
        """Return where every watch stands."""
        return {key: watch.state() for key, watch in self.watches.items()}


def _scores_of(
    package: Package, series: Sequence[Series], samples: int
) -> dict[str, list[npt.NDArray[np.float64]]]:  # fmt: skip
    """Return the logits of decisions, look by look, of each person."""
    from hil.models.evaluate import series_stream, unconditioned
    from hil.models.model import Model

    contract = package.contract
    stream = series_stream(contract)
    rows: dict[int, list[npt.NDArray[np.float32]]] = {at: [] for at in range(len(series))}

    def tap(shown: Sequence[tuple[str, str, Block, int]], _: object, outputs: npt.NDArray[np.float32]) -> None:
        scores = outputs.copy() if contract.outputs == "logits" else np.log(np.maximum(outputs, 1e-9))
        for board, _stream, block, row in shown:
            if block.decide:
                rows[int(board)].append(scores[row])

    runner = Model(unconditioned(package)).runner(slots=8)
    runner.tap = tap
    for at, item in enumerate(series):
        numbers = np.arange(len(item.values), dtype=np.int64)
        times = (numbers / contract.rate_hz * 1e9).astype(np.int64)
        runner.push([Batch(str(at), stream, 0, 0, numbers, times, item.values.reshape(-1, *stream.shape))])
    each = samples // contract.hop
    found: dict[str, list[npt.NDArray[np.float64]]] = {}
    for at, item in enumerate(series):
        whole = np.array(rows[at], np.float64).reshape(-1, len(contract.labels))
        count = len(whole) // each
        found.setdefault(item.person, []).append(whole[: count * each].reshape(count, each, -1))
    return found
