"""Boards that are asked for their orientation: everything that passes, and behind it the stream that is derived.

Rule of this room: what passes is told by the samples within the readings alone, so that a derived stream is the same on
every target and however its input was cut. A derived sample came when its source did.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from firmware_bridge.batch import Batch
from firmware_bridge.events import Connected, Item
from hil.orientation import Orientations
from hil.scenario.evidence.stretches import Passing, Stretch
from hil.scenario.grammar.grammar import BoardTable

__all__ = ["oriented"]


def oriented(passing: Iterable[Passing], boards: Mapping[str, BoardTable]) -> Iterator[Passing]:
    """Yield what passes, with the orientations that boards are asked for.

    Args:
        passing: Of all boards.
        boards: Tables of the scenario.

    Raises:
        UsageError: A stream has no gyroscope and accelerometer, or nobody said its rate.
        MissingPart: vqf is not installed.
    """
    asked = {role: table.orientation for role, table in boards.items() if table.orientation is not None}
    if not asked:
        yield from passing
        return
    known = Orientations(asked)
    for one in passing:
        yield _followed(one, known) if one.items else one


def _followed(passing: Passing, known: Orientations) -> Passing:
    items: list[Item] = []
    came = dict(passing.came) if isinstance(passing, Stretch) else {}
    for item in passing.items:
        if isinstance(item, Connected):
            items.append(known.greeted(item))
            continue
        items.append(item)
        made = known.derive(item)
        if made is not None:
            items.append(made)
        if isinstance(made, Batch) and isinstance(item, Batch) and item.stream.name in came:
            came[made.stream.name] = came[item.stream.name]
    if isinstance(passing, Stretch):
        return replace(passing, items=tuple(items), came=came)
    return replace(passing, items=tuple(items))
