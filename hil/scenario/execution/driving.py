"""Drives profiles into the chips of emulated boards while a scenario listens to them.

Rule of this room: it looks at the clock and tells emulators; what is due and what came of it is `drive`'s.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlencode

from firmware_bridge.clock import Clock
from firmware_bridge.errors import UsageError, WrongBoard
from firmware_bridge.events import Arrival
from firmware_bridge.firmware.chips import CHIPS, Chip, told
from firmware_bridge.firmware.control import Control
from firmware_bridge.firmware.wanted import wanted
from firmware_bridge.roles import BoardState
from firmware_bridge.streams import BoardInfo, Stream
from hil.scenario.execution.drive import Drive
from hil.scenario.execution.place import NotHere, Place
from hil.scenario.grammar.grammar import DriveTable

__all__ = ["Driving", "driving"]


class Driving:
    """The profiles of a run.

    Args:
        tables: What the scenario says.
        places: Where its boards are.
        folder: Of the emulators' sockets.

    Raises:
        NotHere: A board has no chip that could be driven.
    """

    def __init__(self, tables: Sequence[DriveTable], places: Sequence[Place], folder: Path) -> None:
        ports = {place.role: place.port for place in places}
        self.drives = [Drive(table) for table in tables]
        self._chips = {drive.table.on: _chip(ports[drive.table.on], drive.table) for drive in self.drives}
        self._controls = {role: Control(folder / role) for role in self._chips}
        self._folder = folder
        self._start_ns: int | None = None

    def port_of(self, place: Place) -> str:
        """Return the port of a board, with a control where it is driven."""
        if place.role not in self._chips:
            return place.port
        joint = "&" if "?" in place.port else "?"
        return f"{place.port}{joint}{urlencode({'qmp': str(self._folder / place.role)})}"

    def step(self, clock: Clock, start_ns: int, boards: Sequence[BoardState]) -> None:
        """Set what is due.

        Args:
            clock: Time.
            start_ns: Of the first sample.
            boards: How they stand, for their streams.

        Raises:
            UsageError: A chip cannot sense a value.
            WrongBoard: The board has no such stream.
            TransportError: The emulator refuses it.
        """
        infos = {state.role: state.info for state in boards if state.info is not None}
        for drive in self.drives:
            table = drive.table
            if table.on not in infos or (values := drive.due((clock.now_ns() - start_ns) / 1e9)) is None:
                continue
            setting = told(self._chips[table.on], values, _stream(infos[table.on], table))
            begun = clock.now_ns()
            self._controls[table.on].set(setting)
            drive.was_set(begun, clock.now_ns(), values)

    def wait_s(self, clock: Clock, start_ns: int, most: float) -> float:
        """Return how long nothing is due, `most` at most."""
        elapsed = (clock.now_ns() - start_ns) / 1e9
        return max(0.001, min([most, *(drive.wait_s - elapsed for drive in self.drives)]))

    def take(self, arrival: Arrival) -> None:
        """Show an arrival to every profile."""
        for drive in self.drives:
            drive.take(arrival)

    def close(self) -> None:
        """Let the emulators go."""
        for control in self._controls.values():
            control.close()


@contextlib.contextmanager
def driving(tables: Sequence[DriveTable], places: Sequence[Place]) -> Iterator[Driving]:
    """Give what drives the profiles of a scenario; see `Driving`."""
    with tempfile.TemporaryDirectory(prefix="hil-") as folder:
        made = Driving(tables, places, Path(folder))
        try:
            yield made
        finally:
            made.close()


def _stream(info: BoardInfo, table: DriveTable) -> Stream:
    try:
        return info.stream(table.stream)
    except KeyError:
        there = ", ".join(stream.name for stream in info.streams)
        raise WrongBoard(f"it has no stream {table.stream}, only {there}: its chip did not answer", table.on,
                         "build the firmware anew") from None  # fmt: skip


def _chip(port: str, table: DriveTable) -> Chip:
    chip = None
    if port.startswith("firmware://"):
        chip = wanted(port).chip
    if chip is None or chip.stream != table.stream:
        able = " or ".join(f"firmware://qemu?sensor={one.name}" for one in CHIPS.values() if one.stream == table.stream)
        needed = f"; it needs {able}" if able else ""
        raise NotHere(f"no value can be driven into stream {table.stream} of board {table.on} on {port}{needed}")
    if problem := next((row for row in table.profile if len(row) - 1 != len(chip.properties)), None):
        raise UsageError(f"{len(problem) - 1} values were given at {problem[0]:g} s and {chip.name} senses "
                         f"{len(chip.properties)}", f"drive of {table.on}", "give one for each channel")  # fmt: skip
    return chip
