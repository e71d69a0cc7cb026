"""Teaching a running model by showing: stretches between two key presses, then one class more in a file of its own.

Rule of this room: thin. What was read is kept by `hil.models.kshot.shown`, learning is the function behind `hil enrol`;
the file is new, the model that learns stays as it is, and the child runs beside it. Files go beside the parent; beside
one that came with the package, where nothing is the user's own, they go where the user works.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firmware_bridge.errors import UsageError
from hil.config import ModelConfig
from hil.models.kshot import SHIPPED
from hil.serving.stage import ModelStage

__all__ = ["Teaching"]


@dataclass(slots=True, eq=False)
class Teaching:
    """Stretches that were shown, one model at a time.

    Attributes:
        models: The models of the bench.
        load: Loads one more.
        now: UTC of the bench.
    """

    models: Sequence[ModelStage]
    load: Callable[[ModelConfig], None]
    now: Callable[[], int]
    model: str = ""
    since_ns: int | None = None
    spans: list[tuple[int, int]] = field(default_factory=list)

    def show(self, model: str) -> dict[str, Any]:
        """Begin a stretch, or end it; another model begins anew.

        Raises:
            UsageError: There is no such model, or it cannot learn.
        """
        self._stage(model)
        if model != self.model:
            self.model, self.since_ns, self.spans = model, None, []
        now = self.now()
        if self.since_ns is None:
            self.since_ns = now
        elif now > self.since_ns:
            self.spans.append((self.since_ns, now))
            self.since_ns = None
        return self._told()

    def drop(self) -> dict[str, Any]:
        """Let go of the stretch that runs, or of the last one."""
        if self.since_ns is not None:
            self.since_ns = None
        elif self.spans:
            self.spans.pop()
        return self._told()

    def teach(self, label: str) -> dict[str, Any]:
        """Enrol what was shown as a class; write the child and let it run.

        Raises:
            UsageError: Nothing was shown, or it cannot be learnt.
            FileError: The child cannot be written.
        """
        if not self.spans:
            raise UsageError("nothing was shown yet", "teach", "press e, show the gesture, press e again")
        stage = self._stage(self.model)
        from hil.models.kshot.enrol import enrol
        from hil.models.model import load_model
        from hil.models.package import write_package

        kept = stage.shown()
        assert kept is not None
        board = stage.boards[0] if stage.boards else ""
        examples = [kept.cut(board, *span) for span in self.spans]
        package = load_model(stage.path).package
        made = enrol(package, label, examples)
        path, name = _free(Path(stage.path), package.contract.name, label, {one.name for one in self.models})
        write_package(path, made.package.contract.model_copy(update={"name": name}), dict(made.package.weights))
        self.load(ModelConfig(path=str(path), boards=stage.boards))
        self.spans, self.since_ns = [], None
        known = "" if made.recognised is None else f" ({made.recognised:.0%} recognised by the others)"
        count = f"{made.examples} example{'s' * (made.examples != 1)}{known}"
        close = f"{made.nearest} at {made.likeness:.2f}"
        near = f"beware, it resembles {close}" if made.likeness >= made.threshold else f"nearest is {close}"
        return {**self._told(), "path": str(path), "model": name,
                "sentence": f"{name} runs: {label} learnt from {count}; {near}"}  # fmt: skip

    def _stage(self, model: str) -> ModelStage:
        stage = next((one for one in self.models if one.name == model), None)
        if stage is None:
            raise UsageError(f"there is no model {model!r}", "show", "load one: hil ui PORT --model FILE")
        if stage.state != "ready" or stage.shown() is None:
            why = stage.sentence or "only a model of architecture shots learns a class from examples"
            todo = "try again in a moment" if stage.state == "loading" else f"load {SHIPPED}"
            raise UsageError(f"{model} cannot be taught by showing: {why}", "show", todo)
        return stage

    def _told(self) -> dict[str, Any]:
        return {"model": self.model, "running": self.since_ns is not None, "shown": len(self.spans)}


def _free(parent: Path, name: str, label: str, taken: set[str]) -> tuple[Path, str]:
    """Return a file that is not there yet, and a name that no model here has."""
    own = parent.resolve().parent != SHIPPED.parent and os.access(parent.parent, os.W_OK)
    folder = parent.parent if own else Path()
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", label).strip("-") or "class"
    for at in range(1, 1000):
        made = f"{name[: 60 - len(slug[:30])]}-{slug[:30]}{f'-{at}' if at > 1 else ''}"[:64]
        path = folder / f"{made}.hilmodel"
        if not path.exists() and made not in taken:
            return path, made
    raise UsageError("there are a thousand children of it", str(folder), "tidy up their folder")
