"""What is in a dataset: recordings, groups, seconds of each class of each group, units and rates.

Rule of this room: plain values; seconds are samples over the rate, and what nobody labelled has a column of its own.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from hil.counted import counted
from hil.data.parts import Whole, group_of, labels_in
from hil.models.datasets import GROUPS, ordered

__all__ = ["UNLABELLED", "describe", "tables"]

UNLABELLED = "(none)"
_MOST = 8
"""Unreadable recordings that are written out."""


def describe(whole: Whole, by: str = "person") -> dict[str, Any]:
    """Return what is in a dataset as plain JSON values."""
    seconds: dict[str, Counter[str]] = defaultdict(Counter)
    left_out: Counter[str] = Counter()
    kinds: Counter[tuple[Any, ...]] = Counter()
    for part in whole.parts:
        left_out += part.left_out
        kinds[part.channels, part.units, part.rate_hz] += 1
        for stretch in part.stretches:
            for text, count in Counter(stretch.texts).items():
                seconds[group_of(part, by)][text or UNLABELLED] += count / part.rate_hz  # type: ignore[assignment]
    labels = labels_in(whole.parts)
    groups = {key: ordered({part.groups[key] for part in whole.parts} - {""}) for key in GROUPS}
    return {
        "schema": 1,
        "recordings": len(whole.parts),
        "unreadable": [one.as_dict() for one in whole.findings],
        "seconds": sum(sum(one.values()) for one in seconds.values()),
        "labels": list(labels),
        "groups": groups,
        "unknown_groups": {key: sum(not part.groups[key] for part in whole.parts) for key in GROUPS},
        "by": by,
        "label_seconds": {name: dict(seconds[name]) for name in ordered(seconds)},
        "left_out": dict(left_out),
        "streams": [
            {"channels": list(channels), "units": list(units), "rate_hz": rate, "recordings": count}
            for (channels, units, rate), count in kinds.most_common()
        ],
    }


def tables(plain: dict[str, Any]) -> tuple[list[str], list[list[str]], list[str]]:
    """Return headers and rows of the seconds of each class by group, and the lines that stand above."""
    lines = [f"{counted(plain['recordings'], 'recording')}, {plain['seconds'] / 60:.1f} min"]
    for key, names in plain["groups"].items():
        if names:
            lines.append(f"{len(names)} {key}: {_some(names)}")
        if missing := plain["unknown_groups"][key]:
            lines.append(f"their {key} is not said by {counted(missing, 'recording')}")
    for one in plain["streams"]:
        units = ", ".join(f"{name} {unit}" for name, unit in zip(one["channels"], one["units"], strict=True))
        units = units if len(one["channels"]) <= 12 else f"{len(one['channels'])} channels in {one['units'][0]}"
        lines.append(f"{one['recordings']} at {one['rate_hz']:g} Hz: {units}")
    lines += [f"left out: {count} readings ({cause})" for cause, count in plain["left_out"].items()]
    lines += [f"unreadable: {one['where']}: {one['what']}" for one in plain["unreadable"][:_MOST]]
    if len(plain["unreadable"]) > _MOST:
        lines.append(f"unreadable: {len(plain['unreadable']) - _MOST} more; --json has all")
    labels = [*plain["labels"], UNLABELLED]
    used = [one for one in labels if any(one in row for row in plain["label_seconds"].values())]
    rows = [[name, *(f"{row.get(one, 0.0):.1f}" for one in used)] for name, row in plain["label_seconds"].items()]
    total = [f"{sum(row.get(one, 0.0) for row in plain['label_seconds'].values()):.1f}" for one in used]
    return [plain["by"], *(f"{one} s" for one in used)], [*rows, ["all", *total]], lines


def _some(names: Sequence[str], most: int = 20) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
