"""The models of a bench while it runs: one more, one less, and what a decision of one was made on.

Rule of this room: models come and go between two drains of the pipeline, so that capture never waits and no reading is
seen by half. Of two models of one name nobody could tell whose decision is whose: the second is refused.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from firmware_bridge.errors import FileError, UsageError
from hil.config import ModelConfig
from hil.pipeline.pipeline import Pipeline
from hil.replay.replay import Replay
from hil.serving.boardsaid import BoardSaid
from hil.serving.shelf import look
from hil.serving.stage import ModelStage, slots_of
from hil.serving.taps import load_runner
from hil.views.snapshot import PredictionView

__all__ = ["ModelBench"]


class ModelBench:
    """Models of an engine.

    Args:
        models: Those that run, in order; shared with whoever tells or teaches them.
        pipeline: Where they run.
        replay: The replay, where there is one.
        said: Holds what boards say of their own against them.
        recorded: Returns how many recordings were begun, and whether one runs.
    """

    def __init__(
        self, models: list[ModelStage], pipeline: Pipeline, replay: Replay | None, said: BoardSaid,
        recorded: Callable[[], tuple[int, bool]],
    ) -> None:  # fmt: skip
        self._models, self._pipeline, self._replay = models, pipeline, replay
        self._said, self._recorded = said, recorded
        self._gone: dict[str, int] = {}

    def attach(self, model: ModelConfig, wait: bool = False) -> None:
        """Let a model run; it is loaded beside the running bench and misses nothing from now on.

        Args:
            model: Its file and its boards.
            wait: Return only when it is loaded, or has failed.
        """
        loader = load_runner(model.path, model.boards, slots=model.slots, backend=model.backend)
        replayed = None if self._replay is None else self._replay.recording
        slots = None if replayed is None else (lambda name: slots_of(replayed, name))
        stage = ModelStage(model.path, model.boards, loader, slot_map=slots)
        self._models.append(stage)
        if wait:
            stage.wait()
        self._pipeline.stages.append(stage)

    def load(self, model: ModelConfig, wait: bool = False) -> dict[str, Any]:
        """Let a model run that somebody asked for by its file.

        Raises:
            FileError: It is no model file, or damaged.
            UsageError: It runs on boards only, a model of its name runs, or ran in the recording that is being made.
        """
        found = look(Path(model.path))
        if found.trouble:
            raise FileError(found.trouble.removeprefix(f"{model.path}: "), model.path, "choose another file")
        if found.network:
            raise UsageError(
                "an op list runs on boards only", model.path, "`hil model deploy FILE --at` puts it on one"
            )
        if any(one.name == found.name for one in self._models):
            raise UsageError(f"a model called {found.name} runs already", model.path, "unload that one first")
        started, runs = self._recorded()
        if runs and self._gone.get(found.name) == started:
            what = f"{found.name} was unloaded while this recording runs, and its decisions would have a hole"
            raise UsageError(what, model.path, "stop the recording first")
        self.attach(model, wait)
        boards = "every board with its channels" if model.boards is None else ", ".join(model.boards)
        return {"model": found.name, "sentence": f"{found.name} is being loaded, for {boards}"}

    def unload(self, name: str) -> dict[str, Any]:
        """Let a model go; its decisions so far stay in recordings.

        Raises:
            UsageError: There is no such model.
        """
        stage = self.stage(name)

        def go() -> None:
            self._pipeline.stages.remove(stage)
            self._models.remove(stage)

        self._pipeline.between(go)
        self._gone[name] = self._recorded()[0]
        return {"model": name, "sentence": f"{name} is unloaded; what it decided stays where it was recorded"}

    def seen(self, model: str, board: str, t_ns: int | None = None) -> dict[str, Any]:
        """Return what a decision was made on, for whoever explains it in a process of their own.

        Args:
            model: Its name.
            board: Role of the board.
            t_ns: When the decided window ended, UTC; None: the newest decision.

        Returns:
            `path` of the model file, the decision's fields, `t_ns` `(N,)`, normalised `window` `(N, C)`, `outputs`.

        Raises:
            UsageError: There is no such model or decision, or it is too long ago.
        """
        stage = self.stage(model)
        found = stage.seen(board, t_ns)
        if found is None:
            what = f"what {model} saw then at {board} is not kept any more, or it has decided nothing there yet"
            raise UsageError(what, "explain", "choose a newer decision")
        one = found.decision
        return {
            "path": str(Path(stage.path).resolve()), "model": model, "board": board, "stream": one.stream,
            "boot": one.boot, "sample": one.sample, "decided_ns": one.t_ns, "label": one.label,
            "confidence": one.confidence, "scores": list(one.scores), "t_ns": found.t_ns, "window": found.window,
            "outputs": found.outputs,
        }  # fmt: skip

    def files(self) -> list[str]:
        """Return the file of every model, the newest first."""
        return [str(Path(one.path).resolve()) for one in reversed(self._models)]

    def views(self) -> list[PredictionView]:
        """Return the state of every model at each of its boards."""
        every = [one for model in self._models for one in model.views()]
        return [replace(one, parity=self._said.view(one.model, one.board)) for one in every]

    def memory(self, name: str) -> int | None:
        """Return how many samples a decision of a model depends on; None while unknown."""
        return next((one.memory for one in self._models if one.name == name), None)

    def identities(self) -> dict[str, Any]:
        """Return what the last bits of the decisions of each model depend on; without those that are being loaded."""
        found = ((one.name, one.identity()) for one in self._models)
        return {name: identity for name, identity in found if identity is not None}

    def stage(self, name: str) -> ModelStage:
        """Return a model by its name.

        Raises:
            UsageError: There is none.
        """
        stage = next((one for one in self._models if one.name == name), None)
        if stage is None:
            there = ", ".join(one.name for one in self._models) or "none runs"
            raise UsageError(f"there is no model {name!r}", "models", f"name one that runs: {there}")
        return stage
