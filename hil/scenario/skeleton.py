"""A scenario to start from: what a recording holds, or a stretch of it, with the observed values as proposed limits.

Rule of this room: every limit says in a comment what was observed and holds for what it was made from; a person decides
what is to hold. What was never seen (no labels, no counter) is not proposed.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.faults import Schedule
from firmware_bridge.roles import slug
from hil.recording.reader import Recording
from hil.scenario.execution.execute import Execution, execute
from hil.scenario.execution.targets import place_of
from hil.scenario.grammar.load import Loaded, parse_scenario
from hil.scenario.results.outcome import Reading
from hil.scenario.run import readings_of

__all__ = [
    "ZERO",
    "Stretch",
    "check_text",
    "named_from",
    "observe",
    "plain",
    "proposal",
    "quoted",
    "skeleton",
    "tables",
    "write_new",
]

ZERO = ("samples_lost", "bytes_unaccounted", "samples_unaccounted", "crc_failures", "reboots")
"""Metrics of a link that are 0 where nothing went wrong."""
_ROOM = 0.2
"""Share of a spread by which proposed ends go beyond what was observed."""
_DRIFT_PPM = 20.0
_ROLE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a recording, in seconds since its first sample; None: from its beginning, to its end."""

    from_s: float | None = None
    to_s: float | None = None


def skeleton(recording: Path, name: str, folder: Path, part: Stretch | None = None) -> str:
    """Return the text of a scenario over a recording.

    Args:
        recording: The recording.
        name: What the scenario is called.
        folder: Where it will stand; the recording is named from there.
        part: The stretch of the recording that it is about; None: all of it.

    Raises:
        FileError: The recording cannot be read.
        UsageError: It holds no readings, or none in that part.
    """
    text = f'name = {quoted(name)}\nwhy = ""  # why it matters\n\n\n' + tables(recording, folder, part)
    _, found = observe(text, folder)
    proposed = [lines for one in found if (lines := proposal(one))]
    if not proposed:
        raise UsageError("nothing of it can be proposed as a check", str(recording), "choose a part with readings")
    return text + "".join(f"\n{lines}\n" for lines in proposed)


def tables(recording: Path, folder: Path, part: Stretch | None = None) -> str:
    """Return the tables that say what is read: boards and readings; see `skeleton`."""
    with Recording(recording) as opened:
        roles = list(dict.fromkeys(known.board for known in opened.streams()))
        length = opened.duration_s
    if not roles:
        raise UsageError("it holds no readings", str(recording), "see `hil info FILE`")
    part = part or Stretch()
    start, stop = part.from_s or 0.0, length if part.to_s is None else part.to_s
    if not start < min(stop, length):
        raise UsageError(f"{start:g} s to {stop:g} s holds nothing", str(recording), f"it lasts {length:.1f} s")
    lines = []
    for role, name in zip(roles, _names(roles), strict=True):
        lines += [f"[board.{name}]", f"recording = {quoted(named_from(recording, folder))}"]
        lines += [f"board = {quoted(role)}", ""] if len(roles) > 1 or name != role else [""]
    whole = "# " if part == Stretch() else ""
    about = "its length" if part.to_s is None else f"of {length:.3f}"
    lines += [f"{whole}[readings]", f"{whole}from_s = {start!r}", f"{whole}to_s = {round(stop, 3)!r}  # {about}", ""]
    return "\n".join(lines)


def observe(text: str, folder: Path) -> tuple[Execution, Sequence[Reading]]:
    """Run a scenario whose checks are still to be written, and return what it left behind and its metrics."""
    found = re.search(r"^\[board\.(\S+)\]", text, re.MULTILINE)
    assert found is not None
    check = f'\n[[check]]\nmetric = "link.{found[1]}.gaps"\nequals = 0\n'
    loaded = Loaded(folder / "new.toml", text, parse_scenario(text + check, "new.toml"))
    boards = loaded.scenario.board
    places = [place_of(role, table, "recording", len(boards) == 1) for role, table in boards.items()]
    done = execute(loaded, places, 0, Schedule())
    return done, list(readings_of(done, loaded, live=False))


def proposal(reading: Reading) -> str:
    """Return the check that an observed value suggests; empty where it suggests none."""
    key, value = reading.name.rsplit(".", 1)[-1], reading.value
    if value is None or reading.kind != "data" or not math.isfinite(value):
        return ""
    if key in ZERO:
        limit = "equals = 0" if value == 0 else f"at_most = {value!r}"
    elif key == "rate":
        limit = f"equals = {plain(value)}\nwithin_percent = 1"
    elif key in ("noise", "saturation"):
        limit = f"at_most = {plain(value * (1 + _ROOM))}"
    elif key == "drift":
        half = max(
            _DRIFT_PPM, 2 * (reading.uncertainty or 0.0)
        )  # a limit tighter than the clocks are known judges none
        limit = f"between = [{plain(value - half)}, {plain(value + half)}]"
    else:
        return ""
    return check_text(reading, limit)


def check_text(reading: Reading, limit: str, why: str = "") -> str:
    """Return a check on a metric as TOML, with what was observed in a comment."""
    unit = "" if reading.unit in ("1", "") else f" {reading.unit}"
    seen = "nothing" if reading.value is None else f"{reading.value:.6g}{unit}"
    more = f"\nwhy = {quoted(why)}" if why else ""
    return f"[[check]]\nmetric = {quoted(reading.name)}  # observed: {seen}\n{limit}{more}"


def named_from(recording: Path, folder: Path) -> str:
    """Return how a scenario in `folder` names a recording."""
    place, home = recording.resolve(), folder.resolve()
    return place.relative_to(home).as_posix() if place.is_relative_to(home) else str(place)


def plain(value: float) -> str:
    """Return a number with four digits, as TOML."""
    return repr(float(f"{value:.4g}")) if math.isfinite(value) else "0.0"


def quoted(text: str) -> str:
    """Return a text as a TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _names(roles: Sequence[str]) -> list[str]:
    """Return what roles are called in a scenario: as they are where they may be."""
    names: list[str] = []
    for role in roles:
        name = role if _ROLE.fullmatch(role) else f"board-{slug(role)}"[:60]
        while name in names:
            name += "-2"
        names.append(name)
    return names


def write_new(path: Path, text: str) -> None:
    """Write a scenario into a file of its own.

    Raises:
        FileError: The file exists, or cannot be made.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise FileError(f"it cannot be written ({error.strerror})", str(path), "choose another name") from None
