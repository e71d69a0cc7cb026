"""Somebody's style, read off a recording: a person whom the generator never met.

Rule of this room: channels by name, in the generator's units and at its rate, or one sentence; nothing is guessed. What
is read is the longest stretch without a gap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import UsageError
from hil.models.generate.generator import Generator
from hil.models.matching import RATE_TOLERANCE

if TYPE_CHECKING:
    from hil.recording.reader import Recording

__all__ = ["style_in"]


def style_in(generator: Generator, recording: Recording) -> npt.NDArray[np.float32]:
    """Return the style of whoever wears the first board with the generator's channels.

    Raises:
        UsageError: No stream has them in its units and at its rate, or none is as long as a window without a gap.
    """
    contract = generator.contract
    wanted = [(item.channel, item.unit) for item in contract.inputs]
    for known in recording.streams():
        offered = list(zip(known.stream.channels, known.stream.units, strict=True))
        rate = known.stream.rate_hz or 0.0
        if not set(wanted) <= set(offered) or abs(rate / contract.rate_hz - 1) > RATE_TOLERANCE:
            continue
        arrays = recording.read(known.board, known.stream.name)
        longest = max(arrays.segments, key=lambda piece: piece.stop - piece.start, default=slice(0, 0))
        if longest.stop - longest.start >= contract.window:
            return generator.style_of(arrays.values[longest][:, [offered.index(pair) for pair in wanted]])
    names = ", ".join(f"{name} [{unit}]" for name, unit in wanted)
    raise UsageError(
        f"no stream has {names} at {contract.rate_hz:g} Hz for {contract.window} samples without a gap",
        str(recording.path), "give another recording",
    )  # fmt: skip
