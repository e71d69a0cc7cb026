"""A scenario on a second target, for the gap between the two: the core of `hil run --against TARGET`.

Rule of this room: whatever keeps the second run from being is a sentence beside the first one's result, never its
verdict.
"""

from collections.abc import Mapping
from typing import Any

from firmware_bridge.errors import BridgeError
from firmware_bridge.faults import Schedule
from hil.scenario.execution.against import Portrait, gap_rows
from hil.scenario.execution.execute import Execution, execute
from hil.scenario.execution.live import execute_live
from hil.scenario.execution.targets import NotHere, places_of, target_of
from hil.scenario.grammar.load import Loaded

__all__ = ["gap_to"]


def gap_to(
    loaded: Loaded, on: str, seed: int, schedule: Schedule, ports: Mapping[str, str], *, stimulus: bool,
    here: tuple[Execution, Portrait],
) -> tuple[str, tuple[Mapping[str, Any], ...], str]:  # fmt: skip
    """Run a scenario on another target.

    Args:
        loaded: The scenario.
        on: The other target.
        seed: As for the first run.
        schedule: Faults, as for the first run.
        ports: Port of each role, from a bench file.
        stimulus: Whether recorded readings are pushed into virtual boards too.
        here: The first run.

    Returns:
        The target's name, the rows of the gap, and one sentence where there is no gap to tell.

    Raises:
        UsageError: One port was named for several boards.
    """
    name, portrait = on, Portrait()
    try:
        places = places_of(loaded, on, stimulus and on != "recording", ports)
        name = target_of(places)
        if any(place.kind == "live" for place in places):
            done, _ = execute_live(loaded, places, schedule, watch=[portrait.take])
        else:
            done = execute(loaded, places, seed, schedule, watch=[portrait.take])
    except NotHere as reason:
        return name, (), f"there is no gap to {name}: {reason}"
    except BridgeError as error:
        return name, (), f"there is no gap to {name}, where it ended in trouble: {error}"
    return name, tuple(row.as_dict() for row in gap_rows(here, (done, portrait))), ""
