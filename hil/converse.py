"""Say one thing to a board and hear what it says: the core of `hil send`."""

from collections.abc import Iterator

from firmware_bridge.batch import Log, Status
from firmware_bridge.bridge import Bridge
from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.errors import NoAnswer
from firmware_bridge.roles import PortSpec

__all__ = ["converse"]

MEET_S = 3.0
"""How long a board may take to show how it talks. One that is silent until asked is sent the line as it stands."""


def converse(spec: PortSpec, text: str, seconds: float, clock: Clock | None = None) -> Iterator[str]:
    """Send a line or a native message and yield what comes back, as lines.

    Args:
        spec: The board.
        text: A line of text, or a native message such as `PING token=7`.
        seconds: How long to listen.
        clock: Time.

    Raises:
        BridgeError: The port cannot be opened, or the command cannot be meant.
        NoAnswer: The line could not be written in time.
    """
    clock = clock or SystemClock()
    with Bridge([spec], clock) as bridge:
        known_until = clock.now_ns() + int(MEET_S * 1e9)
        while bridge.boards()[0].info is None and clock.now_ns() < known_until:
            bridge.take(0.05)
        board = bridge.boards()[0]
        command = text if board.info is not None else text.encode() + b"\n"
        sent = bridge.send(spec.port, command)
        try:
            sent.result(timeout=5.0)
        except TimeoutError:
            raise NoAnswer("the line could not be written in 5 s", spec.port, "check flow control and cable") from None
        until = clock.now_ns() + int(seconds * 1e9)
        while (left := (until - clock.now_ns()) / 1e9) > 0:
            for arrival in bridge.take(min(left, 0.1)):
                if board.info is None and arrival.data and arrival.kind == "rx":
                    yield from arrival.data.decode("utf-8", "backslashreplace").splitlines()
                for item in arrival.items:
                    if isinstance(item, Log):
                        yield f"{item.level}: {item.text}"
                    elif isinstance(item, Status):
                        yield f"status: {dict(item.fields)}"
