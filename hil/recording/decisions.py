"""Stored decisions of one model against those that its runner makes now.

Rule of this room: on the machine that recorded them decisions are equal to the last bit; on another one probabilities
may differ by `CLOSE` and `exact` is False. A model that joined later than the board is compared from its first decision
on, and bit by bit once its memory lies behind that.
"""

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from firmware_bridge.errors import BridgeError
from firmware_bridge.events import Arrival, Prediction
from hil.recording.compare import Difference
from hil.recording.reader import Recording

if TYPE_CHECKING:
    from hil.recording.rederive import MakeRunner, Runner

__all__ = ["CLOSE", "Decisions"]

CLOSE = 1e-4
"""How far probabilities may be apart on another machine."""


class Decisions:
    """Compares the decisions of one model.

    Args:
        last: The recording, or its last part.
        recordings: All parts.
        model: Name of the model.
        make_runner: Makes its runner; None: its decisions cannot be derived.
        same_machine: Whether they must be equal to the last bit.
    """

    def __init__(
        self, last: Recording, recordings: list[Recording], model: str, make_runner: "MakeRunner | None",
        same_machine: bool,
    ) -> None:  # fmt: skip
        self.model = model
        self.compared = 0
        self.exact = True
        self.first: Difference | None = None
        self.missing: list[str] = []
        """Why its decisions were not derived, if they were not."""
        self.remarks: list[str] = []
        self._same = same_machine
        self._runner: Runner | None = None
        self._memory = 0
        self._stored: dict[tuple[str, str], deque[Prediction]] = defaultdict(deque)
        for recording in recordings:
            for stored in recording.predictions(model):
                self._stored[stored.board, stored.stream].append(stored)
        self._begun = {key: (entries[0].boot, entries[0].sample) for key, entries in self._stored.items()}
        self._early: dict[tuple[str, str], int] = defaultdict(int)
        self._late = 0
        if make_runner is None:
            self.missing.append(f"the decisions of {model} were not derived")
            return
        try:
            self._runner, self._memory = make_runner(last, model)
        except BridgeError as error:
            self.missing.append(f"the decisions of {model} were not derived ({error})")

    def take(self, arrival: Arrival) -> None:
        """Take an arrival with its items; compare the decisions that it completes."""
        if self._runner is None or not arrival.items:
            return
        for made in self._runner.push([arrival]):
            key = (made.board, made.stream)
            if key not in self._begun or (made.boot, made.sample) < self._begun[key]:
                self._early[key] += 1
            elif self._stored[key]:
                self._compare(self._stored[key].popleft(), made)
            else:
                self._late += 1

    def finish(self) -> None:
        """Nothing more is derived."""
        if self._runner is None:
            return
        for (board, stream), left in self._stored.items():
            if left and self.first is None:
                what = f"decision {left[0].label} of {self.model} on {board} is stored and does not follow"
                self.first = Difference("predictions", board, stream, left[0].sample, what)
        if early := sum(self._early.values()):
            self.remarks.append(f"{self.model} was attached later: {early} decisions before that were not made")
        if self._late:
            self.remarks.append(f"the recording ended before the last {self._late} decisions of {self.model} were made")

    def _compare(self, stored: Prediction, made: Prediction) -> None:
        if stored == made:
            self.compared += 1
            return
        key = (made.board, made.stream)
        begun = self._begun[key]
        same_place = (stored.boot, stored.sample) == (made.boot, made.sample)
        if same_place and self._early[key] and made.boot == begun[0] and made.sample < begun[1] + self._memory:
            return  # the model had not yet heard all that this decision looks back on
        near = same_place and all(abs(a - b) <= CLOSE for a, b in zip(stored.scores, made.scores, strict=False))
        if near and not self._same:
            self.exact = False
            self.compared += 1
        elif self.first is None:
            what = (
                f"the decision of {self.model} on {made.board} at sample {stored.sample} is stored as {stored.label} "
                f"({stored.confidence!r}) and derived as {made.label} ({made.confidence!r}) at sample {made.sample}"
            )
            self.first = Difference("predictions", stored.board, stored.stream, stored.sample, what)
