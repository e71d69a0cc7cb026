"""What the drift watch beside a model costs: the tick of the shipped model with the watch against the same without.

Rule: both sides take the same batches, of boards that come due together, and make the same decisions; a look comes
every fourth tick, so that a measurement holds whole looks. Time is CPU time of the thread. The ratio is how many times
the bare tick holds the watched one: 1 would be a watch that costs nothing.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.streams import Stream
from hil.bench.longrecording import record_watch
from hil.bench.row import Row, judge, paired
from hil.recording.reader import Recording

if TYPE_CHECKING:
    from hil.models.model import Model

__all__ = ["BARS", "run"]

BARS = {1: 0.65, 8: 0.45}
"""By boards, of the ratio: a guard below what was measured (0.80, 0.73, busy core), and not the aim, which is 0.9."""

_LOOKS = 8
"""Looks of one measurement."""


class _Side:
    """A runner with the readings of boards that go on."""

    def __init__(self, model: Model, readings: npt.NDArray[np.float32], boards: int, watched: bool) -> None:
        from hil.models.drifting import DriftTap

        self._runner = model.runner(slots=8, backend="eager")
        contract = model.contract
        assert contract.reference is not None
        if watched:
            self._runner.tap = DriftTap(model.package)
        self._hop, self._boards, self._first = contract.hop, boards, 0
        self._ticks = _LOOKS * contract.reference.samples // contract.hop
        names, units = zip(*((item.channel, item.unit) for item in contract.inputs), strict=True)
        self._stream = Stream("imu", names, units, "<f4", (len(names),), contract.rate_hz)
        self._readings = readings

    def __call__(self) -> None:
        """Take whole looks."""
        for tick in range(self._ticks):
            numbers = np.arange(self._first, self._first + self._hop, dtype=np.int64)
            low = tick * self._hop
            self._runner.push([
                Batch(f"board{at}", self._stream, 0, self._first, numbers, numbers * 20_000_000,
                      self._readings[low : low + self._hop])
                for at in range(self._boards)
            ])  # fmt: skip
            self._first += self._hop


def _worn(seconds: float) -> npt.NDArray[np.float32]:
    """Return readings `(N, 6)` of the virtual watch."""
    with TemporaryDirectory() as folder, Recording(record_watch(Path(folder) / "worn.mcap", seconds)) as recording:
        parts = [one for arrays in recording.chunks("watch", "imu") for one in arrays.batches()]
        return np.concatenate([one.values for one in parts])


def run(quick: bool = False) -> list[Row]:
    """Measure the tick with the watch for one board and for eight; `quick` takes fewer pairs."""
    import torch

    from hil.demo import MODEL
    from hil.models.model import load_model

    model = load_model(MODEL)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rows = []
        readings = _worn(_LOOKS * model.contract.window / model.contract.rate_hz + 1.0)
        for boards, bar in BARS.items():
            ours, bare = (_Side(model, readings, boards, watched) for watched in (True, False))
            pairs = paired(ours, bare, rounds=9 if quick else 21, cpu=True)
            what = f"tick of the shipped model with its drift watch, boards: {boards}"
            ticks = _LOOKS * model.contract.reference.samples // model.contract.hop if model.contract.reference else 1
            rows.append(judge(what, pairs.ours_s / ticks * 1e6, "us", "the same without the watch", pairs.ratios, bar))
        return rows
    finally:
        torch.set_num_threads(threads)
