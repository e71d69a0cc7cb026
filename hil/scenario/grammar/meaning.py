"""What a scenario means: names that must fit together, limits that make sense.

Rule of this room: it reads the plain TOML values and expects nothing of them, so that every mistake in meaning is found
even where the grammar has found others.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from firmware_bridge.address import parse_port as parse_address
from firmware_bridge.errors import BridgeError, UsageError
from firmware_bridge.faults import KINDS, Fault
from firmware_bridge.virtual.boards import BUILT_IN, board_names, make_board, parse_port
from hil.scenario.grammar.catalogue import ROWS, find_row
from hil.scenario.grammar.mistakes import Mistake, nearest, shown
from hil.scenario.grammar.position import Path

__all__ = ["mistakes_in"]

BENCH_PORT = "bench"
"""In place of a port: the bench file says where the board is."""

_LIMITS = ("at_least", "at_most", "between", "equals")
_SOURCES = ("recording", "port", "virtual", "firmware")
_LEVELS = {"link": "board", "clock": "board", "stream": "board", "stimulus": "board",
           "drive": "board", "model": "model",
           "event": "event"}  # fmt: skip


def mistakes_in(plain: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield the mistakes in meaning of a scenario as TOML gave it."""
    known = {
        "board": _names(plain.get("board")),
        "model": _names(plain.get("model")),
        "event": [name for _, table in _tables(plain, "event") if isinstance(name := table.get("name"), str)],
    }
    yield from _boards(plain.get("board"))
    yield from _readings(plain)
    for role, table in _named(plain.get("model")):
        if isinstance(board := table.get("board"), str) and board not in known["board"]:
            yield _unknown(("model", role, "board"), "board", board, known["board"])
    for path, table in _tables(plain, "event"):
        yield from _event(path, table, known)
    for path, table in _tables(plain, "fault"):
        yield from _fault(path, table, known["board"])
    for path, table in _tables(plain, "drive"):
        yield from _drive(path, table, plain.get("board"))
    for path, table in _tables(plain, "check"):
        yield from _limits(path, table)
        if isinstance(metric := table.get("metric"), str):
            yield from _metric((*path, "metric"), metric, table, known)


def _boards(boards: Any) -> Iterator[Mistake]:
    for role, table in _named(boards):
        given = [key for key in _SOURCES if key in table]
        if len(given) > 1:
            yield Mistake(("board", role), f"{' and '.join(given)} were found; exactly one of {', '.join(_SOURCES)}")
        if not given:
            yield Mistake(("board", role), f"it says not where the board is; exactly one of {', '.join(_SOURCES)}")
        for key, needed in (("board", "recording"), ("seed", "virtual"), ("serial", "port")):
            if key in table and needed not in table and given:
                yield Mistake(("board", role, key), f"it has a meaning with `{needed}` only")
        if isinstance(name := table.get("virtual"), str) and name:
            yield from _virtual(("board", role, "virtual"), name, by_seed=True)
        if isinstance(port := table.get("port"), str) and port not in ("", BENCH_PORT):
            yield from _port(("board", role, "port"), port)


def _port(path: Path, port: str) -> Iterator[Mistake]:
    """Yield why a port can be none, whatever is plugged in."""
    try:
        address = parse_address(port)
    except BridgeError as error:
        yield Mistake(path, f"{shown(port)}: {error.what}; {error.next_step}")
        return
    if address.scheme == "virtual":
        yield from _virtual(path, address.target)


def _virtual(path: Path, port: str, by_seed: bool = False) -> Iterator[Mistake]:
    """Yield what is wrong with a virtual board, by making it; those of other packages are asked for by name only."""
    try:
        name, parameters = parse_port(port)
        if by_seed and "seed" in parameters:
            yield Mistake(path, "the seed of a virtual board is a key of its own: write seed = NUMBER")
        if name in BUILT_IN or name not in board_names():
            make_board(name, parameters)
    except UsageError as error:
        yield Mistake(path, f"{error.what}; {error.next_step}")


def _readings(plain: Mapping[str, Any]) -> Iterator[Mistake]:
    table = plain.get("readings")
    if isinstance(table, Mapping):
        start, end = table.get("from_s", 0), table.get("to_s")
        if _number(start) and _number(end) and end <= start:
            yield Mistake(("readings", "to_s"), f"{shown(end)} was found; more than from_s ({start}) is allowed")


def _fault(path: Path, table: Mapping[str, Any], boards: list[str]) -> Iterator[Mistake]:
    if "kind" not in table:
        yield Mistake(path, f"kind is missing; allowed: {', '.join(KINDS)}")
        return
    on = table.get("on")
    if not isinstance(on, str) or not on:
        yield Mistake((*path, "on"), f"it says not on which board; write one of {', '.join(boards)}")
    elif on.split("/")[0] not in (*boards, "*"):
        yield _unknown((*path, "on"), "board", on.split("/")[0], boards)
    try:
        Fault.of(**{key: value for key, value in table.items() if key not in ("where", "params")})
    except UsageError as error:
        key = str(error.what).replace(":", " ").split()[0]
        yield Mistake((*path, key) if key in table else path, f"{error.what}; {error.next_step}")


