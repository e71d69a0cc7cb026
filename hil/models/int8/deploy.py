"""A model file into what a board holds: op list, blob, and how much memory they take. `hil model deploy` calls it.

Rule of this room: whatever is printed about a deployment comes from the op list that was made, never from an estimate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from firmware_bridge.oplist.ops import OpList, pack
from firmware_bridge.oplist.table import NAMES, RAW_DTYPES, Raw
from firmware_bridge.streams import Stream
from hil.models.contract import Contract
from hil.models.int8.calibrate import ranges
from hil.models.int8.graph import Graph
from hil.models.int8.quantise import Readings, quantise
from hil.models.matching import match
from hil.models.model import Model, build_network
from hil.models.windows import Windows

__all__ = ["PERCENTILE", "Deployment", "columns_of", "deploy", "graph_of", "preview", "readings_of"]

PERCENTILE = 99.99
"""Share of the values, in percent, that a tensor's range holds on either side: one in ten thousand saturates."""

_MOST = 2000
"""Windows to calibrate on; more are thinned out evenly."""


@dataclass(frozen=True, slots=True, eq=False)
class Deployment:
    """A model for boards.

    Attributes:
        contract: The model's contract.
        oplist: What a board runs.
        blob: The same in bytes, as it travels.
        calibrated_on: Windows that the ranges come from; 0: none, good for sizes only.
        percentile: Share of the values inside the ranges.
    """

    contract: Contract
    oplist: OpList
    blob: bytes
    calibrated_on: int
    percentile: float

    @property
    def flash(self) -> int:
        """Bytes of the blob, wherever it is kept."""
        return len(self.blob)

    @property
    def ram(self) -> int:
        """Bytes of the tensors, on top of the blob if that travels into RAM too."""
        return self.oplist.arena

    @property
    def macs(self) -> int:
        """Multiplications in a window."""
        return sum(op.macs for op in self.oplist.ops)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values: sizes and one row a layer."""
        return {
            "schema": 1, "model": self.contract.name, "version": self.contract.version,
            "window": self.oplist.window, "columns": self.oplist.columns,
            "raw": RAW_DTYPES[self.oplist.raw].strip("<|"),
            "outputs": self.oplist.outputs, "flash_bytes": self.flash, "ram_bytes": self.ram, "macs": self.macs,
            "calibrated_on": self.calibrated_on, "percentile": self.percentile, "layers": layers(self.oplist),
        }  # fmt: skip


def layers(oplist: OpList) -> list[dict[str, Any]]:
    """Return one row an op; plain JSON values."""
    return [
        {
            "layer": index, "operator": NAMES[op.code], "output": [op.out_rows, op.out_channels], "kernel": op.kernel,
            "stride": op.stride, "dilation": op.dilation, "groups": op.groups, "ram_bytes": op.elements,
            "flash_bytes": op.flash, "macs": op.macs, "scale": op.out_scale, "zero": op.out_zero,
        }
        for index, op in enumerate(oplist.ops)
    ]  # fmt: skip


def deploy(
    model: Model, windows: Windows, percentile: float = PERCENTILE, onto: Stream | None = None
) -> Deployment:  # fmt: skip
    """Quantise a model, its ranges calibrated on windows unless it brings its own along.

    Args:
        model: The model.
        windows: Of the stream it will read, or of one with the same channels and units.
        percentile: Share of the values, in percent, that a range holds on either side; 100: all.
        onto: The stream it will read, where its type, scale or order are its own; None: that of the windows.

    Raises:
        UsageError: An operator or the stream's type does not run on a board.
    """
    readings = readings_of(model.contract, windows.stream, windows.picked)
    chosen = windows.raw[np.unique(np.linspace(0, len(windows) - 1, min(len(windows), _MOST)).astype(np.int64))]
    normalised = readings.normalised(chosen)
    if onto is not None:
        readings = readings_of(model.contract, onto, columns_of(model.contract, onto))
    return _made(model, readings, normalised, len(chosen), percentile)


def columns_of(contract: Contract, stream: Stream) -> tuple[int, ...]:
    """Return the column of a stream for every input of a model, at whatever rate it runs now.

    Raises:
        UsageError: A channel is missing, or in another unit.
    """
    return match(contract, replace(stream, rate_hz=contract.rate_hz), stream.name)


def preview(model: Model) -> Deployment:
    """Quantise a model on noise from the standard normal distribution: right about every size, about no scale.

    Raises:
        UsageError: An operator does not run on a board.
    """
    contract = model.contract
    count = len(contract.inputs)
    readings = Readings(
        Raw.I16, count, tuple(range(count)), (1e-3,) * count, (0.0,) * count,
        tuple(item.mean for item in contract.inputs), tuple(item.std for item in contract.inputs),
    )  # fmt: skip
    noise = np.random.default_rng(0).standard_normal((4, contract.memory_samples, count))
    return _made(model, readings, noise, 0, 100.0)


def graph_of(model: Model) -> Graph:
    """Return the network of a model in the operators that boards have.

    Raises:
        UsageError: An operator does not run on a board; it is named.
    """
    contract = model.contract
    if contract.frame is not None:
        raise UsageError(
            f"it reads frames of {contract.frame[0]} x {contract.frame[1]}, and boards run networks of channels",
            f"model {contract.name}", "run it on the host",
        )  # fmt: skip
    shape = (contract.memory_samples, len(contract.inputs))
    if contract.architecture is not None:
        network = build_network(model.package)  # says in a sentence where torch is missing
        from hil.models.int8.trace import trace

        return trace(network, *shape, name=contract.name)
    from hil.models.int8.onnx_graph import read_program

    assert model.package.program is not None
    return read_program(model.package.program, *shape, layout=contract.layout, name=contract.name)


def readings_of(contract: Contract, stream: Stream, picked: tuple[int, ...]) -> Readings:
    """Return how the raw readings of a stream become the windows of a model.

    Raises:
        UsageError: Boards cannot send readings of that type to a network in integers.
    """
    kinds = {np.dtype(text): raw for raw, text in RAW_DTYPES.items()}
    raw = kinds.get(np.dtype(stream.dtype))
    if raw is None:
        raise UsageError(
            f"stream {stream.name} has readings of type {np.dtype(stream.dtype)}; a network in integers reads "
            f"{', '.join(str(kind) for kind in kinds)}",
            f"model {contract.name}", "give a recording of the board as it sends its raw readings",
        )  # fmt: skip
    count = len(stream.channels)
    scale, offset = (np.broadcast_to(np.asarray(given, np.float64), count) for given in (stream.scale, stream.offset))
    return Readings(
        raw, count, picked, tuple(float(scale[column]) for column in picked),
        tuple(float(offset[column]) for column in picked), tuple(item.mean for item in contract.inputs),
        tuple(item.std for item in contract.inputs),
    )  # fmt: skip


def _made(
    model: Model, readings: Readings, windows: npt.NDArray[np.float64], count: int, percentile: float
) -> Deployment:  # fmt: skip
    graph = graph_of(model)
    last = graph.nodes[-1]
    if last.rows * last.channels != len(model.contract.labels):
        raise UsageError(
            f"its network gives {last.rows} x {last.channels} outputs and the contract has "
            f"{len(model.contract.labels)} labels",
            f"model {model.contract.name}", "give a network with one output a label",
        )  # fmt: skip
    brought = model.contract.int8
    if brought is None:
        found = ranges(graph, windows, percentile)
    elif len(brought.ranges) == len(graph.nodes):
        found, count, percentile = list(brought.ranges), brought.windows, brought.percentile
    else:
        raise UsageError(
            f"it brings ranges of {len(brought.ranges)} operators along and its network has {len(graph.nodes)}",
            f"model {model.contract.name}", "get the file again from whoever made it",
        )  # fmt: skip
    oplist = quantise(graph, found, readings, model.contract.name)
    return Deployment(model.contract, oplist, pack(oplist), count, percentile)
