"""Say one thing to a board and hear what it says: the core of `hil send`."""

from collections.abc import Iterator

from firmware_bridge.bridge import Bridge
from firmware_bridge.clock import Clock, Patience, SystemClock
from firmware_bridge.errors import NoAnswer
from firmware_bridge.events import Arrival, ClockReading, Item, Log, Reply, Status
from firmware_bridge.roles import PortSpec
from firmware_bridge.wire.messages import Kind, name_of

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
        patience = Patience(clock, MEET_S)
        while bridge.boards()[0].info is None and not patience.over():
            bridge.take(0.05)
        board = bridge.boards()[0]
        command = text if board.info is not None else text.encode() + b"\n"
        sent = bridge.send(spec.port, command)
        try:
            sent.result(timeout=5.0)
        except TimeoutError:
            raise NoAnswer("the line could not be written in 5 s", spec.port, "check flow control and cable") from None
        until, written_ns, over = clock.now_ns() + int(seconds * 1e9), 0, False
        while not over:
            left = (until - clock.now_ns()) / 1e9
            over = left <= 0
            for arrival in bridge.take(0.05 if over else min(left, 0.1)):
                if board.info is None and arrival.data and arrival.kind == "rx":
                    yield from arrival.data.decode("utf-8", "backslashreplace").splitlines()
                if arrival.kind == "tx" and arrival.data == sent.result():
                    written_ns = arrival.t_ns
                for item in arrival.items:
                    if (line := _line(item, arrival, written_ns)) is not None:
                        yield line


def _line(item: Item, arrival: Arrival, written_ns: int) -> str | None:
    """Return what a board said, as a line; None for readings and for answers to what nobody asked here."""
    match item:
        case Log(level=level, text=text):
            return f"{level}: {text}"
        case Status():
            return f"status: {dict(item.fields)}"
        case Reply(kind="ACK", fields=fields):
            return None if fields["of"] == Kind.START else f"ack: {name_of(fields['of'])}"  # START is the bench's own
        case Reply(kind=kind, fields=fields, data=data) if kind != "NAK":  # a refusal is a warning already
            return " ".join([f"{kind.lower()}:", str(dict(fields)), data.hex()]).rstrip()
        case ClockReading(sent_ns=sent_ns, tick=tick) if sent_ns == written_ns:
            return f"pong: tick {tick}, round trip {(arrival.t_ns - sent_ns) / 1e6:.2f} ms"
        case _:
            return None
