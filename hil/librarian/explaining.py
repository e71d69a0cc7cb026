"""Why a decision in a recording was made: the model that is meant is found, and what it saw is explained.

Rule of this room: plain values out, so that whoever asks needs neither torch nor the file. What `hil explain` calls is
called; only which model is meant is decided here: one that runs on the bench, else one that the recording names.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firmware_bridge.errors import BridgeError, UsageError
from hil.models.verify import model_named
from hil.recording.reader import Recording

if TYPE_CHECKING:
    from hil.models.model import Model

__all__ = ["explained_in"]


def explained_in(path: str, at_s: float, loaded: Sequence[str] = (), board: str | None = None) -> dict[str, Any]:
    """Return what carried the last decision until a moment; see `hil.models.carried.carried`.

    Args:
        path: The recording.
        at_s: Seconds since its first sample.
        loaded: Files of the models that run on the bench; the first that reads this recording is meant.
        board: Role of the one board to read; None: the one that there is a decision of.

    Raises:
        FileError: The recording, or the only model that is meant, cannot be read.
        MissingPart: captum or torch is not installed.
        UsageError: No model is loaded or named, or none decided anything there.
    """
    from hil.models.carried import carried
    from hil.models.explain import explain, needs_captum
    from hil.models.seen import seen_at

    needs_captum()
    with Recording(path, skip_damaged=True) as recording:
        refused: list[BridgeError] = []
        for opened in _meant(recording, loaded):
            try:
                model = opened()
                found = explain(model, seen_at(model, recording, at_s, board))
                told = carried(found, model.contract, recording.start_ns)
            except BridgeError as error:
                refused.append(error)
            else:
                return {**told, "decided_ns": found.seen.decision.t_ns, "path": path}
    if len(refused) == 1:
        raise refused[0]
    if refused:
        raise UsageError("; ".join(one.what for one in refused), path, refused[-1].next_step)
    raise UsageError(
        "no model runs on the bench, and the recording names none", path,
        "load one on the page of models, then ask again",
    )  # fmt: skip


def _meant(recording: Recording, loaded: Sequence[str]) -> Iterator[Callable[[], "Model"]]:
    """Yield what opens each model that may be meant, the likeliest first."""
    from hil.models.model import load_model

    for file in loaded:
        yield lambda file=file: load_model(Path(file))  # type: ignore[misc]  # mypy does not see the default's type
    for name in dict.fromkeys((*recording.header.models, *(one.model for one in recording.predictions()))):
        yield lambda name=name: model_named(recording, name, loaded)  # type: ignore[misc]  # as above
