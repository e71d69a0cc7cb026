"""A hardware-in-the-loop sensor testbench: capture, record, replay and judge sensor boards with PyTorch models.

For notebooks and scripts:

    recording = hil.open("run.mcap")            # streams as arrays or pandas frames, marks, labels, predictions
    bench = hil.connect("virtual://watch")      # batches and events as they come
    model = hil.load_model("exercise.hilmodel") # decides on either
    hil.save_model(module, contract, "mine.hilmodel")

Importing this package loads nothing heavy: every name is fetched when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hil.api import connect, open  # noqa: A004  (hil.open reads as open does)
    from hil.models.export import save_model
    from hil.models.model import load_model

__all__ = ["connect", "load_model", "open", "save_model"]

_HOME = {"connect": "hil.api", "open": "hil.api", "load_model": "hil.models.model", "save_model": "hil.models.export"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hil' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
