"""A sink before the recorder: says who a board is as soon as it has a name, and how models run.

What a recording needs to be derived again from its bytes is often known only after it began: a board's role and
identity, the slots and the very file of a model that was still being loaded.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from firmware_bridge.events import Arrival, Connected
from hil.pipeline.recorder import Recorder
from hil.recording.header import BoardSetup
from hil.serving.stage import ModelStage

__all__ = ["Announcer"]


class Announcer:
    """Tells the recorder what became known.

    Args:
        recorder: Who is told.
        setups: Returns how every board is listened to.
        models: The models that run; may grow.
        faults: The schedule of what goes wrong, plain JSON values; None: nothing does.
    """

    def __init__(
        self, recorder: Recorder, setups: Callable[[], Sequence[BoardSetup]], models: Sequence[ModelStage],
        faults: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self._recorder = recorder
        self._setups = setups
        self._models = models
        self._faults = dict(faults or {})
        self._told: dict[str, Any] = {}
        self._recording = 0

    def accept(self, arrivals: list[Arrival]) -> None:
        """Tell what these arrivals brought to light."""
        if self._recorder.started != self._recording:  # a new one is to be told everything again
            self._recording = self._recorder.started
            self._told.clear()
            if self._faults and self._recorder.recording:
                self._recorder.metadata("hil/faults", self._faults)
        if not self._recorder.recording:
            return
        roles = {
            arrival.board
            for arrival in arrivals
            if arrival.kind == "open" or any(isinstance(item, Connected) for item in arrival.items)
        }
        for setup in self._setups() if roles else ():
            if setup.role in roles:
                self._recorder.board(setup)
        for model in self._models:
            self._tell(model)

    def reset(self) -> None:
        """Nothing to do: who a board is does not change with the place in a recording."""

    def _tell(self, model: ModelStage) -> None:
        identity = model.identity()
        if identity is None or self._told.get(model.name) == identity:
            return
        if model.name not in self._told and model.file is not None:
            self._recorder.attach(f"models/{model.name}{Path(model.path).suffix}", "application/zip", model.file)
        self._told[model.name] = identity
        self._recorder.metadata("hil/model", identity)
