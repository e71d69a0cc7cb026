"""Whether a stream is what a model was made for: channels by name, units, rate.

Rule: nothing is guessed. Channels in another order, or among others, are picked by name; a missing channel, another or
unknown unit, frames of another size, or another rate is refused in one sentence that names both sides; unless the
contract declares how it is conditioned.
"""

from __future__ import annotations

from firmware_bridge.errors import UsageError
from firmware_bridge.streams import Stream
from hil.models.conditioning import conditioned_stream
from hil.models.contract import Contract

__all__ = ["INFERRED_RATE_TOLERANCE", "RATE_TOLERANCE", "has_channels", "match"]

RATE_TOLERANCE = 0.01
"""Relative difference of a told rate that still fits."""

INFERRED_RATE_TOLERANCE = 0.05
"""The same for a rate that was measured from arrivals."""


def has_channels(contract: Contract, stream: Stream) -> bool:
    """Whether `stream` is the one that the model means on its board, fit or not: asked by name, else by channels."""
    if contract.stream is not None:
        return stream.name == contract.stream
    axes = {} if contract.conditioning is None else contract.conditioning.axes
    wanted = {axes.get(item.channel, item.channel).removeprefix("-") for item in contract.inputs}
    return stream.is_image == (contract.frame is not None) and wanted <= set(stream.channels)


def match(contract: Contract, stream: Stream, where: str) -> tuple[int, ...]:
    """Return the column of the stream for every input of the model.

    Args:
        contract: The model's contract.
        stream: The stream offered.
        where: Board and stream, for the message.

    Raises:
        UsageError: The stream does not fit.
    """
    model = f"model {contract.name}"
    if contract.conditioning is not None:
        inputs = [(item.channel, item.unit) for item in contract.inputs]
        return conditioned_stream(stream, inputs, contract.rate_hz, contract.conditioning, where)[1]
    wanted = ", ".join(f"{item.channel} [{item.unit}]" for item in contract.inputs)
    sent = stream.shape if stream.is_image else None
    if sent != contract.frame:
        said = f"it sends frames of {sent[0]} x {sent[1]}" if sent is not None else "it sends no frames"
        reads = wanted if contract.frame is None else f"frames of {contract.frame[0]} x {contract.frame[1]} of {wanted}"
        raise UsageError(f"{said} and {model} reads {reads}", where, "name another stream")
    columns = []
    for item in contract.inputs:
        if stream.channels.count(item.channel) != 1:
            raise UsageError(
                f"it has no one channel {item.channel} (it has {', '.join(stream.channels)}); {model} reads {wanted}",
                where,
                "name another stream, or name its channels in a board file",
            )
        column = stream.channels.index(item.channel)
        if stream.units[column] != item.unit:
            raise UsageError(
                f"channel {item.channel} is in {stream.units[column]!r} and {model} reads it in {item.unit!r}",
                where,
                "give scale and unit of the channel in a board file",
            )
        columns.append(column)
    if stream.rate_hz is None:
        raise UsageError(
            f"its rate is unknown and {model} reads {contract.rate_hz:g} Hz", where, "give rate_hz in a board file"
        )
    allowed = INFERRED_RATE_TOLERANCE if stream.rate_inferred else RATE_TOLERANCE
    if abs(stream.rate_hz / contract.rate_hz - 1.0) > allowed:
        raise UsageError(
            f"it runs at {stream.rate_hz:g} Hz and {model} reads {contract.rate_hz:g} Hz", where, "set the board's rate"
        )
    return tuple(columns)
