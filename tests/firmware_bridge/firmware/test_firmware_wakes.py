"""A board samples by its own timer: it needs no byte of a host to wake up."""

import sys
import time
from collections.abc import Sequence

import numpy as np
import pytest
from firmware_bench import bench, needs, on_every_kind, until

from firmware_bridge.batch import Batch
from firmware_bridge.transport import open_transport
from firmware_bridge.wire.dialect import Described, Samples
from firmware_bridge.wire.encode import encode
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.native import NativeDialect

pytestmark = [pytest.mark.firmware, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")]


def prompt(late_ns: Sequence[int]) -> bool:
    """Whether half of the last 50 samples (a second of them) came when they were due.

    A board that wakes once a second, the longest that it ever sleeps, sends the half of them half a second late, again
    and again. One that wakes for each is prompt some time, however often a busy machine holds us or it up.
    """
    last = np.array(late_ns[-50:])
    return len(last) == 50 and float(np.median(last - last.min())) < 200e6


@on_every_kind
def test_a_board_wakes_when_a_sample_is_due_though_the_host_says_nothing(kind: str) -> None:
    needs(kind)
    dialect, started, late = NativeDialect(), False, []
    transport, end = open_transport(f"firmware://{kind}?rate=50"), time.monotonic() + 60.0
    try:
        transport.write(encode(Message(Kind.IDENTIFY), 0, 16))
        while not prompt(late):
            assert time.monotonic() < end, f"{len(late)} samples came, and never when they were due"
            for heard in dialect.feed(transport.read(0.05), now := time.monotonic_ns()):
                if isinstance(heard, Described) and not started:
                    transport.write(dialect.send(Message(Kind.START, {"nonce": 5, "streams": 0, "injected": 0})))
                    started = True
                elif isinstance(heard, Samples):
                    late += [now - 1000 * int(tick) for tick in heard.ticks]
    finally:
        transport.close()


@on_every_kind
def test_a_board_that_samples_slowly_wakes_for_every_sample(kind: str) -> None:
    """Not for several together, though it is pinged and answers meanwhile."""
    needs(kind)
    out: list = []

    def late(out: list) -> list[int]:
        each = [(arrival.t_ns, item) for arrival in out for item in arrival.items if isinstance(item, Batch)]
        return [t_ns - 1000 * int(tick) for t_ns, batch in each for tick in batch.ticks]

    with bench(f"firmware://{kind}?rate=50") as bridge:
        until(bridge, out, lambda out: prompt(late(out)))
    assert sum(isinstance(item, Batch) for arrival in out for item in arrival.items) >= 25
