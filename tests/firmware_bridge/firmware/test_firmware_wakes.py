"""A board samples by its own timer: it needs no byte of a host to wake up."""

import sys
import time

import pytest
from firmware_bench import needs, on_every_kind

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
