"""Which board of a bench a network is meant for, and which of its streams it reads there.

Rule of this room: pure. One that could run on several boards is put on none: whoever asks says which.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from firmware_bridge.bridge import BoardState
from firmware_bridge.errors import UsageError
from firmware_bridge.streams import BoardInfo, Stream

if TYPE_CHECKING:
    from firmware_bridge.oplist.ops import OpList
    from hil.models.contract import Contract

__all__ = ["chosen", "fits", "reads"]


def fits(oplist: "OpList") -> Callable[[BoardInfo], Stream]:
    """Return what finds the stream of a board that an op list reads there; it raises UsageError where none fits."""
    from hil.models.int8.placed import fitting

    return partial(fitting, oplist)


def reads(contract: "Contract", info: BoardInfo) -> Stream:
    """Return the stream of a board that a model reads there.

    Raises:
        UsageError: It has none, or one of another unit or rate.
    """
    from hil.models.int8.placed import meant
    from hil.models.matching import match

    if contract.conditioning is not None:
        raise UsageError(f"model {contract.name} reads conditioned readings, and boards condition none", contract.name,
                         "train it on readings as the board sends them")  # fmt: skip
    stream = meant(contract, info)
    match(contract, stream, f"{info.model}/{stream.name}")
    return stream


def chosen(
    states: Sequence[BoardState], fit: Callable[[BoardInfo], Stream], board: str | None
) -> tuple[BoardState, Stream]:  # fmt: skip
    """Return the board that is meant, and its stream.

    Args:
        states: The boards that there are.
        fit: Returns the stream of a board that is read there; raises UsageError where none is.
        board: Role of the board; None: the only one that can take it.

    Raises:
        UsageError: There is none, or none alone.
    """
    if board is not None and all(state.role != board for state in states):
        there = ", ".join(state.role for state in states)
        raise UsageError(f"there is no board {board!r}", "deploy", f"name one that is here: {there}")
    found: list[tuple[BoardState, Stream]] = []
    why = ""
    for state in states:
        if board not in (None, state.role):
            continue
        if state.info is None or state.downlink is None or state.state != "live":
            why = why or f"{state.role} is no native board that is live"
            continue
        try:
            found.append((state, fit(state.info)))
        except UsageError as error:
            why = error.what
    if not found:
        raise UsageError(f"no board here can take it: {why}", "deploy", "it runs on native boards only")
    if len(found) > 1:
        which = ", ".join(state.role for state, _ in found)
        raise UsageError("several boards could take it", "deploy", f"say which with --board: {which}")
    return found[0]
