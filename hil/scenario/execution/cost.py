"""What a model of a scenario costs on a board, as metrics: instructions, memory.

Rule of this room: asked only where a check names it, and only on firmware; what another target cannot have is NA. The
count comes from the one emulated board that counts instructions, whatever firmware the readings were pushed into, so
that the same model has the same cost on every machine. The ranges of its tensors come from the scenario's recording.
"""

from collections.abc import Iterator, Sequence

from firmware_bridge.errors import UsageError
from firmware_bridge.firmware import can_start
from hil.scenario.execution.execute import model_path
from hil.scenario.execution.targets import Place, recording_path
from hil.scenario.grammar.catalogue import find_row
from hil.scenario.grammar.load import Loaded
from hil.scenario.results.outcome import NA, UNSET, Reading

__all__ = ["COST_KEYS", "cost_readings"]

COST_KEYS = ("instructions", "flash", "ram")
"""Last parts of the names of these metrics: `model.NAME.instructions`."""

_WINDOWS = 8
"""Windows that are run; the costliest counts."""


def cost_readings(loaded: Loaded, places: Sequence[Place]) -> Iterator[Reading]:
    """Yield what the models cost whose cost a check names.

    Args:
        loaded: The scenario.
        places: Where its boards are.

    Raises:
        FileError: A model or a recording cannot be read.
        NoAnswer: The emulated board does not answer.
    """
    named = {check.metric.split(".")[1] for check in loaded.scenario.check if _is_cost(check.metric)}
    for name in sorted(named & loaded.scenario.model.keys()):
        place = _read_by(loaded, name, places)
        if not any(one.port.startswith("firmware://") for one in places):
            yield from _none(name, NA, "it is counted on emulated firmware; run the scenario with --on firmware")
        elif place is None or place.table.recording is None:
            yield from _none(name, NA, "no recording of its readings is there to find its ranges in 8 bits")
        else:
            yield from _counted(loaded, name, place)


def _counted(loaded: Loaded, name: str, place: Place) -> Iterator[Reading]:
    from hil.models.model import load_model
    from hil.parity.run import COUNTING, cost_on, windows_in

    if reason := can_start(COUNTING):
        yield from _none(name, NA, reason)
        return
    model = load_model(model_path(loaded, loaded.scenario.model[name]))
    try:
        windows = windows_in(model, [recording_path(loaded, place.table)], place.table.board)
        cost = cost_on(model, windows, COUNTING, count=_WINDOWS)
    except UsageError as error:  # an operator that does not run on boards, a network without room
        yield from _none(name, UNSET, str(error))
        return
    for key, value in zip(COST_KEYS, (cost.instructions, cost.flash_bytes, cost.ram_bytes), strict=True):
        why = "" if value is not None else "the board did not count them"
        yield _reading(name, key, None if value is None else float(value), UNSET, why)


def _is_cost(metric: str) -> bool:
    parts = metric.split(".")
    return len(parts) == 3 and parts[0] == "model" and parts[2] in COST_KEYS


def _read_by(loaded: Loaded, name: str, places: Sequence[Place]) -> Place | None:
    """The place of the board that a model reads."""
    role = loaded.scenario.model[name].board
    return next((place for place in places if role in (None, place.role)), None)


def _none(name: str, absent: str, why: str) -> Iterator[Reading]:
    return (_reading(name, key, None, absent, why) for key in COST_KEYS)


def _reading(name: str, key: str, value: float | None, absent: str, why: str) -> Reading:
    row = find_row(f"model.{name}.{key}")
    assert row is not None
    return Reading(f"model.{name}.{key}", value, row.unit, row.kind, absent if value is None else "", why)