def _drive(path: Path, table: Mapping[str, Any], boards: Any) -> Iterator[Mistake]:
    on, known = table.get("on"), dict(_named(boards))
    if isinstance(on, str) and on not in known:
        yield _unknown((*path, "on"), "board", on, list(known))
    elif isinstance(on, str) and not {"firmware", "port"} & known[on].keys():
        yield Mistake((*path, "on"), f"board {on} has no chip; only one with `firmware` or `port` can be driven")
    profile = table.get("profile")
    rows = [row for row in profile if isinstance(row, list) and row] if isinstance(profile, list) else []
    times = [row[0] for row in rows]
    if times and all(map(_number, times)):
        if times[0] < 0 or any(later <= earlier for earlier, later in itertools.pairwise(times)):
            yield Mistake((*path, "profile"), "its seconds must begin at 0 or later and grow from row to row")
        if len({len(row) for row in rows}) > 1:
            yield Mistake((*path, "profile"), "its rows must have as many values as one another")


def _event(path: Path, table: Mapping[str, Any], known: Mapping[str, list[str]]) -> Iterator[Mistake]:
    name = table.get("name")
    if isinstance(name, str) and known["event"].count(name) > 1 and path[-1] != known["event"].index(name):
        yield Mistake((*path, "name"), f"{name!r} was found before; each event needs its own name")
    if isinstance(model := table.get("model"), str) and model not in known["model"]:
        yield _unknown((*path, "model"), "model", model, known["model"])
    start, end = table.get("from_s"), table.get("to_s")
    if (start is None) != (end is None):
        yield Mistake(path, "from_s and to_s belong together: give both, or neither for every labelled stretch")
    elif _number(start) and _number(end) and end <= start:
        yield Mistake((*path, "to_s"), f"{shown(end)} was found; more than from_s ({start}) is allowed")


def _limits(path: Path, table: Mapping[str, Any]) -> Iterator[Mistake]:
    given = [key for key in _LIMITS if key in table]
    if len(given) != 1:
        found = " and ".join(given) if given else "none"
        yield Mistake(path, f"{found} was found; exactly one limit of {', '.join(_LIMITS)} is needed")
        return
    key, limit, marginal = given[0], table[given[0]], table.get("marginal")
    if "within_percent" in table and key != "equals":
        yield Mistake((*path, "within_percent"), "it has a meaning with `equals` only")
    if key == "between" and isinstance(limit, list) and len(limit) == 2 and all(map(_number, limit)):
        if limit[0] >= limit[1]:
            yield Mistake((*path, "between"), f"{limit} was found; the lower end must come first")
        elif _number(marginal) and not 0 <= marginal < (limit[1] - limit[0]) / 2:
            yield Mistake((*path, "marginal"), f"{marginal} was found; 0 to half the width of `between` is allowed")
    if not _number(marginal):
        return
    within = table.get("within_percent")
    if key == "at_least" and _number(limit) and marginal < limit:
        yield Mistake((*path, "marginal"), f"{marginal} was found; at least the limit ({limit}) is allowed")
    if key == "at_most" and _number(limit) and marginal > limit:
        yield Mistake((*path, "marginal"), f"{marginal} was found; at most the limit ({limit}) is allowed")
    if key == "equals" and not _number(within):
        yield Mistake((*path, "marginal"), "with `equals` it has a meaning beside `within_percent` only")
    if key == "equals" and _number(within) and not 0 <= marginal <= within:
        yield Mistake((*path, "marginal"), f"{marginal} was found; 0 to within_percent ({within}) is allowed")


def _metric(path: Path, metric: str, table: Mapping[str, Any], known: Mapping[str, list[str]]) -> Iterator[Mistake]:
    parts = metric.split(".")
    level = _LEVELS.get(parts[0])
    if level is None:
        levels = sorted(_LEVELS)
        yield Mistake(path, f"{metric!r} was found{nearest(parts[0], levels)}a metric begins with {', '.join(levels)}")
        return
    if len(parts) > 1 and parts[1] not in known[level]:
        yield _unknown(path, level, parts[1], known[level])
    row = find_row(metric)
    if row is None:
        keys = [one.pattern for one in ROWS if one.pattern.startswith(f"{parts[0]}.")]
        last = {one.rsplit(".", 1)[-1] for one in keys}
        shapes = sorted({one.rsplit(".", 1)[0] for one in keys})
        yield Mistake(
            path,
            f"{metric!r} is no metric{nearest(parts[-1], last)}it is written "
            f"{' or '.join(f'{one}.NAME' for one in shapes)}; `hil metrics` lists every NAME",
        )
    elif isinstance(unit := table.get("unit"), str) and "{" not in row.unit and unit != row.unit:
        yield Mistake((*path[:-1], "unit"), f"{unit!r} was found; {metric} is in {row.unit!r}")


def _unknown(path: Path, kind: str, found: str, names: list[str]) -> Mistake:
    there = ", ".join(names) or "none"
    return Mistake(path, f"there is no {kind} {found!r}{nearest(found, names)}the scenario has: {there}")


def _number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _names(table: Any) -> list[str]:
    return [str(name) for name in table] if isinstance(table, Mapping) else []


def _named(table: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(table, Mapping):
        yield from ((name, value) for name, value in table.items() if isinstance(value, Mapping))


def _tables(plain: Mapping[str, Any], key: str) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    given = plain.get(key)
    if isinstance(given, list):
        yield from (((key, at), value) for at, value in enumerate(given) if isinstance(value, Mapping))
