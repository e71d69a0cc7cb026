"""What a model costs: parameters, multiplications, bytes, and the time of a hop.

Rule of this room: multiplications are counted while a hop of one board runs, whatever the architecture: those of matrix
products and convolutions, not what is done element by element. Times are of this machine, of one board, and everything
that a live board goes through is in them.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from firmware_bridge.batch import Batch
from firmware_bridge.streams import Stream
from hil.models.evaluate import unconditioned
from hil.models.model import Model
from hil.models.package import Package, pack

__all__ = ["cost_of", "macs_of"]

_HOPS = 300


def cost_of(package: Package, hops: int = _HOPS) -> dict[str, Any]:
    """Return what a model costs as plain JSON values.

    Args:
        package: The model.
        hops: Timed, after a tenth of them that is not.

    Returns:
        `parameters`, `bytes` (of the file), `macs_per_hop`, `hop_samples`, and `latency_ms` (`p50`, `p99`, `hops`) of
        the contract's backend. `parameters` and `macs_per_hop` are None for an ONNX program, whose graph is not walked.
    """
    package = unconditioned(package)
    contract = package.contract
    content: Any = dict(package.weights) if package.program is None else package.program
    own = package.program is None
    return {
        "parameters": int(sum(one.size for one in package.weights.values())) if own else None,
        "bytes": len(pack(contract, content)),
        "macs_per_hop": macs_of(package) if own else None,
        "hop_samples": contract.hop,
        "latency_ms": _latency(package, hops),
        "backend": contract.backend,
    }


def macs_of(package: Package) -> int:
    """Count the multiplications of one hop of one board, while it runs in eager mode."""
    from torch.utils.flop_counter import FlopCounterMode

    step = Model(package).step(1, "eager")
    step.run([0], [0])
    counter = FlopCounterMode(display=False)
    with counter:
        step.run([0], [])
    return int(counter.get_total_flops()) // 2


def _latency(package: Package, hops: int) -> dict[str, Any]:
    contract = package.contract
    names = tuple(item.channel for item in contract.inputs)
    units = tuple(item.unit for item in contract.inputs)
    stream = Stream(contract.stream or "series", names, units, "<f4", (len(names),), contract.rate_hz)
    runner = Model(package).runner(slots=1)
    chance = np.random.default_rng(0)
    warm = max(hops // 10, -(-contract.memory_samples // contract.hop) + 1)
    took = []
    for at in range(warm + hops):
        first = at * contract.hop
        numbers = np.arange(first, first + contract.hop, dtype=np.int64)
        raw = chance.standard_normal((contract.hop, len(names))).astype(np.float32)
        batch = Batch("board", stream, 0, first, numbers, numbers, raw)
        began = time.perf_counter_ns()
        runner.push([batch])
        took.append((time.perf_counter_ns() - began) / 1e6)
    p50, p99 = np.quantile(took[warm:], [0.5, 0.99])
    return {"p50": float(p50), "p99": float(p99), "hops": hops}
