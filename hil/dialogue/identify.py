"""Who is at a port: opens it, asks, and closes it again; the core of `hil ports --identify`."""

from collections.abc import Sequence

from firmware_bridge.bridge import Bridge
from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.errors import BridgeError
from firmware_bridge.ports import PortInfo
from firmware_bridge.roles import PortSpec
from firmware_bridge.streams import BoardInfo

__all__ = ["identify"]

ASK_S = 4.0


def identify(
    ports: Sequence[PortInfo], seconds: float = ASK_S, clock: Clock | None = None
) -> tuple[dict[str, BoardInfo], list[str]]:
    """Ask every port that nobody holds who is there, one after another.

    Args:
        ports: Attached ports; virtual boards are not asked.
        seconds: How long each may take to answer.
        clock: Time.

    Returns:
        Who answered, by port, and a sentence for each port where nobody did.
    """
    clock = clock or SystemClock()
    known: dict[str, BoardInfo] = {}
    told = []
    for info in ports:
        if "://" in info.port:
            continue
        if info.held_by:
            told.append(f"{info.port} was not asked: {info.held_by} has it open")
            continue
        try:
            found = _asked(info.port, clock, seconds)
        except BridgeError as error:
            told.append(f"{info.port} was not asked: {error}")
            continue
        if found is None:
            told.append(f"{info.port}: nobody said who it is in {seconds:g} s")
        else:
            known[info.port] = found
    return known, told


def _asked(port: str, clock: Clock, seconds: float) -> BoardInfo | None:
    with Bridge([PortSpec(port)], clock) as bridge:
        until = clock.now_ns() + int(seconds * 1e9)
        while clock.now_ns() < until:
            bridge.take(0.05)
            if (info := bridge.boards()[0].info) is not None:
                return info
    return None
