"""A board samples by its own timer: it needs no byte of a host to wake up."""

import sys
import time

import numpy as np
import pytest
from firmware_bench import bench, count, needs, on_every_kind, until

from firmware_bridge.batch import Batch
from firmware_bridge.transport import open_transport
from firmware_bridge.wire.dialect import Described, Samples
from firmware_bridge.wire.encode import encode
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.native import NativeDialect

pytestmark = [pytest.mark.firmware, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")]


@on_every_kind
def test_a_board_wakes_when_a_sample_is_due_though_the_host_says_nothing(kind: str) -> None:
    needs(kind)
    dialect, began, came = NativeDialect(), 0.0, 0
    transport = open_transport(f"firmware://{kind}?rate=50")
    try:
        transport.write(encode(Message(Kind.IDENTIFY), 0, 16))
        while not began or time.monotonic() < began + 0.9:  # a second is the longest that a board ever sleeps
            for heard in dialect.feed(transport.read(0.05), time.time_ns()):
                if isinstance(heard, Described) and not began:
                    transport.write(dialect.send(Message(Kind.START, {"nonce": 5, "streams": 0, "injected": 0})))
                    began = time.monotonic()
                came += isinstance(heard, Samples)
    finally:
        transport.close()
    assert came >= 5  # of 45; a board that only wakes for a byte of the host sends the first


@on_every_kind
def test_a_board_that_samples_slowly_wakes_for_every_sample(kind: str) -> None:
    """Not for several together: half of the samples of two seconds are sent when they are due, however busy we are."""
    needs(kind)
    out: list = []
    with bench(f"firmware://{kind}?rate=50") as bridge:
        until(bridge, out, lambda out: count(out) >= 100)
    sent = [(arrival.t_ns, item) for arrival in out for item in arrival.items if isinstance(item, Batch)]
    late = np.array([t_ns - int(batch.ticks[-1]) * 1000 for t_ns, batch in sent])
    assert len(sent) >= 50
    assert np.median(late - late.min()) < 200e6
