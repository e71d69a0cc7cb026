"""Which kinds and strengths of faults a person asked for on the command line."""

from collections.abc import Sequence
from difflib import get_close_matches

from firmware_bridge.errors import UsageError
from firmware_bridge.faults import KINDS, LEVELS
from hil.scenario.faults.matrix import STRENGTHS

__all__ = ["kinds_asked", "strengths_asked"]


def kinds_asked(kinds: Sequence[str], levels: Sequence[str]) -> list[str]:
    """Return kinds by name and by level, in the order of the table; all where neither is given.

    Raises:
        UsageError: There is no such kind or level.
    """
    for given, known, option in ((kinds, list(KINDS), "--kind"), (levels, list(LEVELS), "--level")):
        for name in given:
            if name not in known:
                near = get_close_matches(name, known, 1, 0.4)
                hint = f"did you mean {near[0]}? " if near else ""
                raise UsageError(f"{name!r} is none", option, f"{hint}allowed: {', '.join(known)}")
    return [name for name, kind in KINDS.items() if not (kinds or levels) or name in kinds or kind.level in levels]


def strengths_asked(text: str) -> list[int]:
    """Return which strengths `weak,strong` or `0,2` names.

    Raises:
        UsageError: One of them is no strength.
    """
    places = []
    for name in filter(None, (part.strip() for part in text.split(","))):
        place = STRENGTHS.index(name) if name in STRENGTHS else int(name) if name in ("0", "1", "2") else None
        if place is None:
            raise UsageError(f"{name!r} is no strength", "--strengths", f"allowed: {', '.join(STRENGTHS)}, or 0, 1, 2")
        places.append(place)
    if not places:
        raise UsageError("no strength is named", "--strengths", f"allowed: {', '.join(STRENGTHS)}")
    return sorted(set(places))
