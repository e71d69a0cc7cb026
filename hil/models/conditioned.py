"""The executor of a model whose contract declares conditioning: live boards and recordings go through one intake.

Rule of this room: in front of the executor a stream becomes the one the model was trained on; behind it a decision
bears the number of the board's own sample that completed it, so that nobody else needs to know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival, Connected, Event, Gap, Item, Prediction, RateChanged
from firmware_bridge.streams import Stream
from hil.models.conditioning import Conditioned, source_of
from hil.models.contract import Contract
from hil.models.matching import has_channels
from hil.models.scanning import Step
from hil.models.streaming import Runner

__all__ = ["ConditionedRunner"]


class ConditionedRunner(Runner):
    """Runs one model on streams of other units, axes or rates; see `Runner`."""

    def __init__(self, contract: Contract, make_step: Callable[[int], Step], **options: Any) -> None:
        super().__init__(contract.model_copy(update={"conditioning": None}), make_step, **options)
        assert contract.conditioning is not None
        self._declared, self._how = contract, contract.conditioning
        self._wanted = [(item.channel, item.unit) for item in contract.inputs]
        self._intakes: dict[tuple[str, str], Conditioned] = {}

    def push(self, items: Iterable[Item | Arrival]) -> list[Prediction]:
        """Take items in their order and return the decisions that they complete; see `Runner.push`."""
        return [self._dated(one) for one in super().push(self._conditioned(items))]

    def identity(self) -> dict[str, Any]:
        """What the last bits of a result depend on; with `paces`: how many samples of a board one of the model's is.

        A pace is a fraction as text, and how many samples more a decision looks back because of the filter.
        """
        paces = {
            f"{board}/{stream}": [str(1 / one.ratio), one.taps - 1]
            for (board, stream), one in self._intakes.items()
            if one.ratio is not None
        }
        return {**super().identity(), "paces": paces}

    def _conditioned(self, items: Iterable[Item | Arrival]) -> Iterator[Item]:
        for item in items:
            for inner in item.items if isinstance(item, Arrival) else (item,):
                if isinstance(inner, Batch):
                    yield from self._intake(inner)
                else:
                    yield self._mapped(inner)

    def _intake(self, batch: Batch) -> Iterator[Batch]:
        key = (batch.board, batch.stream.name)
        intake = self._intakes.get(key)
        if intake is None or (intake.source is not batch.stream and intake.source != batch.stream):
            try:
                intake = self._of(batch.board, batch.stream)
            except UsageError:
                if self._boards is not None and batch.board in self._boards and key not in self._intakes:
                    raise
                yield batch  # it stands there as a stream that does not fit
                return
            if intake is None:
                return
            self._intakes[key] = intake
        made = intake.batch(batch)
        if made is not None:
            yield made

    def _mapped(self, event: Event) -> Event:
        if isinstance(event, Connected):
            return replace(event, info=replace(event.info, streams=tuple(self._shown(event))))
        if isinstance(event, Gap | RateChanged):
            intake = self._intakes.get((event.board, event.stream))
            return event if intake is None else intake.event(event)
        return event

    def _shown(self, event: Connected) -> Iterator[Stream]:
        for stream in event.info.streams:
            try:
                intake = self._of(event.board, stream)
            except UsageError:
                intake = None
            yield stream if intake is None else intake.stream

    def _of(self, board: str, stream: Stream) -> Conditioned | None:
        if not has_channels(self._declared, stream):
            return None
        where = f"{board}/{stream.name}"
        return Conditioned(stream, self._wanted, self._declared.rate_hz, self._how, where)

    def _dated(self, one: Prediction) -> Prediction:
        ratio = self._intakes[one.board, one.stream].ratio
        return one if ratio is None else replace(one, sample=source_of(one.sample, ratio))
