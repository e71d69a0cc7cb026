"""Generated readings among those that a network learns from: the `[generated]` table of a training configuration.

Rule of this room: nobody who is held out may have been met by the generator: what it makes would carry them into the
training. Each label gets as much as any other, everything by the training's seed. Generated readings are told apart by
their person and their source, and count for no normalisation, no epoch and nobody's early stopping.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from firmware_bridge.errors import UsageError
from hil.models.datasets import Dataset, Series
from hil.models.training_config import GeneratedShare

if TYPE_CHECKING:
    from hil.models.generate.generator import Generator

__all__ = ["PERSON", "generated_for", "generated_series"]

PERSON = "generated"
"""Whose generated readings are said to be."""

_PIECE = 1200
"""Samples of a piece: long beside a window, short enough that there are many styles."""


def generated_for(
    share: GeneratedShare, dataset: Dataset, samples: int, held_out: Sequence[str], seed: int, folder: Path
) -> tuple[tuple[Series, ...], str]:
    """Return what is generated for a training, and the generator's digest.

    Args:
        share: The table.
        dataset: What is learnt from otherwise.
        samples: How many samples of it are learnt from.
        held_out: People who must not be seen.
        seed: Of all chance.
        folder: What a relative file name is relative to.

    Raises:
        FileError: The generator cannot be read.
        UsageError: It does not fit the data, or has met somebody who is held out.
    """
    from hil.models.generate.generator import load_generator

    path = folder / share.model
    generator = load_generator(path)
    fits(generator, dataset, held_out, str(path))
    wanted = round(samples * share.share / (1 - share.share))
    return generated_series(generator, dataset, wanted, seed, share.noise), generator.package.sha256


def fits(generator: Generator, dataset: Dataset, held_out: Sequence[str], where: str) -> None:
    """Refuse a generator that does not fit.

    Raises:
        UsageError: It has other channels, units or rate, lacks a label, or has met somebody who is held out.
    """
    one = generator.contract
    met = sorted({str(person) for person in one.lineage.get("trained_on", one.people)} & set(held_out))
    if met:
        raise UsageError(
            f"generator {one.name} has learnt from {', '.join(met)}, whom this training holds out", where,
            "train a generator without them, or hold out others",
        )  # fmt: skip
    ours = tuple(zip(dataset.channels, dataset.units, strict=True)), dataset.rate_hz
    if (tuple((item.channel, item.unit) for item in one.inputs), one.rate_hz) != ours:
        raise UsageError(
            f"generator {one.name} makes {', '.join(f'{i.channel} ({i.unit})' for i in one.inputs)} at "
            f"{one.rate_hz:g} Hz, and the data have others", where, "use a generator that learnt from such data",
        )  # fmt: skip
    if missing := [label for label in dataset.labels if label not in one.labels]:
        raise UsageError(
            f"generator {one.name} does not know {', '.join(missing)}", where, "use one that learnt from such data"
        )


def generated_series(
    generator: Generator, dataset: Dataset, samples: int, seed: int, noise: float = 0.0, piece: int = _PIECE
) -> tuple[Series, ...]:
    """Return generated series, each label as often as any other.

    Args:
        generator: Fits the dataset.
        dataset: Says labels and their order.
        samples: How many in all, rounded up to whole pieces of every label.
        seed: Of all chance.
        noise: Level of white noise.
        piece: Samples of a series.
    """
    from hil.models.generate.generator import Wish

    each = -(-samples // (piece * len(dataset.labels)))
    wishes = [Wish(label, noise=noise) for label in dataset.labels for _ in range(each)]
    made = generator.draw(wishes, piece, seed)
    name = generator.contract.name
    return tuple(
        Series(PERSON, values, np.full(piece, dataset.labels.index(wish.label), np.int64), f"{name}[{seed}:{at}]")
        for at, (wish, values) in enumerate(zip(wishes, made, strict=True))
    )
