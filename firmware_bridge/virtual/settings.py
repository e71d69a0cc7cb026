"""Who a virtual board says it is, and how it behaves apart from what it senses."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Identity", "Notes", "Settings"]

Notes = Callable[[int, int, int], Iterable[tuple[int, str]]]
"""(stream index, first, stop) -> (sample number, line) for every line to log with these samples."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a board says it is; `extra` joins the JSON description."""

    model: str
    serial: str
    firmware: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a board behaves, apart from what it senses.

    Attributes:
        seed: Of everything random about the link and the clock.
        group: Samples a frame; 0 chooses about 10 ms worth.
        ppm: Error of the board's clock.
        start_tick: First reading of its counter, u32.
        jitter_us: Mean one-sided lateness of a sample on the board's own clock; sent as deltas.
        delay_us: Mean one-sided delay of the link each way.
        baud: Bits a second of a serial line with 10 bits a byte; 0: no limit.
        tx_buffer: Bytes that wait for the host.
        max_frame: Most bytes of a frame before stuffing.
        crc_bits: 16 or 32.
        boot_ms: Silence after a reset.
        room: Injected samples that fit at once.
    """

    seed: int = 0
    group: int = 0
    ppm: float = 0.0
    start_tick: int = 0
    jitter_us: float = 0.0
    delay_us: float = 0.0
    baud: int = 0
    tx_buffer: int = 65_536
    max_frame: int = 1024
    crc_bits: int = 16
    boot_ms: float = 0.0
    room: int = 256
