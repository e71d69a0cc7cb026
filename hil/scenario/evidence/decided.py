"""Decisions of a model in compact form: a day of them takes megabytes, and each is a `Prediction` when asked for.

Rule of this room: what went in comes out, to the last bit and in the same order.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from firmware_bridge.events import Prediction

__all__ = ["Decided"]


class Decided(Sequence[Prediction]):
    """Decisions in the order in which they came."""

    def __init__(self, decisions: Iterable[Prediction] = ()) -> None:
        self._kinds: dict[tuple[str, str, str, int], int] = {}
        self._labels: dict[str, int] = {}
        self._kind, self._label = array("i"), array("i")
        self._t_ns, self._sample = array("q"), array("q")
        self._confidence, self._scores = array("d"), array("d")
        self._ends = array("q", [0])
        self.extend(decisions)

    def extend(self, decisions: Iterable[Prediction]) -> None:
        """Keep more."""
        for one in decisions:
            kind = (one.board, one.stream, one.model, one.boot)
            self._kind.append(self._kinds.setdefault(kind, len(self._kinds)))
            self._label.append(self._labels.setdefault(one.label, len(self._labels)))
            self._t_ns.append(one.t_ns)
            self._sample.append(one.sample)
            self._confidence.append(one.confidence)
            self._scores.extend(one.scores)
            self._ends.append(len(self._scores))

    def __iadd__(self, decisions: Iterable[Prediction]) -> "Decided":
        self.extend(decisions)
        return self

    def __len__(self) -> int:
        return len(self._kind)

    @overload
    def __getitem__(self, at: int) -> Prediction: ...
    @overload
    def __getitem__(self, at: slice) -> list[Prediction]: ...
    def __getitem__(self, at: int | slice) -> Prediction | list[Prediction]:
        if isinstance(at, slice):
            return [self._one(each, *self._names()) for each in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError(f"there are {len(self)} decisions")
        return self._one(at % len(self), *self._names())

    def __iter__(self) -> Iterator[Prediction]:
        kinds, labels = self._names()
        for at in range(len(self)):
            yield self._one(at, kinds, labels)

    def __repr__(self) -> str:
        return f"<Decided {len(self)}>"

    def streams(self) -> set[tuple[str, str]]:
        """Return board and stream of all decisions."""
        return {(board, stream) for board, stream, _, _ in self._kinds}

    def answers(self, board: str, stream: str, boot: int) -> dict[int, tuple[str, float]]:
        """Return label and confidence of the decisions on one stream and boot, by the number of their last sample."""
        kinds, labels = self._names()
        wanted = {at for at, (who, what, _, when) in enumerate(kinds) if (who, what, when) == (board, stream, boot)}
        return {
            sample: (labels[label], sure)
            for kind, label, sample, sure in zip(self._kind, self._label, self._sample, self._confidence, strict=True)
            if kind in wanted
        }

    def _names(self) -> tuple[list[tuple[str, str, str, int]], list[str]]:
        return list(self._kinds), list(self._labels)

    def _one(self, at: int, kinds: list[tuple[str, str, str, int]], labels: list[str]) -> Prediction:
        board, stream, model, boot = kinds[self._kind[at]]
        scores = tuple(self._scores[self._ends[at] : self._ends[at + 1]])
        return Prediction(
            board, self._t_ns[at], model, stream, boot, self._sample[at], labels[self._label[at]],
            self._confidence[at], scores,
        )  # fmt: skip
