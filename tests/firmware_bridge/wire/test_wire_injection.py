"""Readings pushed into a board arrive once each and in order, whatever the link loses, repeats or holds up."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Item, Reply, Status
from firmware_bridge.streams import Stream
from firmware_bridge.virtual.native import NativeBoard
from firmware_bridge.virtual.sensors import ArraySensor
from firmware_bridge.virtual.settings import Identity, Settings
from firmware_bridge.wire.inject import Downlink, Injector, downlink_of
from firmware_bridge.wire.messages import Kind
from firmware_bridge.wire.native import NativeDialect
from firmware_bridge.wire.protocol import Session

IMU = Stream("imu", ("x", "y"), ("g", "g"), "<i2", (2,), 1000.0)
RAW = np.arange(2 * 400, dtype="<i2").reshape(400, 2)
MS = 1_000_000
DOWN = Downlink({"imu": 0}, 256, 16)

Lossy = Callable[[bytes], list[bytes]]


def through(frame: bytes) -> list[bytes]:
    return [frame]


def converse(down: Lossy, up: Lossy, room: int = 64, seconds: float = 30.0) -> tuple[Injector, list[int]]:
    """Push `RAW` into a virtual board over links that do what they like; return the numbers that the board took."""
    taken: list[int] = []

    class Noted(NativeBoard):
        def _emit(self, index: int, at_ns: int, now_ns: int, group: int | None = None) -> None:
            before = self._feeds[0].consumed
            super()._emit(index, at_ns, now_ns, group)
            taken.extend(range(before, self._feeds[0].consumed))

    board = Noted(Identity("b", "1", "f"), [ArraySensor(IMU, RAW[:1])], Settings(group=5, room=room))
    session = Session("dut", NativeDialect(), nonce=5, injected=lambda info: "imu")
    injector, now = None, 1_700_000_000_000_000_000
    board.receive(b"", now)
    session.opened("p", now)
    end = now + round(seconds * 1e9)
    while now < end:
        asked, _ = session.due(now)
        words = [asked] if asked else []
        if injector is not None:
            words += [session.dialect.send(message) for message in injector.due(now)]
        for word in words:
            session.sent(word, now)
            for frame in word.split(b"\0")[:-1]:
                for copy in down(frame + b"\0"):
                    board.receive(copy, now)
        now += 10 * MS
        came = b"".join(copy for frame in board.poll(now).split(b"\0")[:-1] for copy in up(frame + b"\0"))
        items = session.received(came, now)
        downlink = downlink_of(session.dialect)
        if injector is None and downlink is not None:
            injector = Injector(IMU, RAW, downlink)
        for item in items if injector is not None else ():
            injector.take(item, now)
        if injector is not None and (injector.done or injector.failed):
            break
    assert injector is not None
    return injector, taken


def unreliable(seed: int, lost: float, twice: float) -> Lossy:
    draw = np.random.default_rng(seed)

    def carry(frame: bytes) -> list[bytes]:
        at = draw.random()
        return [] if at < lost else [frame, frame] if at < lost + twice else [frame]

    return carry


@settings(max_examples=15)
@given(st.integers(0, 2**32), st.floats(0, 0.4), st.floats(0, 0.4), st.integers(8, 256))
def test_the_board_takes_every_reading_once_and_in_order_over_links_that_lose_and_repeat(
    seed: int, lost: float, twice: float, room: int
) -> None:
    injector, taken = converse(unreliable(seed, lost, twice), unreliable(seed + 1, lost, twice), room, 120.0)
    assert injector.failed == ""
    assert taken == list(range(400))


def test_over_a_good_link_nothing_is_sent_twice_and_nothing_starves() -> None:
    injector, taken = converse(through, through)
    assert taken == list(range(400))
    assert (injector.pushed, injector.returned, injector.resent, injector.starved) == (400, 400, 0, 0)


def test_every_lost_credit_is_made_good_by_status_and_samples() -> None:
    credit = int(Kind.CREDIT)
    injector, taken = converse(through, lambda frame: [] if frame[1:2] == bytes([credit]) else [frame], seconds=60.0)
    assert injector.failed == ""
    assert taken == list(range(400))


def test_never_more_than_the_credit_is_under_way_and_several_samples_share_a_frame() -> None:
    injector = Injector(IMU, RAW, DOWN, ahead=100)
    started(injector, credit=30)
    frames = injector.due(0)
    assert sum(frame.n for frame in frames if frame.kind == Kind.INJECT) <= 30
    assert max(frame.n for frame in frames) > 1
    assert injector.due(1) == []


def test_a_hole_is_mended_from_the_sample_that_the_board_names_and_once_for_all_that_were_under_way() -> None:
    injector = Injector(IMU, RAW, DOWN, ahead=64)
    started(injector, credit=64)
    assert injector.due(0)
    for _ in range(3):
        injector.take(nak(6, 16), 100 * MS)
    again = [frame.first for frame in injector.due(100 * MS) if frame.kind == Kind.INJECT]
    assert again[0] == 16
    assert injector.resent == 48


def test_a_board_that_gives_no_credit_is_given_up_with_a_sentence_that_says_so() -> None:
    injector = Injector(IMU, RAW, DOWN)
    started(injector, credit=0)
    asked = [message.kind for at in range(0, 12_000, 50) for message in injector.due(at * MS)]
    assert set(asked) == {Kind.GET_STATUS}
    assert "gave no credit" in injector.failed


def test_a_board_that_stops_using_readings_is_given_up_and_the_readings_are_named() -> None:
    injector = Injector(IMU, RAW, DOWN, ahead=64)
    started(injector, credit=64)
    for at in range(0, 12_000, 50):
        injector.due(at * MS)
    assert injector.failed.startswith("readings 0 to 63 were pushed")


def test_a_refusal_for_another_reason_ends_it_with_what_the_board_said() -> None:
    injector = Injector(IMU, RAW, DOWN)
    started(injector, credit=64)
    injector.due(0)
    injector.take(nak(1, 0, b"what is INJECT?"), MS)
    assert "what is INJECT?" in injector.failed


def test_samples_that_were_never_pushed_show_that_the_board_reads_its_own_sensor() -> None:
    injector = Injector(IMU, RAW, DOWN, ahead=64)
    started(injector, credit=64)
    injector.due(0)
    ticks = np.zeros(500, np.int64)
    injector.take(Batch("dut", IMU, 0, 0, ticks, ticks, np.zeros((500, 2), "<i2")), MS)
    assert "does not take injected samples" in injector.failed


def test_what_the_last_readings_starve_is_not_counted() -> None:
    injector, _ = converse(through, through)
    row = {"produced": 400, "dropped": 0, "starved": 77, "credit": 464, "consumed": 400}
    injector.take(Status("dut", 0, {"nonce": 5, "streams": {"imu": row}}), 0)
    assert injector.starved == 0


@settings(max_examples=30)
@given(st.integers(2**32 - 500, 2**32 + 500))
def test_counters_of_32_bits_that_wrap_are_followed(base: int) -> None:
    from firmware_bridge.wire.inject import _near

    assert _near((base + 90) % 2**32, base) == base + 90
    assert _near((base - 90) % 2**32, base) == base - 90


def test_a_sample_that_fits_no_frame_is_refused() -> None:
    with pytest.raises(UsageError, match="does not fit a frame"):
        Injector(IMU, RAW, Downlink({"imu": 0}, 14, 16))


def started(injector: Injector, credit: int) -> None:
    items: list[Item] = [
        Reply("dut", 0, "ACK", {"of": Kind.START, "of_seq": 0}),
        Reply("dut", 0, "CREDIT", {"stream": 0, "total": credit}),
    ]
    for item in items:
        injector.take(item, 0)


def nak(reason: int, detail: int, text: bytes = b"") -> Reply:
    return Reply("dut", 0, "NAK", {"of": Kind.INJECT, "of_seq": 0, "reason": reason, "detail": detail}, text)
