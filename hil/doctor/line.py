"""What a port does: round trips to the board, how its bytes come, what is damaged; or a loop-back plug.

Rule of this room: `listen` and `loop_back` measure through the same bridge and transports as capture; judging is pure.
"""

import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from firmware_bridge.bridge import Bridge
from firmware_bridge.clock import Clock
from firmware_bridge.events import ClockReading
from firmware_bridge.roles import PortSpec
from firmware_bridge.transport import open_transport
from hil.doctor.finding import OK, TROUBLE, UNKNOWN, WARNING, Finding

__all__ = ["Heard", "Looped", "judge_heard", "judge_looped", "listen", "loop_back"]

TRIPS = 20
"""Single bytes that are timed."""
BLOCK = 256
"""Bytes of a block that goes around a loop-back plug."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came from a board.

    Attributes:
        board: Who it is; empty where it did not say.
        seconds: How long was listened.
        trips_us: Round trips of pings without the time that the board itself took, microseconds.
        blocks: Bytes of each read.
        spaces_us: Time from read to read, microseconds.
        samples: Samples that came.
        damaged: Bytes in frames that did not match their checksum; None where the board sends none.
        lost: Samples that are missing; None where nobody counts.
        uncertainty_us: What the clock fit says of a sample's host time; None where there is no fit.
        state: How the board stood at the end.
        reason: Why, where it was not live.
    """

    board: str
    seconds: float
    trips_us: tuple[float, ...]
    blocks: tuple[int, ...]
    spaces_us: tuple[float, ...]
    samples: int
    damaged: int | None
    lost: int | None
    uncertainty_us: float | None
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Looped:
    """What came back through a loop-back plug.

    Attributes:
        sent: Bytes.
        back: Bytes that came back in their place and as they were.
        wrong: Bytes that came back changed.
        seconds: How long it took.
        trips_us: Time of single bytes, out and back, microseconds.
    """

    sent: int
    back: int
    wrong: int
    seconds: float
    trips_us: tuple[float, ...]


def listen(spec: PortSpec, seconds: float, clock: Clock) -> Heard:
    """Listen to a board for a while; the session pings it ten times a second if it answers.

    Raises:
        BridgeError: The port cannot be opened.
    """
    trips: list[float] = []
    blocks: list[int] = []
    times: list[int] = []
    with Bridge([spec], clock) as bridge:
        begun = clock.now_ns()
        while (left := seconds - (clock.now_ns() - begun) / 1e9) > 0:
            for arrival in bridge.take(min(0.1, left)):
                if arrival.kind == "rx" and arrival.data:
                    blocks.append(len(arrival.data))
                    times.append(arrival.t_ns)
                trips += [(item.received_ns - item.sent_ns) / 1e3
                          for item in arrival.items if isinstance(item, ClockReading)]  # fmt: skip
        spent = (clock.now_ns() - begun) / 1e9
        (board,) = bridge.boards()
    books, info = board.books, board.info
    streams = tuple(books.streams.values())
    names = ("lost", "unattributed", "board_dropped", "host_dropped")
    parts = [getattr(one, name) for one in streams for name in names]
    known = f"{info.model} {info.serial} {info.firmware}".strip() if info else ""
    return Heard(
        known, spent, tuple(trips), tuple(blocks),
        tuple((after - before) / 1e3 for before, after in pairwise(times)),
        sum(one.delivered for one in streams), books.buckets.get("crc") if info and info.dialect == "native" else None,
        None if not parts or None in parts else sum(parts),
        None if board.clock is None else board.clock.uncertainty_ns / 1e3, board.state, board.reason,
    )  # fmt: skip


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def judge_heard(port: str, heard: Heard, baud: int | None) -> Iterator[Finding]:
    """Yield what that means.

    Args:
        port: The port.
        heard: What came.
        baud: Bits a second of the line; None where it has none.
    """
    if not heard.blocks:
        why = f" ({heard.reason})" if heard.reason else ""
        yield Finding(TROUBLE, port, "bytes", f"none came in {heard.seconds:.1f} s{why}",
                      "check the cable and power, press the board's reset key, try another ?baud=")  # fmt: skip
        return
    if heard.board:
        yield Finding(OK, port, "board", f"{heard.board} answers")
    else:
        yield Finding(WARNING, port, "board", "it sends, and does not say who it is",
                      "describe it with a board file (`hil sketch`), or try another ?baud=")  # fmt: skip
    yield from _flow(port, heard, baud)
    if heard.trips_us:
        least, middle = min(heard.trips_us), statistics.median(heard.trips_us)
        slow = middle >= 20_000
        yield Finding(WARNING if slow else OK, port, "round trip",
                      f"{least:.0f} µs at best, {middle:.0f} µs in the middle of {len(heard.trips_us)}",
                      "shorten the latency timer, or the board's loop" if slow else "", least, "us")  # fmt: skip
    else:
        yield Finding(UNKNOWN, port, "round trip", "the board answers no ping, so its clock is dated one way only",
                      "times are as late as the fastest delivery: a native board tells more")  # fmt: skip
    yield _integrity(port, heard)


