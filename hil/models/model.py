"""A model file opened for use: `load_model`, then `runner` for live boards or `predict` for what is at hand.

Rule: one way to run. `predict` feeds the same executor that live boards feed, so that a file scored offline and the
board it came from give the same decisions.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.errors import FileError, MissingPart, UsageError
from firmware_bridge.events import Arrival, Item, Prediction
from firmware_bridge.missing import unread
from firmware_bridge.streams import Stream
from hil.models.conditioned import ConditionedRunner
from hil.models.contract import Contract, parse_contract
from hil.models.nets.shape import TurnsShape
from hil.models.nets.shapes import TcnConfig
from hil.models.package import Package, pack, read_package, unpack
from hil.models.scanning import Step
from hil.models.streaming import Runner

if TYPE_CHECKING:
    from hil.models.nets.cnn_gru import CnnGru
    from hil.models.nets.gru import Gru
    from hil.models.nets.seam import Net
    from hil.models.nets.tcn import Tcn

__all__ = ["BACKENDS", "Model", "build_network", "load_model"]

BACKENDS = ("eager", "onnxruntime")
"""Ways to compute a step. The choice is made by a verb, written into the recording and reused by replay."""


def build_network(package: Package) -> Net:
    """Rebuild the network of a package from our own code and load its weights.

    Raises:
        MissingPart: torch is not installed.
    """
    assert package.contract.architecture is not None
    try:
        import torch
    except ImportError:
        raise MissingPart("torch is not installed", "hil.models", "run: pip install 'torch==2.13.*'") from None
    from hil.models.nets.seam import net_class

    net = net_class(package.contract.architecture.name)(package.contract.architecture.config).eval()
    net.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in package.weights.items()})
    return net


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A model, ready to run.

    Attributes:
        package: Contract, weights or program, and identity.
    """

    package: Package

    def __repr__(self) -> str:
        one = self.contract
        return f"<Model {one.name} {one.version}: {len(one.inputs)} inputs, {len(one.labels)} labels>"

    @property
    def contract(self) -> Contract:
        """What it promises."""
        return self.package.contract

    def step(self, slots: int, backend: str | None = None) -> Step:
        """One hop of the network for `slots` boards.

        Raises:
            UsageError: There is no such backend, or it cannot run this network.
            MissingPart: The backend's library is not installed.
        """
        chosen = backend or self.contract.backend
        if chosen not in BACKENDS:
            raise UsageError(f"there is no backend {chosen!r}", self.contract.name, f"use {' or '.join(BACKENDS)}")
        architecture = self.contract.architecture
        if architecture is None:
            if chosen == "eager":
                raise UsageError("an ONNX program runs on onnxruntime only", self.contract.name, "use onnxruntime")
            from hil.models.window_onnx import WindowStep

            assert self.package.program is not None
            return WindowStep(self.package.program, self.contract, slots)
        hop = self.contract.hop
        if chosen == "onnxruntime":
            from hil.models.step_onnx import OnnxStep, step_program

            program = self.package.step
            if program is None and isinstance(architecture.config, TcnConfig):
                program = step_program(architecture.config, self.package.weights, hop)
            if program is None:
                raise UsageError(
                    "it has no streaming step for onnxruntime", f"model {self.contract.name}",
                    "make one with: hil model tune MODEL -o NEW",
                )  # fmt: skip
            return OnnxStep(program, architecture.config, hop, slots, f"model {self.contract.name}")
        net = build_network(self.package)
        if isinstance(architecture.config, TcnConfig):
            from hil.models.step import EagerStep

            return EagerStep(cast("Tcn", net), hop, slots)
        if isinstance(architecture.config, TurnsShape):
            from hil.models.step_gru import RecurrentStep

            return RecurrentStep(cast("Gru | CnnGru", net), hop, slots)
        from hil.models.step_plain import PlainStep

        return PlainStep(net, hop, slots)

    def runner(
        self,
        *,
        boards: Iterable[str] | None = None,
        slots: int = 8,
        backend: str | None = None,
        slot_map: Mapping[str, int] | None = None,
    ) -> Runner:
        """Return an executor; see `hil.models.streaming.Runner`."""
        kind = Runner if self.contract.conditioning is None else ConditionedRunner
        return kind(
            self.contract,
            lambda count: self.step(count, backend),
            boards=boards,
            slots=slots,
            slot_map=slot_map,
            sha256=self.package.sha256,
        )

    def predict(self, source: Any, *, board: str | None = None, backend: str | None = None) -> list[Prediction]:
        """Decide on everything in `source`.

        Args:
            source: Readings `(N, C)`, or frames `(N, H, W)`, in the contract's channels and units at its rate; or a
                recording (or its path); or any iterable of batches, events or arrivals that ends.
            board: Role of the one board to read; None: every stream that fits.
            backend: See `BACKENDS`; None: the contract's.

        Returns:
            Decisions in the order of their samples for each board; an array's are numbered from 0.

        Raises:
            UsageError: No stream fits.
        """
        return list(self.stream(source, board=board, backend=backend))

    def stream(self, source: Any, *, board: str | None = None, backend: str | None = None) -> Iterator[Prediction]:
        """Like `predict`, but give every decision as soon as it is made: for live boards too."""
        if isinstance(source, np.ndarray):
            yield from self.runner(slots=1, backend=backend).push([self._batch(source)])
            return
        if isinstance(source, str | os.PathLike):
            from hil.recording.reader import Recording

            with Recording(os.fspath(source)) as recording:
                yield from self.stream(recording, board=board, backend=backend)
            return
        runner = self.runner(boards=None if board is None else [board], backend=backend)
        if hasattr(source, "streams") and hasattr(source, "chunks"):
            from hil.models.recorded import items_of

            yield from _all(runner, items_of(source, self.contract, board))
            return
        for given in source:
            pushed: list[Item | Arrival] = list(given) if isinstance(given, list | tuple) else [given]
            yield from runner.push(pushed)

    def _batch(self, readings: npt.NDArray[Any]) -> Batch:
        contract = self.contract
        names = tuple(item.channel for item in contract.inputs)
        shape = contract.frame or (len(names),)
        if readings.shape[1:] != shape:
            raise UsageError(
                f"the readings have shape {list(readings.shape)} and model {contract.name} reads "
                f"[samples, {', '.join(map(str, shape))}] ({', '.join(names)})",
                "predict",
                "give one column for each channel",
            )
        raw = np.ascontiguousarray(readings, dtype=np.float32)
        stream = Stream(
            name=contract.stream or "array", channels=names, units=tuple(item.unit for item in contract.inputs),
            dtype="<f4", shape=shape, rate_hz=contract.rate_hz,
        )  # fmt: skip
        numbers = np.arange(len(raw), dtype=np.int64)
        return Batch("array", stream, 0, 0, numbers, (numbers / contract.rate_hz * 1e9).astype(np.int64), raw)


