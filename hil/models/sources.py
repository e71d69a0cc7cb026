"""From a configuration's `[data]` to a dataset: an NPZ file, or recordings with labels.

Rule: the same readings that live boards give, in the same float32; nothing is resampled or filled in.
"""

from __future__ import annotations

import os

from hil.models.datasets import Dataset, load_npz
from hil.models.training_config import DataConfig

__all__ = ["load_dataset"]


def load_dataset(config: DataConfig, folder: str | os.PathLike[str] = ".") -> Dataset:
    """Read what a configuration names.

    Args:
        config: The `[data]` table.
        folder: What relative file names are relative to.

    Raises:
        FileError: A file cannot be read.
        UsageError: Files do not fit each other.
    """
    if config.npz is not None:
        return load_npz(config.npz, folder)
    from hil.models.recorded import load_recordings

    return load_recordings(config, folder)