def _flow(port: str, heard: Heard, baud: int | None) -> Iterator[Finding]:
    """Yield how many bytes come, how many at a time, and how evenly."""
    rate = sum(heard.blocks) / heard.seconds
    share = rate * 10 / baud if baud else None
    full = share is not None and share > 0.7
    yield Finding(
        WARNING if full else OK, port, "rate",
        f"{rate:,.0f} bytes/s" + (f", {share:.0%} of {baud} baud" if share is not None else ""),
        "raise the baud rate or lower the board's rate: more than 70 % leaves no room" if full else "", rate, "B/s",
    )  # fmt: skip
    size = statistics.median(heard.blocks)
    yield Finding(OK, port, "blocks", f"{size:.0f} bytes at a time, at most {max(heard.blocks)}", "", size, "B")
    if len(heard.spaces_us) < 5:
        return
    middle, late = (_quantile(heard.spaces_us, one) for one in (0.5, 0.99))
    todo = ""
    if baud and 14_000 < middle < 18_000 and size >= 50:
        todo = "it looks like a latency timer of 16 ms: set it to 1 ms"
    elif late - middle > 50_000:
        todo = "end what else runs on this computer, or use a port of its own without a hub"
    yield Finding(
        WARNING if todo else OK, port, "jitter",
        f"blocks come every {middle / 1e3:.2f} ms, 1 of 100 later than {late / 1e3:.2f} ms", todo, late - middle, "us",
    )  # fmt: skip


def _integrity(port: str, heard: Heard) -> Finding:
    if heard.damaged:
        return Finding(WARNING, port, "damage", f"{heard.damaged} bytes did not match their checksum",
                       "use a shorter or shielded cable, or a lower baud rate", heard.damaged, "B")  # fmt: skip
    if heard.lost:
        return Finding(WARNING, port, "loss", f"{heard.lost} samples are missing of {heard.samples}",
                       "see `hil ui` for whether link or board lost them", heard.lost, "1")  # fmt: skip
    if heard.lost is None:
        return Finding(UNKNOWN, port, "loss", "the board numbers nothing, so that a loss cannot be seen",
                       "describe a counter in a board file, where it has one")  # fmt: skip
    return Finding(OK, port, "loss", f"none among {heard.samples} samples", "", 0.0, "1")


def loop_back(port: str, seconds: float, clock: Clock, seed: int = 0) -> Looped:
    """Send through a loop-back plug (the line's TX joined to its RX) and compare what comes back.

    Raises:
        BridgeError: The port cannot be opened.
    """
    chance = random.Random(seed)
    line = open_transport(port, clock=clock)
    try:
        end = clock.now_ns() + round(seconds * 1e9)
        trips: list[float] = []
        for _ in range(TRIPS):
            if (trip := _trip(line.write, line.read, chance, clock)) is None:
                break  # without a plug every byte would be waited for
            trips.append(trip)
        sent = back = wrong = 0
        begun = clock.now_ns()
        while trips and (not sent or clock.now_ns() < end):  # one block at least, however long the bytes took
            block = chance.randbytes(BLOCK)
            came = _around(line.write, line.read, block, clock)
            sent += len(block)
            same = sum(a == b for a, b in zip(block, came, strict=False))
            back, wrong = back + same, wrong + len(came) - same
        return Looped(sent, back, wrong, max(1e-9, (clock.now_ns() - begun) / 1e9), tuple(trips))
    finally:
        line.close()


def _trip(
    write: Callable[[bytes], int], read: Callable[[float], bytes], chance: random.Random, clock: Clock
) -> float | None:
    token = chance.randbytes(1)
    begun = clock.now_ns()
    came = _around(write, read, token, clock)
    return (clock.now_ns() - begun) / 1e3 if came == token else None


def _around(write: Callable[[bytes], int], read: Callable[[float], bytes], block: bytes, clock: Clock) -> bytes:
    """Send a block and return what comes within half a second of the last byte."""
    left, came = block, b""
    until = clock.now_ns() + 500_000_000
    while len(came) < len(block) and clock.now_ns() < until:
        if left:
            left = left[write(left) :]
        if got := read(0.0 if left else 0.05):
            came += got
            until = clock.now_ns() + 500_000_000
    return came


def judge_looped(port: str, looped: Looped, baud: int | None) -> Iterator[Finding]:
    """Yield what that means."""
    if not looped.trips_us:
        yield Finding(TROUBLE, port, "loop-back", "nothing that was sent came back",
                      "join TX to RX at the adapter, or leave --loopback out where a board is attached")  # fmt: skip
        return
    lost = looped.sent - looped.back - looped.wrong
    bad = lost + looped.wrong
    yield Finding(
        TROUBLE if bad else OK, port, "loop-back",
        f"{looped.sent} bytes went around, {looped.wrong} came back changed and {lost} not at all",
        "lower the baud rate, use another cable or adapter" if bad else "", bad, "B",
    )  # fmt: skip
    least, middle = min(looped.trips_us), statistics.median(looped.trips_us)
    yield Finding(OK if middle < 20_000 else WARNING, port, "round trip",
                  f"{least:.0f} µs at best, {middle:.0f} µs in the middle for one byte",
                  "" if middle < 20_000 else "shorten the adapter's latency timer", least, "us")  # fmt: skip
    rate = looped.back / looped.seconds
    yield Finding(OK, port, "sustained rate", f"{rate:,.0f} bytes/s both ways at once, in blocks of {BLOCK}"
                  + (f" ({rate * 10 / baud:.0%} of {baud} baud)" if baud else ""), "", rate, "B/s")  # fmt: skip
