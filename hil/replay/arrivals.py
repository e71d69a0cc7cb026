"""Small pure operations on arrivals: cutting one after so many samples, counting what one holds."""

from dataclasses import replace

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Item

__all__ = ["cut_arrival", "samples_in"]


def cut_arrival(arrival: Arrival, stream: tuple[str, str] | None, most: int) -> tuple[Arrival, Arrival | None, int]:
    """Cut an arrival after at most `most` samples of one stream.

    Args:
        arrival: What to cut; its bytes stay with the head.
        stream: Board and stream whose samples count; None: the first in it.
        most: Samples that the head may hold, at least 1.

    Returns:
        The head, the rest as a note (None where all fits), and how many samples the head holds.
    """
    counted = 0
    head: list[Item] = []
    for at, item in enumerate(arrival.items):
        if isinstance(item, Batch) and stream in (None, (item.board, item.stream.name)):
            stream = (item.board, item.stream.name)
            if counted + len(item) > most:
                cut = most - counted
                if cut:
                    head.append(item.part(0, cut))
                rest = replace(
                    arrival, kind="note", data=b"", items=(item.part(cut, len(item)), *arrival.items[at + 1 :])
                )
                return replace(arrival, items=tuple(head), books=None), rest, most
            counted += len(item)
        head.append(item)
    return arrival, None, counted


def samples_in(arrival: Arrival) -> int:
    """Return how many samples an arrival holds, all streams."""
    return sum(len(item) for item in arrival.items if isinstance(item, Batch))
