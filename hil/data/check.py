"""Everything that is looked for in a dataset, in one go: `hil data check`.

Rule of this room: it only calls; what is looked for stands in the room of its own. What could not be checked is told.
"""

import os
from collections.abc import Callable, Iterator, Sequence

from hil.data.channels import channels
from hil.data.finding import Finding, sorted_by_level
from hil.data.labelnoise import contested, label_noise
from hil.data.leakage import copies, near_copies, same_names, split_leaks
from hil.data.mixups import differing, gravity, rates, turning
from hil.data.parts import Whole, read_whole
from hil.data.splits import Split
from hil.models.data_config import DataConfig

__all__ = ["CHECKS", "check"]

CHECKS = ("read", "groups", "units and rates", "channels", "duplicates", "near duplicates", "labels")
"""What is gone through, in order."""


def check(
    config: DataConfig, folder: str | os.PathLike[str] = ".", *, by: str = "person", split: Split | None = None,
    seed: int = 0, progress: Callable[[float], None] | None = None,
) -> list[Finding]:  # fmt: skip
    """Return what is wrong with a dataset, the worst first.

    Args:
        config: What it is.
        folder: What relative names are relative to.
        by: What it is split by: `person`, `day` or `device`.
        split: Folds to hold against it; None: those of `data.held_out`, where there are any.
        seed: Of the forest that reads the labels.
        progress: Told the share that is done.

    Raises:
        FileError: It cannot be read at all.
        UsageError: None of it can be used.
    """
    whole = read_whole(config, folder)
    found: list[Finding] = list(whole.findings)
    for done, step in enumerate(_steps(whole, config, by, split, seed), 2):
        found += step
        if progress is not None:
            progress(done / len(CHECKS))
    return sorted_by_level(found)


def _steps(whole: Whole, config: DataConfig, by: str, split: Split | None, seed: int) -> Iterator[list[Finding]]:
    parts = whole.parts
    folds: Sequence[Sequence[str]] = ()
    if split is not None:
        by, folds = split.by, split.folds
    yield [*same_names(parts, by), *(split_leaks(parts, by, folds) if folds else ())]
    yield [*differing(parts), *rates(parts), *gravity(parts, by), *turning(parts, by)]
    yield [*channels(parts)]
    exact = list(copies(parts, by))
    yield exact
    # A copy to the last bit is a near one too: once is enough.
    known = {(one.where.partition(" ")[0], _other(one)) for one in exact}
    yield [one for one in near_copies(parts, by) if (one.where.partition(" ")[0], _other(one)) not in known]
    yield [*contested(parts), *label_noise(parts, by, seed)]


def _other(one: Finding) -> str:
    return one.what.partition(" as ")[2].partition(" ")[0]
