"""What boards say that their own models make of their own samples, held against the same windows here.

A RESULT is joined to the decision on the window with the same last sample, and, where the op list that the board holds
is known by its CRC (this bench put it there, or it lies within reach: `hil model deploy MODEL -o FILE.hiln`), to what
that gives on the raw readings. A board that holds another network is counted anew.

Rule of this room: a sink copies and counts; the reference is computed when somebody looks, on that thread, a few
windows at a time, so that the pipeline never waits for it.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Connected, Item, Prediction, Rebooted, Reply
from firmware_bridge.streams import BoardInfo
from firmware_bridge.wire.placing import held
from hil.serving.shelf import networks_in, places
from hil.views.parity import ParityView

if TYPE_CHECKING:
    from firmware_bridge.oplist.ops import OpList

__all__ = ["BoardSaid"]

_BY_SAMPLE, _LAST_LAYER = 1, 255
_DTYPES = {0: "<i1", 1: "<i2", 2: "<i4", 3: "<f4"}
_MASK = 0xFFFFFFFF
_WAITING = 256
"""Results and decisions that wait for each other, of each board."""
_KEPT = 16_384
"""Raw samples of a board that are kept for the reference."""
_AT_ONCE = 16
"""Windows that one look computes, at most."""
_NO_LIST = "no op list with the board's CRC lies here: `hil model deploy MODEL -o FILE.hiln` writes one"

Networks = Callable[[], Mapping[int, "OpList"]]


class Labelled(Protocol):
    """A model that runs here."""

    name: str
    labels: tuple[str, ...]


def _within_reach() -> Mapping[int, "OpList"]:
    return networks_in(places(Path()))


@dataclass(slots=True, eq=False)
class _Pair:
    """One model against one board."""

    compared: int = 0
    same: int = 0
    differs: str = ""


@dataclass(slots=True, eq=False)
class _Said:
    """What one board said."""

    info: BoardInfo | None = None
    results: int = 0
    outputs: dict[int, npt.NDArray[Any]] = field(default_factory=dict)
    decided: dict[str, dict[int, Prediction]] = field(default_factory=dict)
    pairs: dict[str, _Pair] = field(default_factory=dict)
    raw: deque[Batch] = field(default_factory=deque)
    kept: int = 0
    due: deque[tuple[int, npt.NDArray[Any]]] = field(default_factory=lambda: deque(maxlen=_WAITING))
    exact: int = 0
    checked: int = 0
    comes: str = ""

    @property
    def listens(self) -> bool:
        """Whether results are to be expected."""
        return self.results > 0 or held(self.info) is not None

    def met(self, info: BoardInfo) -> None:
        """It said who it is."""
        if held(info) != held(self.info):
            self.anew()
            self.pairs.clear()
            self.results = self.exact = self.checked = 0
        self.info = info

    def anew(self) -> None:
        """Samples are numbered from 0 again."""
        for one in (self.outputs, self.decided, self.raw, self.due):
            one.clear()
        self.kept = 0


class BoardSaid:
    """A sink that counts how boards and models agree.

    Args:
        models: The models that run; may grow and shrink.
        networks: Returns the op lists within reach by their CRC; called once, when a board's first RESULT is looked at.
    """

    def __init__(self, models: Sequence[Labelled], networks: Networks = _within_reach) -> None:
        self._models, self._networks = models, networks
        self._known: Mapping[int, OpList] | None = None
        self._put: dict[int, OpList] = {}
        self._boards: dict[str, _Said] = {}
        self._lock = threading.Lock()

    def accept(self, arrivals: Iterable[Arrival]) -> None:
        """Take arrivals in order."""
        with self._lock:
            for arrival in arrivals:
                for item in arrival.items:
                    self._take(item)

    def reset(self) -> None:
        """Forget what waits: a replay jumped."""
        with self._lock:
            for said in self._boards.values():
                said.anew()

    def puts(self, board: str, sentence: str, crc32: int = 0, oplist: "OpList | None" = None) -> None:
        """A network is on its way to a board.

        Args:
            board: Its role.
            sentence: How it stands with it; empty: it is there.
            crc32: Of the network.
            oplist: The network; None: as given before.
        """
        with self._lock:
            self._of(board).comes = sentence
            if oplist is not None:
                self._put[crc32] = oplist

    def _of(self, board: str) -> _Said:
        said = self._boards.get(board)
        if said is None:
            said = self._boards[board] = _Said()
        return said

    def view(self, model: str, board: str) -> ParityView | None:
        """Return how a board agrees with a model; None where it said nothing of its own."""
        said = self._boards.get(board)
        if said is None or not (said.results or said.comes):
            return None
        sentence = self._check(said)
        exact, sentence = None if sentence else said.exact, said.comes or sentence
        with self._lock:
            pair = said.pairs.get(model, _Pair())
            labels, newest = self._labels(model), next(reversed(said.outputs.values()), None)
            fits = newest is not None and len(newest) == len(labels)
            if newest is not None and labels and not fits:
                sentence = f"the board's model has {len(newest)} outputs and this one {len(labels)} labels"
            label = labels[int(newest.argmax())] if newest is not None and fits else ""
            return ParityView(
                said.results, pair.compared, pair.same, label, pair.differs, exact, said.checked, sentence
            )  # fmt: skip

    def _labels(self, model: str) -> tuple[str, ...]:
        return next((one.labels for one in self._models if one.name == model), ())

    def _take(self, item: Item) -> None:
        said = self._of(item.board)
        match item:
            case Connected(info=info):
                said.met(info)
            case Rebooted():
                said.anew()
            case Batch():
                if said.listens:
                    said.raw.append(item)
                    said.kept += len(item)
                    while said.kept > _KEPT:
                        said.kept -= len(said.raw.popleft())
            case Prediction():
                self._decided(said, item)
            case Reply(kind="RESULT", fields=fields) if fields["keyed_by"] == _BY_SAMPLE and fields[
                "layer"] == _LAST_LAYER:  # fmt: skip
                self._said(said, fields["key"], np.frombuffer(item.data, _DTYPES[fields["dtype"]]))

    def _decided(self, said: _Said, made: Prediction) -> None:
        key = made.sample & _MASK
        if (outputs := said.outputs.get(key)) is not None:
            self._join(said, made, outputs)
        elif said.listens:
            _keep(said.decided.setdefault(made.model, {}), key, made)

    def _said(self, said: _Said, key: int, outputs: npt.NDArray[Any]) -> None:
        said.results += 1
        _keep(said.outputs, key, outputs)
        said.due.append((key, outputs))
        for waiting in said.decided.values():
            if (made := waiting.pop(key, None)) is not None:
                self._join(said, made, outputs)

    def _join(self, said: _Said, made: Prediction, outputs: npt.NDArray[Any]) -> None:
        labels = self._labels(made.model)
        if len(labels) != len(outputs):
            return
        pair = said.pairs.setdefault(made.model, _Pair())
        told = labels[int(outputs.argmax())]
        here = labels[max(range(len(labels)), key=made.scores.__getitem__)]
        pair.compared += 1
        pair.same += told == here
        if told != here:
            pair.differs = f"sample {made.sample}: board {told}, here {here}"

    def _check(self, said: _Said) -> str:
        """Hold some results against the reference; return why there is none, or nothing."""
        crc32 = held(said.info)
        if crc32 is None:
            return "the board did not say which network it holds"
        oplist = self._put.get(crc32)
        if oplist is None:
            if self._known is None:
                self._known = self._networks()
            oplist = self._known.get(crc32)
        if oplist is None:
            return _NO_LIST
        with self._lock:
            ready = [(said.due.popleft()) for _ in range(min(_AT_ONCE, len(said.due)))]
            raw = tuple(said.raw)
        windows = [(outputs, found) for key, outputs in ready if (found := _window(raw, key, oplist)) is not None]
        if windows:
            from firmware_bridge.oplist.reference import run

            ours = run(oplist, np.stack([found for _, found in windows]))[-1].reshape(len(windows), -1)
            said.checked += len(windows)
            said.exact += sum(np.array_equal(one, outputs) for one, (outputs, _) in zip(ours, windows, strict=True))
        return ""


def _keep(held: dict[int, Any], key: int, value: object) -> None:
    held[key] = value
    while len(held) > _WAITING:
        held.pop(next(iter(held)))


def _window(batches: Iterable[Batch], key: int, oplist: "OpList") -> npt.NDArray[Any] | None:
    """Return the raw readings of a window by its last sample; None where some are missing or of another type."""
    from firmware_bridge.oplist.table import RAW_DTYPES

    wanted, need, upto = np.dtype(RAW_DTYPES[oplist.raw]), oplist.window, key + 1
    parts: list[npt.NDArray[Any]] = []
    for batch in reversed(tuple(batches)):
        if batch.raw.dtype != wanted or int(np.prod(batch.stream.shape)) != oplist.columns:
            continue
        first, end = batch.first & _MASK, (batch.first + len(batch)) & _MASK
        if not first < upto <= end:
            if parts:
                return None
            continue
        rows = batch.raw[: upto - first].reshape(upto - first, -1)[-need:]
        parts.append(rows)
        need, upto = need - len(rows), first
        if not need:
            return np.ascontiguousarray(np.concatenate(parts[::-1]))
    return None
