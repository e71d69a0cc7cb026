"""One scenario as a piece of work for any process: plain text in, plain text out.

Rule of this room: what crosses to another process is JSON that stands for itself: the scenario's text, how it is to be
run, where its files are. Whoever runs it needs neither our objects nor our folders.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from firmware_bridge.address import parse_port
from firmware_bridge.errors import BridgeError
from firmware_bridge.ports import System, find_device
from firmware_bridge.way import lock_key
from hil.scenario.execution.targets import NotHere, Place, place_of
from hil.scenario.grammar.load import Loaded, parse_scenario
from hil.scenario.results.outcome import ScenarioResult
from hil.scenario.run import RunOptions, run_scenario

__all__ = ["Unit", "named_files", "result_of", "run_unit", "unit_of"]


@dataclass(frozen=True, slots=True)
class Unit:
    """One scenario to run.

    Attributes:
        at: Its place in the order of files.
        loaded: The scenario.
        text: What a process is handed, see `run_unit`.
        needs: Boards that must be where it runs, such as `board:imu-revb`.
        alone: Ports that it takes; of two that take one, only one may run at a time.
        weight: Bytes of the files that it reads: the more, the longer it may run.
    """

    at: int
    loaded: Loaded
    text: str
    needs: frozenset[str] = frozenset()
    alone: frozenset[str] = frozenset()
    weight: int = 0


def unit_of(at: int, loaded: Loaded, options: RunOptions) -> Unit:
    """Return a scenario as a unit.

    Args:
        at: Its place in the order of files.
        loaded: The scenario.
        options: How it is to be run.
    """
    plain = {"schema": 1, "path": str(loaded.path), "text": loaded.text, "files": {},
             "options": _options().dump_python(options, mode="json")}  # fmt: skip
    live = _live(loaded, options)
    on_bench = {f"board:{place.role}" for place in live if place.port == "bench"}
    ports = dict(options.bench)
    alone = {_port(ports.get(place.role, f"board:{place.role}") if place.port == "bench" else place.port)
             for place in live}  # fmt: skip
    weight = sum(path.stat().st_size for _, path in named_files(loaded) if path.is_file())
    needs = frozenset(loaded.scenario.needs) | on_bench
    return Unit(at, loaded, json.dumps(plain), needs, frozenset(filter(None, alone)), weight)


def run_unit(text: str) -> str:
    """Run a unit and return its result as JSON.

    Args:
        text: JSON: `path` and `text` of the scenario, `files` (name in the scenario to a path here) and `options`.

    Raises:
        UsageError: One port was named for several boards.
    """
    plain = json.loads(text)
    files = {name: Path(place) for name, place in plain["files"].items()}
    loaded = Loaded(Path(plain["path"]), plain["text"], parse_scenario(plain["text"], plain["path"]), files)
    result = run_scenario(loaded, _options().validate_python(plain["options"]))
    return json.dumps(result.as_dict(whole=True), default=lambda number: number.item())


def result_of(text: str) -> ScenarioResult:
    """Return the result that `run_unit` wrote."""
    return ScenarioResult.from_dict(json.loads(text))


def named_files(loaded: Loaded) -> Iterator[tuple[str, Path]]:
    """Yield every file that a scenario names, as it names it and where it is here (or would be)."""
    scenario = loaded.scenario
    names = [name for table in scenario.board.values() for name in (table.recording, table.board_file) if name]
    names += [table.file for table in scenario.model.values()]
    names += [] if scenario.baseline is None else [scenario.baseline.file]
    names += [scenario.setup.network] if scenario.setup is not None and scenario.setup.network else []
    for name in dict.fromkeys(names):
        yield name, loaded.find(name)


def _live(loaded: Loaded, options: RunOptions) -> list[Place]:
    tables = loaded.scenario.board
    try:
        places = [place_of(role, table, options.on, len(tables) == 1) for role, table in tables.items()]
    except (NotHere, BridgeError):
        return []  # running it says why
    return [place for place in places if place.kind == "live"]


def _port(port: str) -> str:
    """Return what two names of one port have in common; nothing where everybody gets a board of their own."""
    if port.startswith("board:"):
        return port
    try:
        address = parse_port(port)
        if address.scheme in ("virtual", "exec", "firmware"):
            return ""
        device = find_device(address, System()) if address.scheme in ("serial", "usb") else ""
        return lock_key(address, device) or address.target
    except BridgeError:
        return port


@cache
def _options() -> "TypeAdapter[RunOptions]":
    return TypeAdapter(RunOptions)
