"""A network onto the live boards of a scenario, before their readings begin: sent, checked, run on their own samples.

Rule of this room: what goes wrong here is the bench's trouble. The board is talked to through the bridge that listens
to it already, so that a recording of the run holds every byte of it.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import TimeoutError as Late

from firmware_bridge.bridge import BoardState, Bridge
from firmware_bridge.clock import Clock
from firmware_bridge.errors import FileError, NoAnswer, UsageError
from firmware_bridge.events import Arrival, Reply, Status
from firmware_bridge.oplist.ops import unpack
from firmware_bridge.wire.deploying import Upload, chunk_room, said
from firmware_bridge.wire.messages import Kind, Message
from hil.scenario.load import Loaded

__all__ = ["last_counts", "place_network", "read_network"]

_ANSWER_S = 2.0
_TRIES = 3


def read_network(loaded: Loaded) -> bytes:
    """Return the op list that `[setup]` names; empty where it names none.

    Raises:
        FileError: It cannot be read, or a board would refuse it.
    """
    setup = loaded.scenario.setup
    if setup is None or not setup.network:
        return b""
    path = loaded.find(setup.network)
    try:
        blob = path.read_bytes()
    except OSError as error:
        what = f"it cannot be read ({error.strerror})"
        raise FileError(what, str(path), "`hil model deploy MODEL -o` makes one") from None
    unpack(blob, str(path))
    return blob


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

    state = next(state for state in bridge.boards() if state.role == role)
    if state.info is None or state.downlink is None:
        raise UsageError("a network is put on native boards only", state.port, "leave `network` out of [setup]")
    oplist = unpack(blob)
    stream = fitting(oplist, state.info)
    came = _uploaded(bridge, state, blob, clock)
    judge = {"stream": state.downlink.ids[stream.name], "on": 1, "hop": hop or oplist.window}
    return came + _done(bridge, state, Message(Kind.STREAM_INFER, judge), clock)


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


def _uploaded(bridge: Bridge, state: BoardState, blob: bytes, clock: Clock) -> list[Arrival]:
    assert state.info is not None
    assert state.downlink is not None
    room = state.info.extra.get("limits", {}).get("rx_buffer", 0)
    upload = Upload(blob, chunk_room(state.downlink.max_frame, state.downlink.crc_bits), room)
    came: list[Arrival] = []
    while not (upload.done or upload.failed):
        for message in upload.due(clock.now_ns()):
            bridge.send(state.role, message)
        fresh = bridge.take(0.05)
        came += fresh
        for reply in _replies(fresh, state.role):
            upload.take(reply, clock.now_ns())
    if upload.failed:
        kind = NoAnswer if upload.unanswered else UsageError
        raise kind(upload.failed, state.port, "`hil model deploy MODEL --dry-run` tells what it needs")
    return came


def _done(bridge: Bridge, state: BoardState, command: Message, clock: Clock) -> list[Arrival]:
    """Have a command done that may be said twice; return what came meanwhile."""
    came: list[Arrival] = []
    for _ in range(_TRIES):
        try:
            bridge.send(state.role, command).result(timeout=_ANSWER_S)
        except Late:
            continue
        until = clock.now_ns() + int(_ANSWER_S * 1e9)
        while clock.now_ns() < until:
            fresh = bridge.take(0.05)
            came += fresh
            for reply in _replies(fresh, state.role):
                if reply.of != command.kind:
                    continue
                if reply.kind == Kind.NAK:
                    raise UsageError(f"the board refuses {command.kind.name}: {said(reply)}", state.port)
                return came
    raise NoAnswer(f"the board did not answer {command.kind.name}", state.port, "check the link")


def _replies(arrivals: list[Arrival], role: str) -> list[Message]:
    return [
        Message(Kind[item.kind], item.fields, item.data)
        for arrival in arrivals if arrival.board == role
        for item in arrival.items if isinstance(item, Reply) and item.kind in ("ACK", "NAK")
    ]  # fmt: skip
