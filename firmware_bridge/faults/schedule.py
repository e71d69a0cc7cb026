"""What is to go wrong, as data: a frozen schedule of faults under one seed, JSON in and out, every mistake named.

A fault keeps its `key` when others are taken out of the schedule, and all that is random about it is drawn from that
key: what is left of a schedule does what it did before, which is what a search for the smallest schedule rests on.
"""

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from firmware_bridge.errors import UsageError
from firmware_bridge.faults.kinds import KINDS, KindOf
from firmware_bridge.missing import unread

__all__ = ["Fault", "Schedule", "read_schedule"]

_OWN = ("kind", "on", "from_s", "to_s", "key")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; made by `Fault.of`, which checks it.

    Attributes:
        kind: A name in `KINDS`.
        params: Every parameter of the kind.
        on: `BOARD`, `BOARD/STREAM` or `BOARD/STREAM/CHANNEL`; `*`, or nothing, in place of each is all of them.
        from_s: When it begins: seconds since the board's first sample (by sample number and nominal rate at the sensor,
            clock and frame level).
        to_s: When it ends; infinite: never.
        key: What its random numbers are drawn from, besides the seed.
    """

    kind: str
    params: Mapping[str, float] = field(default_factory=dict)
    on: str = ""
    from_s: float = 0.0
    to_s: float = math.inf
    key: str = ""

    @classmethod
    def of(
        cls, kind: str, on: str = "", from_s: float = 0.0, to_s: float | None = None, key: str = "",
        where: str = "fault", **params: Any,
    ) -> "Fault":  # fmt: skip
        """Return a fault whose parameters are complete and allowed.

        Raises:
            UsageError: The kind, a parameter, a value or `on` cannot be meant; names key, found, allowed and nearest.
        """
        known = KINDS.get(kind) if isinstance(kind, str) else None
        if known is None:
            raise UsageError(f"kind: {kind!r} is no kind of fault", where, _nearest(str(kind), KINDS))
        values = {name: param.default for name, param in known.params.items()}
        for name, value in params.items():
            if name not in known.params:
                raise UsageError(f"{name} is no key of {kind}", where, _nearest(name, [*_OWN[:4], *known.params]))
            values[name] = _checked(known, name, value, where)
        begin = _number("from_s", from_s, 0.0, where)
        end = math.inf if to_s is None else _number("to_s", to_s, 0.0, where)
        if end <= begin:
            raise UsageError(f"to_s: found {end:g}, which is not after from_s ({begin:g})", where, "end it later")
        if not isinstance(on, str) or on.count("/") > 2:
            raise UsageError(f"on: found {on!r}", where, "write BOARD, BOARD/STREAM or BOARD/STREAM/CHANNEL")
        return cls(kind, values, on, begin, end, str(key))

    def __getitem__(self, name: str) -> float:
        return self.params[name]

    @property
    def about(self) -> KindOf:
        """What kind it is."""
        return KINDS[self.kind]

    @property
    def level(self) -> str:
        """`byte`, `link`, `frame`, `sensor` or `clock`."""
        return self.about.level

    @property
    def strength(self) -> float:
        """The value of its main parameter."""
        return self.params[self.about.main]

    def touches(self, board: str, stream: str | None = None) -> bool:
        """Whether it is meant for a board (and one of its streams)."""
        wanted_board, wanted_stream, _ = self._where()
        return wanted_board in ("", "*", board) and (stream is None or wanted_stream in ("", "*", stream))

    @property
    def channel(self) -> str:
        """The only channel it is meant for; empty: all."""
        only = self._where()[2]
        return "" if only == "*" else only

    def _where(self) -> tuple[str, str, str]:
        parts = [*self.on.split("/"), "", ""]
        return parts[0], parts[1], parts[2]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `to_s` is left out where it never ends."""
        plain: dict[str, Any] = {"kind": self.kind, "on": self.on, "from_s": self.from_s, "key": self.key}
        if math.isfinite(self.to_s):
            plain["to_s"] = self.to_s
        return {**plain, **self.params}


