"""A network onto the live boards of a scenario, before their readings begin: sent, checked, run on their own samples.

Rule of this room: what goes wrong here is the bench's trouble. The board is talked to through the bridge that listens
to it already, so that a recording of the run holds every byte of it.
"""

from collections.abc import Iterator, Sequence

from firmware_bridge.bridge import BoardState, Bridge
from firmware_bridge.clock import Clock
from firmware_bridge.errors import NoAnswer, UsageError
from firmware_bridge.events import Arrival, Status
from firmware_bridge.oplist.ops import unpack
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.placing import Placing, answers_in
from hil.scenario.grammar.load import Loaded
from hil.serving.shelf import read_oplist

__all__ = ["last_counts", "place_network", "read_network"]

_ANSWER_S = 2.0


def read_network(loaded: Loaded) -> bytes:
    """Return the op list that `[setup]` names; empty where it names none.

    Raises:
        FileError: It cannot be read, or a board would refuse it.
    """
    setup = loaded.scenario.setup
    if setup is None or not setup.network:
        return b""
    return read_oplist(loaded.find(setup.network))[0]


def place_network(bridge: Bridge, role: str, blob: bytes, hop: int, clock: Clock) -> list[Arrival]:
    """Give a board a network and have it run on its own samples; return what came meanwhile.

    Args:
        bridge: Listens to the board, which said who it is.
        role: The board.
        blob: An op list.
        hop: Samples between two of its windows; 0: as many as a window has.
        clock: Time.

    Raises:
        UsageError: The board refuses it, or has no stream that it reads.
        NoAnswer: It does not answer.
    """
    from hil.models.int8.placed import fitting

    state = _state(bridge, role)
    if state.info is None or state.downlink is None:
        raise UsageError("a network is put on native boards only", state.port, "leave `network` out of [setup]")
    oplist = unpack(blob)
    placing = Placing.onto(state.info, state.downlink, blob, fitting(oplist, state.info).name, hop or oplist.window)
    came: list[Arrival] = []
    while not (placing.done or placing.failed):
        for message in placing.due(clock.now_ns()):
            bridge.send(role, message)
        fresh = bridge.take(0.05)
        came += fresh
        for answer in answers_in(item for one in fresh if one.board == role for item in one.items):
            placing.take(answer, clock.now_ns())
        placing.met(_state(bridge, role).info)
    if placing.failed:
        kind = NoAnswer if placing.unanswered else UsageError
        raise kind(placing.failed, state.port, "`hil model deploy MODEL --dry-run` tells what it needs")
    return came


def last_counts(bridge: Bridge, roles: Sequence[str], clock: Clock) -> Iterator[Arrival]:
    """Ask the boards what became of their windows; yield what comes until each has said it, or for two seconds."""
    waiting = set(roles)
    for role in roles:
        bridge.send(role, Message(Kind.GET_STATUS))
    until = clock.now_ns() + int(_ANSWER_S * 1e9)
    while waiting and clock.now_ns() < until:
        for arrival in bridge.take(0.05):
            if any(isinstance(item, Status) and "model" in item.fields for item in arrival.items):
                waiting.discard(arrival.board)
            yield arrival


def _state(bridge: Bridge, role: str) -> BoardState:
    return next(state for state in bridge.boards() if state.role == role)
