"""The kinds of faults as plain values, for people and scripts."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from firmware_bridge.faults.kinds import BYTE, CLOCK, FRAME, KINDS, LINK, SENSOR

__all__ = ["PLACES", "as_dicts", "rows"]

PLACES: Mapping[str, str] = {
    BYTE: "on every byte between board and recorder, by its offset",
    LINK: "on the way between board and recorder, by the time since the first sample",
    FRAME: "on native frames between board and recorder, by sample number",
    SENSOR: "on readings of every dialect, by sample number",
    CLOCK: "on the board's time stamps, by sample number",
}
"""Where the faults of a level apply."""


def as_dicts() -> list[dict[str, Any]]:
    """Return every kind as plain JSON values."""
    return [
        {
            "kind": kind.name, "level": kind.level, "meaning": kind.about, "applies": PLACES[kind.level],
            "needs": kind.needs, "detectable": kind.detectable, "strength": kind.main,
            "strengths": list(kind.strengths),
            "parameters": [{"name": name, **asdict(param)} for name, param in kind.params.items()],
        }
        for kind in KINDS.values()
    ]  # fmt: skip


def rows() -> Iterator[tuple[str, ...]]:
    """Yield one row a kind and one a parameter: kind, parameter (the strength with a star), unit, default, range."""
    level = ""
    for kind in KINDS.values():
        if kind.level != level:
            level = kind.level
            yield f"[{level}]", "", "", "", "", PLACES[level]
        needs = f" (needs {kind.needs})" if kind.needs else ""
        yield kind.name, "", "", "", "", f"{kind.about}{needs}"
        for name, param in kind.params.items():
            star = "*" if name == kind.main else ""
            yield "", f"{name}{star}", param.unit, f"{param.default:g}", f"{param.low:g}..{param.high:g}", param.about
