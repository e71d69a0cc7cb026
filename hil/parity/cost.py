"""What a network costs on a board: instructions, memory, windows a second.

Rule of this room: pure. Instructions are what the machine executed between taking a window and having its answer, by
its own count; they are no cycles, and a board that cannot count them has none (None), never 0. What differs from call
to call of the same window is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

__all__ = ["Cost", "Measured", "cost_of"]


class Measured(Protocol):
    """What a board said of one window."""

    @property
    def elapsed_ticks(self) -> int:
        """How long it took by the board's own counter."""

    @property
    def instructions(self) -> int | None:
        """How many were executed; None where the board cannot count them."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a network costs on a board.

    Attributes:
        instructions: Most that a window took; None where the board cannot count them.
        least_instructions: Fewest.
        calls: Windows whose instructions were counted, the repeated one included.
        repeated: How often one window was run again and again.
        spread: Largest difference between counts of that window: 0 where the count is repeatable; None where not known.
        ram_bytes: Tensors, in the arena.
        flash_bytes: Op list and weights; they are RAM too where they came over the wire.
        windows_per_s: Windows answered in a second, the wire included, one asked after the other; by the host's clock.
        board_ms: Longest time that a window took by the board's own clock; None where it is not known. With counted
            instructions the emulator makes this time of them.
    """

    instructions: int | None
    least_instructions: int | None
    calls: int
    repeated: int
    spread: int | None
    ram_bytes: int
    flash_bytes: int
    windows_per_s: float | None
    board_ms: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def cost_of(
    each: Sequence[Measured | None], same: Sequence[Measured | None], *, ram_bytes: int, flash_bytes: int,
    seconds: float, tick_hz: float | None,
) -> Cost:  # fmt: skip
    """Sum up what a board said of its windows.

    Args:
        each: Its answers to different windows, asked one after the other.
        same: Its answers to one window, asked again and again.
        ram_bytes: Of the tensors.
        flash_bytes: Of the op list.
        seconds: What all of them took.
        tick_hz: Ticks a second of the board's counter; None where it has none.
    """
    came = [one for one in (*each, *same) if one is not None]
    counted = [one.instructions for one in came if one.instructions is not None]
    again = [one.instructions for one in same if one is not None and one.instructions is not None]
    return Cost(
        max(counted, default=None), min(counted, default=None), len(counted), len(again),
        max(again) - min(again) if len(again) > 1 else None, ram_bytes, flash_bytes,
        len(came) / seconds if seconds > 0 and came else None,
        1000 * max(one.elapsed_ticks for one in came) / tick_hz if tick_hz and came else None,
    )  # fmt: skip