@dataclass(frozen=True, slots=True)
class Schedule:
    """Faults under one seed; a fault without a key gets `KIND#PLACE`.

    Attributes:
        seed: Of everything random about them.
        faults: In the order in which they are applied, level by level.
    """

    seed: int = 0
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        keyed = tuple(one if one.key else replace(one, key=f"{one.kind}#{at}") for at, one in enumerate(self.faults))
        object.__setattr__(self, "faults", keyed)

    def __bool__(self) -> bool:
        return bool(self.faults)

    def of(self, board: str, levels: Iterable[str]) -> "Schedule":
        """Return what concerns a board at some levels."""
        wanted = frozenset(levels)
        return Schedule(self.seed, tuple(one for one in self.faults if one.level in wanted and one.touches(board)))

    def series(self, fault: Fault, *more: object) -> str:
        """Return the name under which a fault's random numbers are drawn."""
        return "/".join(map(str, (fault.key, *more)))

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"seed": self.seed, "faults": [fault.as_dict() for fault in self.faults]}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], where: str = "faults") -> "Schedule":
        """Build a schedule from what `as_dict` gave, or from the `[[fault]]` tables of a TOML file.

        Raises:
            UsageError: Something in it cannot be meant; says which fault and key.
        """
        for key in plain:
            if key not in ("seed", "faults", "fault", "schema"):
                raise UsageError(f"{key} is no key of a schedule", where, _nearest(key, ["seed", "fault"]))
        seed = plain.get("seed", 0)
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise UsageError(f"seed: found {seed!r}", where, "give a whole number from 0 on")
        listed = plain.get("faults", plain.get("fault", ()))
        if isinstance(listed, str | Mapping) or not all(isinstance(one, Mapping) for one in listed):
            raise UsageError("fault: found no list of tables", where, "write [[fault]] above each")
        made = []
        for at, one in enumerate(listed, 1):
            place = f"{where}, fault {at}"
            if "kind" not in one:
                raise UsageError("kind is missing", place, f"name one of {', '.join(KINDS)}")
            if odd := [key for key in one if not str(key).isidentifier() or key in ("where", "params")]:
                raise UsageError(f"{odd[0]!r} is no key of a fault", place, _nearest(str(odd[0]), _OWN[:4]))
            made.append(Fault.of(**{"where": place, **one}))
        return cls(seed, tuple(made))


def read_schedule(path: str | Path, seed: int | None = None) -> Schedule:
    """Read a schedule from a TOML file of `[[fault]]` tables.

    Args:
        path: The file.
        seed: In place of the one in the file.

    Raises:
        FileError: The file cannot be read.
        UsageError: It is not TOML, or something in it cannot be meant.
    """
    try:
        plain = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise unread(error, path, "name another file", "the faults") from error
    except ValueError as error:
        raise UsageError(f"the faults are not TOML ({error})", str(path), "correct it") from error
    schedule = Schedule.from_dict(plain, str(path))
    return schedule if seed is None else replace(schedule, seed=seed)


def _checked(kind: KindOf, name: str, value: Any, where: str) -> float:
    param = kind.params[name]
    number = _number(name, value, None, where)
    if not param.low <= number <= param.high:
        unit = f" {param.unit}" if param.unit else ""
        raise UsageError(f"{name}: found {number:g}", where, f"use {param.low:g} to {param.high:g}{unit}")
    return number


def _number(name: str, value: Any, least: float | None, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"{name}: found {value!r}, which is no number", where, "give a number")
    if least is not None and value < least:
        raise UsageError(f"{name}: found {value:g}", where, f"use {least:g} or more")
    return float(value)


def _nearest(name: str, allowed: Iterable[str]) -> str:
    names = list(allowed)
    near = get_close_matches(name, names, 1, 0.55)
    return (f"did you mean {near[0]}? " if near else "") + f"allowed: {', '.join(names)}"
