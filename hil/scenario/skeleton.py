"""A scenario to start from: what a recording holds, with the observed values as proposed limits.

Rule of this room: every limit says in a comment what was observed; a person decides what is to hold. What was never
seen (no labels, no counter) is not proposed.
"""

import json
import math
from pathlib import Path

from firmware_bridge.faults import Schedule
from hil.recording.reader import Recording
from hil.scenario.execute import execute
from hil.scenario.load import Loaded, parse_scenario
from hil.scenario.outcome import Reading
from hil.scenario.run import readings_of
from hil.scenario.targets import place_of

__all__ = ["skeleton"]

_ZERO = ("samples_lost", "bytes_unaccounted", "samples_unaccounted", "crc_failures", "reboots")
_ROOM = 0.2
"""Share of a spread by which proposed ends go beyond what was observed."""


def skeleton(recording: Path, name: str, folder: Path) -> str:
    """Return the text of a scenario over a recording.

    Args:
        recording: The recording.
        name: What the scenario is called.
        folder: Where it will stand; the recording is named from there.

    Raises:
        FileError: The recording cannot be read.
    """
    with Recording(recording) as opened:
        roles = list(dict.fromkeys(known.board for known in opened.streams()))
        lengths = opened.duration_s
    place = recording.resolve()
    named = place.relative_to(folder.resolve()).as_posix() if place.is_relative_to(folder.resolve()) else str(place)
    head = [f"name = {_quoted(name)}", 'why = ""  # why it matters', "", ""]
    boards = []
    for role in roles:
        boards += [f"[board.{role}]", f"recording = {_quoted(named)}"]
        boards += [f"board = {_quoted(role)}", ""] if len(roles) > 1 else [""]
    part = ["# [readings]", "# from_s = 0.0", f"# to_s = {lengths:.3f}  # its length", ""]
    text = "\n".join([*head, *boards, *part])
    check = f'[[check]]\nmetric = "link.{roles[0]}.gaps"\nequals = 0\n' if roles else ""
    loaded = Loaded(folder / "new.toml", text, parse_scenario(text + check, "new.toml"))
    places = [place_of(role, table, "recording", len(roles) == 1) for role, table in loaded.scenario.board.items()]
    done = execute(loaded, places, 0, Schedule())
    proposed = [lines for one in readings_of(done, loaded, live=False) if (lines := _proposal(one))]
    return text + "".join(f"\n{lines}\n" for lines in proposed)


def _proposal(reading: Reading) -> str:
    """Return the check that an observed value suggests; empty where it suggests none."""
    key, value = reading.name.rsplit(".", 1)[-1], reading.value
    if value is None or reading.kind != "data":
        return ""
    if key in _ZERO:
        limit = "equals = 0" if value == 0 else f"at_most = {_plain(value)}"
    elif key == "rate":
        limit = f"equals = {_plain(float(f'{value:.4g}'))}\nwithin_percent = 1"
    elif key in ("noise", "saturation"):
        limit = f"at_most = {_plain(value * (1 + _ROOM))}"
    elif key == "drift":
        limit = f"between = [{_plain(value - 20)}, {_plain(value + 20)}]"
    else:
        return ""
    unit = "" if reading.unit in ("1", "") else f" {reading.unit}"
    return f"[[check]]\nmetric = {_quoted(reading.name)}  # observed: {value:.6g}{unit}\n{limit}"


def _plain(value: float) -> str:
    return repr(float(f"{value:.4g}")) if math.isfinite(value) else "0.0"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
