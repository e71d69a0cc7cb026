"""The same readings on both sides of a split: one person under two names, copies, and copies that were changed.

Rule of this room: a copy is found at any offset (every run of 32 samples is hashed), a changed one by its spectrum and
then by correlation at the best shift. What stands still is no copy of anything. Between groups a copy is an error,
inside one it counts its readings twice.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from hil.data.finding import ERROR, WARNING, Finding
from hil.data.parts import group_of
from hil.models.labelled import Part, Stretch

__all__ = ["RUN", "copies", "near_copies", "same_names", "split_leaks"]

RUN = 32
"""Samples that are hashed together; a power of two."""
_MOVES = 8
"""Steps in a run that must change something for it to be told from another."""
_ALIKE = 0.9
"""Correlation, in the mean over the channels, from which two windows are one."""

UInt64 = npt.NDArray[np.uint64]
Float = npt.NDArray[np.float64]
Named = tuple[int, Part, Stretch]


def same_names(parts: Sequence[Part], by: str) -> Iterator[Finding]:
    """Yield groups whose names differ by case, spaces or signs only, and recordings that say no group."""
    spelled: dict[str, set[str]] = defaultdict(set)
    for part in parts:
        name = part.groups[by]
        if not name:
            yield Finding(ERROR, "group", part.path, f"nobody said its {by}", f"give {by} in the data table")
        else:
            spelled["".join(letter for letter in name.casefold() if letter.isalnum())].add(name)
    for names in spelled.values():
        if len(names) > 1:
            told = " and ".join(repr(name) for name in sorted(names))
            yield Finding(ERROR, "group", f"{by} {sorted(names)[0]}", f"{told} look like one {by} under several names",
                          "spell it one way, or a split puts it on both sides")  # fmt: skip


def split_leaks(parts: Sequence[Part], by: str, folds: Sequence[Sequence[str]]) -> Iterator[Finding]:
    """Yield what a split leaves on both sides.

    Args:
        parts: The dataset.
        by: What it splits by.
        folds: Groups held out together.
    """
    there = {group_of(part, by) for part in parts}
    held = [name for fold in folds for name in fold]
    for name in sorted({one for one in held if held.count(one) > 1}):
        yield Finding(ERROR, "split", f"{by} {name}", "it is held out in two folds", "write the split again")
    for name in sorted(set(held) - there):
        yield Finding(ERROR, "split", f"{by} {name}", "it is not in the data", "write the split again")
    for name in sorted(there - set(held)):
        yield Finding(
            WARNING, "split", f"{by} {name}", "no fold holds it out: it is never judged", "write the split again"
        )
    if by == "person":
        return
    for at, fold in enumerate(folds):
        sides = [
            {part.groups["person"] for part in parts if (group_of(part, by) in fold) is side} for side in (True, False)
        ]
        both = sorted((sides[0] & sides[1]) - {""})
        if both:
            yield Finding(WARNING, "split", f"fold {at + 1}", f"{', '.join(both)} on both sides of a split by {by}",
                          f"it holds for known people at another {by}; split by person for unseen ones")  # fmt: skip


def copies(parts: Sequence[Part], by: str) -> Iterator[Finding]:
    """Yield stretches of readings that occur twice, at whatever offset."""
    named = _stretches(parts)
    hashes, series, place = [], [], []
    for at, (_, _, stretch) in enumerate(named):
        made, moving = _hashes(stretch.values)
        kept = np.flatnonzero(moving)
        hashes.append(made[kept])
        series.append(np.full(len(kept), at))
        place.append(kept)
    if not hashes:
        return
    keys, which, start = (np.concatenate(one) for one in (hashes, series, place))
    order = np.argsort(keys, kind="stable")
    keys, which, start = keys[order], which[order], start[order]
    twins = np.flatnonzero(keys[1:] == keys[:-1])
    found: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for a, b in zip(twins.tolist(), (twins + 1).tolist(), strict=True):
        if which[a] != which[b] or abs(int(start[b] - start[a])) >= RUN:
            found[int(which[a]), int(which[b]), int(start[b] - start[a])].append(int(start[a]))
    told: dict[tuple[int, int], tuple[int, int, int]] = {}
    for (a, b, lag), begins in found.items():
        first = min(begins)
        if not np.array_equal(_bits(named[a][2].values[first : first + RUN]),
                              _bits(named[b][2].values[first + lag : first + lag + RUN])):  # fmt: skip
            continue
        most = told.get((a, b), (0, 0, 0))
        told[a, b] = max(most, (len(begins) + RUN - 1, first, lag))
    for (a, b), (count, first, lag) in sorted(told.items()):
        yield _copy(named[a], named[b], by, count, first, first + lag, "the same readings, bit for bit")


def near_copies(parts: Sequence[Part], by: str) -> Iterator[Finding]:
    """Yield recordings of different groups that are copies but for gain, noise or rounding."""
    from scipy.spatial import cKDTree

    named = _stretches(parts)
    if not named:
        return
    rate = named[0][1].rate_hz
    window = 1 << max(5, round(np.log2(max(4.0 * rate, RUN))))
    features, where = [], []
    for at, (_, _, stretch) in enumerate(named):
        for begin in range(0, len(stretch.values) - window + 1, window):
            made = _spectrum(stretch.values[begin : begin + window])
            if made is not None and stretch.values.shape[1] == named[0][2].values.shape[1]:
                features.append(made)
                where.append((at, begin))
    groups = np.array([group_of(named[at][1], by) for at, _ in where])
    found: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for group in dict.fromkeys(groups.tolist()):
        mine, others = np.flatnonzero(groups == group), np.flatnonzero(groups != group)
        if not len(others):
            continue
        tree = cKDTree(np.array(features)[others])
        _, nearest = tree.query(np.array(features)[mine], k=min(3, len(others)))
        for row, hits in zip(mine.tolist(), np.asarray(nearest).reshape(len(mine), -1).tolist(), strict=True):
            at, begin = where[row]
            for hit in hits:
                other, near = where[int(others[hit])]
                if (
                    at < other
                    and (shift := _aligned(named[at][2].values, begin, named[other][2].values, near, window))
                    is not None
                ):
                    found[at, other].append((begin, shift))
                    break
    for (a, b), hits in sorted(found.items()):
        lags = [shift - begin for begin, shift in hits]
        agreeing = [hit for hit in hits if abs(hit[1] - hit[0] - np.median(lags)) <= 2]
        if len(agreeing) >= 2:
            begin, shift = min(agreeing)
            yield _copy(named[a], named[b], by, len(agreeing) * window, begin, shift, "almost the same readings")


def _copy(a: Named, b: Named, by: str, count: int, first: int, other: int, what: str) -> Finding:
    (_, part, stretch), (_, twin, source) = a, b
    seconds = count / part.rate_hz
    apart = group_of(part, by) != group_of(twin, by)
    times = (stretch.start_s + first / part.rate_hz, source.start_s + other / twin.rate_hz)
    return Finding(
        ERROR if apart else WARNING, "duplicate" if "bit" in what else "near duplicate",
        f"{stretch.source} at {times[0]:.2f} s ({by} {group_of(part, by)})",
        f"{seconds:.1f} s are {what} as {source.source} at {times[1]:.2f} s ({by} {group_of(twin, by)})",
        "take one of them out" if apart else "take one of them out, or they count twice",
    )  # fmt: skip


def _stretches(parts: Sequence[Part]) -> list[Named]:
    return [(at, part, stretch) for at, part in enumerate(parts) for stretch in part.stretches]


def _bits(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint32]:
    return np.ascontiguousarray(values, np.float32).view(np.uint32)


def _hashes(values: npt.NDArray[np.float32]) -> tuple[UInt64, npt.NDArray[np.bool_]]:
    """Return the hash of every run of `RUN` samples, and whether enough changes in it."""
    if len(values) < RUN:
        return np.zeros(0, np.uint64), np.zeros(0, np.bool_)
    weights = np.random.default_rng(RUN).integers(1, 2**63, values.shape[1], dtype=np.uint64) | np.uint64(1)
    rows = _mixed((_bits(values).astype(np.uint64) * weights).sum(axis=1, dtype=np.uint64))
    changed = np.concatenate(([0], np.cumsum(np.any(np.diff(values, axis=0) != 0, axis=1))))
    made, size, power = rows, 1, np.uint64(0x9E3779B97F4A7C15)
    with np.errstate(over="ignore"):
        while size < RUN:
            made = made[: len(made) - size] * power + made[size:]
            size, power = 2 * size, np.uint64(power * power)
    return made, (changed[RUN - 1 :] - changed[: len(made)]) >= _MOVES


def _mixed(rows: UInt64) -> UInt64:
    """Spread every bit over the word (the finaliser of splitmix64)."""
    with np.errstate(over="ignore"):
        rows = (rows ^ (rows >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        rows = (rows ^ (rows >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: UInt64 = rows ^ (rows >> np.uint64(31))
    return mixed


def _spectrum(values: npt.NDArray[np.float32]) -> Float | None:
    """Return the shape of the spectra of a window, whatever its gain; None where nothing moves."""
    moved = values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)
    power = float(np.sqrt((moved**2).mean()))
    if not power > 1e-9 or not np.isfinite(power):
        return None
    size = np.abs(np.fft.rfft(moved / power * np.hanning(len(moved))[:, None], axis=0))[1:25]
    return np.log1p(size).T.reshape(-1)


def _aligned(a: npt.NDArray[np.float32], begin: int, b: npt.NDArray[np.float32], near: int, window: int) -> int | None:
    """Return where in `b` the window of `a` is found again, near a place; None where it is not."""
    low = max(0, near - window)
    field = b[low : near + 2 * window].astype(np.float64)
    ours = a[begin : begin + window].astype(np.float64)
    ours = ours - ours.mean(axis=0)
    places = len(field) - window + 1
    if places < 1:
        return None
    size = 1 << (len(field) + window).bit_length()
    product = np.fft.irfft(np.conj(np.fft.rfft(ours, size, axis=0)) * np.fft.rfft(field, size, axis=0), size, axis=0)
    sums, squares = (np.concatenate((np.zeros((1, b.shape[1])), np.cumsum(part, axis=0))) for part in (field, field**2))
    energy = squares[window:] - squares[:-window] - (sums[window:] - sums[:-window]) ** 2 / window
    own = (ours**2).sum(axis=0)
    moving = own > 1e-9 * own.sum()
    # Each channel counts alike: what moves most is alike for many people, what moves little is not.
    alike = (product[:places] / np.sqrt(np.maximum(energy * own, 1e-12)))[:, moving].mean(axis=1)
    best = int(np.argmax(alike))
    return low + best if alike[best] >= _ALIKE else None
