"""A whole conversation with one board on a clock that waits for nobody: seconds of bench time in milliseconds.

The same link, session and faults as at the bench, stepped by a clock that stands still unless somebody waits on it. For
virtual boards only: a real one lives on real time.
"""

from firmware_bridge.batch import Arrival
from firmware_bridge.clock import ManualClock
from firmware_bridge.faults.dialect import faulty
from firmware_bridge.faults.schedule import Schedule
from firmware_bridge.faults.uplink import Uplink
from firmware_bridge.faulty import FaultyWay
from firmware_bridge.plan import Judge, Plan, Session
from firmware_bridge.turn import Turn
from firmware_bridge.way import Way
from firmware_bridge.wire.dialect import DialectSpec

__all__ = ["rehearse"]

_STEP_S = 0.05


def rehearse(
    port: str, seconds: float, schedule: Schedule | None = None, *, role: str = "dut",
    dialect: DialectSpec | None = None, nonce: int = 77, clock: ManualClock | None = None,
) -> list[Arrival]:  # fmt: skip
    """Return everything that a host hears from a virtual board, decoded, in order.

    Args:
        port: `virtual://NAME?...`.
        seconds: Bench time.
        schedule: What goes wrong at every level between the board's sensors and the host.
        role: Name of the board.
        dialect: How it talks; native by default.
        nonce: Of the session.
        clock: Moved on by `seconds`.

    Raises:
        UsageError: The port cannot be meant.
    """
    from firmware_bridge.wire.dialects import make_dialect
    from firmware_bridge.wire.protocol import Session as Conversation

    faults = schedule or Schedule()
    time = clock or ManualClock()
    spec = faulty(dialect or DialectSpec("native"), faults, role)
    uplink = Uplink(faults, role)
    direct = Way(port, time)
    way = FaultyWay(direct, uplink, time) if uplink else direct
    heard: list[Arrival] = []

    def put(arrival: Arrival, force: bool = False) -> int:
        heard.append(arrival)
        return 0

    def make_session(name: str, judge: Judge) -> Session:
        return Conversation(name, make_dialect(spec), nonce=nonce, expect=judge)

    def idle(wait_s: float) -> None:
        time.advance_ns(max(1, round(wait_s * 1e9)))

    turn = Turn(way, Plan(role, make_session, lambda _: role), time, put, idle)
    end = time.now_ns() + round(seconds * 1e9)
    while time.now_ns() < end and turn.step(min(_STEP_S, (end - time.now_ns()) / 1e9)):
        pass
    turn.close()
    return heard