def _all(runner: Runner, items: Iterable[Item]) -> Iterator[Prediction]:
    for item in items:
        yield from runner.push([item])


def load_model(path: str | os.PathLike[str]) -> Model:
    """Open a model file; nothing in it is executed.

    Args:
        path: A `.hilmodel` file; or an ONNX file `NAME.onnx` with its contract beside it in `NAME.contract.json`.

    Raises:
        FileError: It is no model file, damaged, hostile or newer than this program, or an ONNX file has no contract.
    """
    if os.fspath(path).endswith(".onnx"):
        return Model(_onnx_package(Path(path)))
    return Model(read_package(path))


def _onnx_package(path: Path) -> Package:
    beside = path.with_suffix(".contract.json")
    try:
        text = beside.read_bytes()
    except OSError:
        raise FileError(
            f"an ONNX file says nothing of channels, units, rate and labels, and {beside.name} is not beside it",
            str(path),
            "write the contract there, or save both as one file with hil.save_model(FILE, contract, PATH)",
        ) from None
    contract = parse_contract(text, str(beside))
    try:
        program = path.read_bytes()
    except OSError as error:
        raise unread(error, path, "check the path") from None
    from hil.models.window_onnx import check_program

    check_program(program, contract)
    return unpack(pack(contract, program), str(path))
