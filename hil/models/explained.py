"""A decision of a live bench explained in another process: what the engine kept of it in, what carried it out.

Rule of this room: plain values and arrays only, so that whoever asks needs neither torch nor the engine. Seconds are
counted from the decision back, because a live bench has no first sample.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from firmware_bridge.events import Prediction
from hil.models.carried import carried
from hil.models.explain import explain
from hil.models.seen import Seen

if TYPE_CHECKING:
    from hil.models.model import Model

__all__ = ["explained"]


def explained(made_on: Mapping[str, Any]) -> dict[str, Any]:
    """Return what carried a decision; see `hil.models.carried.carried`.

    Args:
        made_on: As `hil.serving.bench.ModelBench.seen` gives it.

    Raises:
        FileError: The model cannot be read any more.
        MissingPart: captum or torch is not installed.
        UsageError: See `hil.models.explain.explainable`.
    """
    one = made_on
    decision = Prediction(
        one["board"], one["decided_ns"], one["model"], one["stream"], one["boot"], one["sample"], one["label"],
        one["confidence"], tuple(one["scores"]),
    )  # fmt: skip
    window, outputs = (np.array(one[key], np.float32) for key in ("window", "outputs"))
    seen = Seen(decision, np.array(one["t_ns"], np.int64), window, outputs)
    model = _opened(one["path"], Path(one["path"]).stat().st_mtime_ns if Path(one["path"]).is_file() else 0)
    return {**carried(explain(model, seen), model.contract, decision.t_ns), "decided_ns": decision.t_ns}


@lru_cache(4)
def _opened(path: str, _changed_ns: int) -> "Model":
    from hil.models.model import load_model

    return load_model(path)
