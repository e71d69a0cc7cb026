"""Models on streams: contract and file, streaming inference, training. torch and onnxruntime live only here.

Importing this package loads neither: the names below are fetched when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hil.models.contract import Architecture, Card, Contract, Input, Metric
    from hil.models.export import save_model
    from hil.models.model import Model, load_model
    from hil.models.segments import Coverage
    from hil.models.streaming import Runner
    from hil.models.train import train
    from hil.models.training_config import TrainConfig, load_config

__all__ = [
    "Architecture",
    "Card",
    "Contract",
    "Coverage",
    "Input",
    "Metric",
    "Model",
    "Runner",
    "TrainConfig",
    "load_config",
    "load_model",
    "save_model",
    "train",
]

_HOME = {
    "Architecture": "contract", "Card": "contract", "Contract": "contract", "Input": "contract", "Metric": "contract",
    "Coverage": "segments", "Model": "model", "load_model": "model", "Runner": "streaming", "save_model": "export",
    "TrainConfig": "training_config", "load_config": "training_config", "train": "train",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
