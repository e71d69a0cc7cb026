"""The ways to shrink one model, one after the other: each gives a point, which is a model that can be used.

Rule of this room: it only calls. Nothing is chosen on anybody: every point is made by a recipe that was fixed before,
is judged later by others, and says in its lineage what was done to which parent with which seed. A way that a network
does not allow is told with its reason, not left out in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from firmware_bridge.errors import UsageError
from hil.models.contract import Card, Contract, Integers
from hil.models.datasets import NONE, Dataset, digest
from hil.models.fit import Progress
from hil.models.int8.calibrate import Range, ranges
from hil.models.int8.deploy import PERCENTILE
from hil.models.model import build_network
from hil.models.nets.seam import Net
from hil.models.nets.shape import NetShape
from hil.models.package import Package, pack, unpack
from hil.models.shrink.cut import windows_in
from hil.models.shrink.distil import SHARE, TEMPERATURE, School, recipe
from hil.models.shrink.integers import Integers8, integers_of, stand_in
from hil.models.shrink.narrow import described, fewer
from hil.models.shrink.prune import can_prune, prune
from hil.models.shrink.rounded import Drawn, Rounded, drawn

__all__ = ["METHODS", "Plan", "Point", "Shrinking"]

METHODS = ("both", "prune", "student")
"""How a network gets narrower; `both` makes students alone of what cannot be pruned."""

_CALIBRATED = 500
"""Windows that ranges come from."""

_WEIGHED = 256
"""Windows that channels are weighed on."""

Told = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for.

    Attributes:
        times: How many times fewer multiplications, one point (or two) each.
        method: In `METHODS`.
        epochs: Of what learns again after pruning; a student has as many, training under rounding a quarter. None: as
            many as the parent had.
        int8: Whether there are points in 8-bit integers.
        seed: Source of all chance.
    """

    times: tuple[float, ...] = (2.0, 4.0, 10.0)
    method: str = "both"
    epochs: int | None = None
    int8: bool = True
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A smaller model, not yet judged.

    Attributes:
        name: Of the point and its file.
        way: How it got narrower: `prune`, `student`, or `whole` where it did not.
        method: What was done, in words.
        times: How many times fewer multiplications were asked for.
        package: The model.
        integers: What boards run, where it is judged in integers; None: in floating point.
    """

    name: str
    way: str
    method: str
    times: float
    package: Package
    integers: Integers8 | None


class Shrinking:
    """One model being shrunk.

    Args:
        parent: The model.
        dataset: Labelled readings in its channels and labels.
        plan: What is asked for.

    Raises:
        UsageError: The model cannot be shrunk, or the data have nobody whom it has met.
    """

    def __init__(self, parent: Package, dataset: Dataset, plan: Plan) -> None:
        contract = parent.contract
        where = f"model {contract.name}"
        if contract.architecture is None:
            raise UsageError(
                "it is an ONNX program, whose layers are not ours to make narrower", where,
                "put it on a board in 8 bits with `hil model deploy`, or train one of the networks of `hil train`",
            )  # fmt: skip
        wanted = (tuple(item.channel for item in contract.inputs), contract.labels)
        for what, here, there in zip(("channels", "labels"), (dataset.channels, dataset.labels), wanted, strict=True):
            if here != there:
                raise UsageError(f"the data have the {what} {', '.join(here)} and the model {', '.join(there)}", where,
                                 "give the data that it was trained on")  # fmt: skip
        met = {str(one) for one in contract.lineage.get("trained_on", ())}
        series = dataset.of([one for one in dataset.people if one in met])
        if not series:
            raise UsageError("the data have nobody whom the model has met, so that there is nothing to learn from",
                             where, "give the data that it was trained on")  # fmt: skip
        self.parent, self.plan, self.left_out = parent, plan, dict[str, str]()
        self.learnt = tuple(dict.fromkeys(item.person for item in series))
        self.net = build_network(parent)
        self.school = School(self.net, contract, dataset, series, recipe(contract, plan.seed))
        self.epochs = plan.epochs or self.school.config.training.epochs
        self.rounded = max(1, self.epochs // 4)
        self.digest = digest(series)
        try:
            self.stream = stand_in(contract, series) if plan.int8 else None
            self.whole = drawn(self.net, contract.name) if plan.int8 else None
        except UsageError as error:
            self.stream = self.whole = None
            self.left_out["int8"] = error.what
        if plan.method in ("prune", "both") and (why := can_prune(self.net)):
            if plan.method == "prune":
                raise UsageError(why, where, "make narrower students of it: --method student")
            self.left_out["prune"] = why

    @property
    def ways(self) -> tuple[str, ...]:
        """How networks get narrower: `prune`, `student`."""
        asked = ("prune", "student") if self.plan.method == "both" else (self.plan.method,)
        return tuple(dict.fromkeys("student" if one in self.left_out else one for one in asked))

    @property
    def count(self) -> int:
        """Points that there will be, the parent in floating point not among them."""
        narrowed = len(self.ways) * len(self.plan.times)
        return (3 if self.stream is not None else 1) * (narrowed + 1) - 1

    def points(self, told: Told) -> Iterator[Point]:
        """Give every point as it is made; the parent in integers, which takes longest, comes last."""
        for times in self.plan.times:
            shape = fewer(self.parent.contract, times)
            for way in self.ways:
                name, words = f"{way}-{times:g}x".replace(".", "_"), f"{_WORDS[way]}, {_wide(shape)} wide"
                net = self._narrowed(way, shape, _telling(told, name))
                contract = described(self.parent.contract, shape)
                yield Point(name, way, words, times, self._packed(net, contract, name, words, self.epochs), None)
                yield from self._in_integers(net, contract, name, way, times, told, words)
        yield from self._in_integers(self.net, self.parent.contract, "", "whole", 1.0, told)

    def _narrowed(self, way: str, shape: NetShape, progress: Callable[[Progress], None]) -> Net:
        if way == "student":
            return self.school.student(shape, self.epochs, progress)
        windows, truth = windows_in(self.parent.contract, self.school.series, _WEIGHED)
        x, y = torch.from_numpy(windows).float(), torch.from_numpy(truth)
        left = prune(self.net, shape, x[y != NONE], y[y != NONE])
        return self.school.refined(left, x, self.epochs, progress)

    def _in_integers(
        self, net: Net, contract: Contract, of: str, way: str, times: float, told: Told, words: str = "the parent"
    ) -> Iterator[Point]:
        """The same weights in 8 bits, and weights trained under that rounding."""
        if self.stream is None:
            return
        plan = self.whole if net is self.net and self.whole is not None else drawn(net, contract.name)
        windows, _ = windows_in(contract, self.school.series, _CALIBRATED)
        found = ranges(plan.filled(net), windows, PERCENTILE)
        yield self._integers(net, contract, plan, found, f"{of}-int8".strip("-"), way, f"{words}, 8 bits", times, 0)
        name = f"{of}-qat".strip("-")
        rounded = Rounded(_copied(net), plan, found)
        self.school.rounded(rounded, self.rounded, _telling(told, name))
        words = f"{words}, trained under 8-bit rounding"
        yield self._integers(rounded.net.eval(), contract, plan, found, name, way, words, times, self.rounded)

    def _integers(
        self, net: Net, contract: Contract, plan: Drawn, found: Sequence[Range], name: str, way: str, words: str,
        times: float, epochs: int,
    ) -> Point:  # fmt: skip
        held = Integers(ranges=tuple(found), percentile=PERCENTILE, windows=_CALIBRATED, trained=epochs > 0)
        package = self._packed(net, contract.model_copy(update={"int8": held}), name, words, epochs)
        assert self.stream is not None
        made = integers_of(package.contract, plan.filled(net), found, self.stream)
        return Point(name, way, words, times, package, made)

    def _packed(self, net: Net, contract: Contract, name: str, words: str, epochs: int) -> Package:
        """A model file with its lineage; its card is written by whoever judges it."""
        before, card = self.parent.contract, self.parent.contract.card
        lineage: dict[str, Any] = {
            **before.lineage,
            "seed": self.plan.seed, "torch": str(torch.__version__), "method": words, "learnt_from": list(self.learnt),
            "parent": {"name": before.name, "version": before.version, "sha256": self.parent.sha256},
            "shrink": {"epochs": epochs, "temperature": TEMPERATURE, "share": SHARE},
        }  # fmt: skip
        update = {
            "name": f"{before.name}-{name}"[:64], "lineage": lineage, "training_data_sha256": self.digest,
            "backend": "eager",
            "card": Card(summary=card.summary, data_source=card.data_source, data_licence=card.data_licence,
                         limits=card.limits),
        }  # fmt: skip
        weights = {key: value.detach().numpy().copy() for key, value in net.state_dict().items()}
        whole = Contract.model_validate(contract.model_copy(update=update).model_dump())
        return unpack(pack(whole, weights), whole.name)


_WORDS = {"prune": "pruned and distilled", "student": "distilled from nothing"}


def _telling(told: Told, name: str) -> Callable[[Progress], None]:
    return lambda at: told(at.step / at.steps, name)


def _wide(shape: NetShape) -> str:
    plain = shape.model_dump()
    found = next(plain[key] for key in ("channels", "hidden") if key in plain)
    return str(found) if isinstance(found, int) else ", ".join(map(str, found))


def _copied(net: Net) -> Net:
    copy = type(net)(net.config)
    copy.load_state_dict(net.state_dict())
    return copy
