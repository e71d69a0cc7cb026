"""The conversation: who is there, what came, what did not, whose fault it was, live and replayed alike."""

import random
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from cobs import cobs
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_board import IMU, INFO, ToyBoard

from firmware_bridge.batch import Batch
from firmware_bridge.events import (
    Arrival,
    ClockReading,
    Connected,
    Damage,
    Disconnected,
    Gap,
    Item,
    Log,
    RateChanged,
    Rebooted,
    Reply,
    Stall,
    Status,
)
from firmware_bridge.streams import BoardInfo, Stream  # fmt: skip
from firmware_bridge.wire.dialect import Described, Samples, Text
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.native import NativeDialect
from firmware_bridge.wire.protocol import Session

T0 = 1_700_000_000_000_000_000
MS = 1_000_000
NONCE = 77


class Bench:
    """A session and a scripted board with a clock that the test moves."""

    def __init__(self, board: ToyBoard | None = None, **how: Any) -> None:
        self.board = board or ToyBoard()
        self.session = Session("toy", NativeDialect(), nonce=NONCE, **how)
        self.now = T0
        self.history: list[Arrival] = []
        self.open()

    def apply(self, kind: str, data: bytes) -> list[Item]:
        self.now += MS
        arrival = self.session.apply(Arrival("toy", len(self.history), self.now, kind, data))
        self.history.append(arrival)
        return list(arrival.items)

    def open(self) -> list[Item]:
        return self.apply("open", b"virtual://toy")

    def hear(self, *pieces: bytes) -> list[Item]:
        return self.apply("rx", b"".join(pieces))

    def write(self, message: Message) -> bytes:
        data = self.session.dialect.send(message)
        self.apply("tx", data)
        return data

    def start(self, nonce: int = NONCE) -> "Bench":
        self.hear(self.board.hello())
        self.write(Message(Kind.START, {"nonce": nonce, "streams": 0, "injected": 0}))
        self.hear(self.board.ack(Kind.START))
        return self

    def said(self) -> list[Kind]:
        """What `due` proposes now."""
        data, _ = self.session.due(self.now)
        probe = NativeDialect()
        probe._sent.crc_bits = self.session.dialect._sent.crc_bits
        return [message.kind for message in probe.sent(data)]


def kinds(items: Iterable[Item]) -> list[str]:
    return [type(item).__name__ for item in items]


def numbers(items: Iterable[Item], stream: str = "imu") -> list[int]:
    return [
        number for item in items if isinstance(item, Batch) and item.stream.name == stream
        for number in range(item.first, item.end)
    ]  # fmt: skip


def books(bench: Bench, stream: str = "imu", boot: int = 0):
    made = bench.session.books()
    assert made.closes() == []
    return made.streams[stream, boot]


def only(items: Iterable[Item], kind: type) -> Any:
    found = [item for item in items if isinstance(item, kind)]
    assert len(found) == 1
    return found[0]


# ---------------------------------------------------------------------- who is there


def test_a_hello_connects():
    bench = Bench()
    assert bench.said() == [Kind.IDENTIFY]
    connected = only(bench.hear(bench.board.hello()), Connected)
    assert (connected.info, connected.boot, bench.session.info) == (INFO, 0, INFO)
    assert Kind.START in bench.said()


def test_a_second_hello_of_the_same_board_says_nothing():
    bench = Bench().start()
    assert bench.hear(bench.board.hello(nonce=NONCE)) == []


def test_the_wrong_board_is_refused_in_a_sentence_and_delivers_nothing():
    bench = Bench(expect=lambda info: None if info.serial == "S2" else f"{info.serial} answered, S2 was asked for")
    items = bench.hear(bench.board.hello(), bench.board.samples(0, 5))
    assert bench.session.refused == "S1 answered, S2 was asked for"
    assert kinds(items) == ["Log"]
    assert bench.said() == []
    assert books(bench).unstarted == 5
    bench.open()
    assert bench.session.refused == ""
    assert bench.said() == [Kind.IDENTIFY]


def test_a_newer_board_is_refused_with_an_error_line():
    bench = Bench()
    log = only(bench.hear(bench.board.hello(version=9)), Log)
    assert log.level == "error"
    assert "version 9" in bench.session.refused
    assert bench.session.info is None


# ---------------------------------------------------------------------- samples


def test_samples_of_one_read_are_one_batch_a_stream():
    bench = Bench().start()
    board = bench.board
    pong = board.say(Kind.PONG, token=1, tick_received=0, tick_sent=0)
    items = bench.hear(board.samples(0, 20), board.samples(0, 2, stream=1, n=1), pong, board.samples(20, 7))
    imu, ppg = items
    assert (imu.stream.name, imu.first, len(imu), imu.boot, imu.board) == ("imu", 0, 27, 0, "toy")
    assert (ppg.stream.name, ppg.first, len(ppg)) == ("ppg", 0, 2)
    np.testing.assert_array_equal(imu.raw, board.raw(0, 27))
    assert imu.ticks.tolist() == [1000 * k for k in range(27)]
    assert not imu.raw.flags.writeable
    assert not imu.t_ns.flags.writeable


def test_times_never_decrease_and_never_lie_in_the_future():
    bench = Bench().start()
    last = 0
    for k in range(50):
        for item in bench.hear(bench.board.samples(k * 5, 5)):
            assert isinstance(item, Batch)
            assert last <= item.t_ns[0]
            assert (np.diff(item.t_ns) >= 0).all()
            last = int(item.t_ns[-1])
            assert last <= bench.now


def test_a_gap_ends_the_batch_and_says_what_is_missing():
    bench = Bench().start()
    items = bench.hear(bench.board.samples(0, 10), bench.board.samples(15, 5))
    assert kinds(items) == ["Batch", "Gap", "Batch"]
    assert items[1] == Gap("toy", bench.now, "imu", 0, 10, 5, "lost")
    assert numbers(items) == [*range(10), *range(15, 20)]


def test_a_lost_head_is_missing_because_start_numbers_from_0():
    bench = Bench().start()
    assert only(bench.hear(bench.board.samples(7, 3)), Gap).first == 0
    assert books(bench).expected == 10


def test_late_and_duplicate_samples_are_counted_and_retract_nothing():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 5), bench.board.samples(10, 5))
    assert bench.hear(bench.board.samples(5, 5), bench.board.samples(10, 5)) == []
    made = books(bench)
    assert (made.late, made.duplicate, made.delivered, made.unattributed) == (5, 5, 10, 5)


def test_numbers_and_ticks_wrap_without_a_gap():
    bench = Bench()
    bench.hear(bench.board.hello())
    first = 2**32 - 10
    items = []
    for block in range(4):
        ticks = 2**32 - 5000 + np.arange(block * 5, block * 5 + 5) * 1000
        items += bench.hear(bench.board.encoder.samples(0, first + block * 5, ticks, bench.board.raw(0, 5), n=5))
    assert numbers(items) == list(range(first, first + 20))
    ticks = np.concatenate([item.ticks for item in items if isinstance(item, Batch)])
    assert (np.diff(ticks) == 1000).all()


def test_a_forged_jump_does_not_make_everything_after_it_late():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 5))
    assert bench.hear(bench.board.samples(3_000_000_000, 1)) == []
    assert numbers(bench.hear(bench.board.samples(5, 5))) == [5, 6, 7, 8, 9]
    assert books(bench).late == 1


def test_a_changed_rate_ends_the_batch():
    bench = Bench().start()
    bench.write(Message(Kind.SET_RATE, {"stream": 0, "rate_mhz": 500_000}))
    seq = 1
    board = bench.board
    items = bench.hear(board.samples(0, 5), board.ack(Kind.SET_RATE, seq), board.samples(5, 5))
    assert [kind for kind in kinds(items) if kind != "Reply"] == ["Batch", "RateChanged", "Batch"]
    changed = only(items, RateChanged)
    assert (changed.stream, changed.first, changed.rate_hz) == ("imu", 5, 500.0)
    assert bench.session.info.stream("imu").rate_hz == 500.0


# ---------------------------------------------------------------------- boots


def test_the_same_nonce_after_an_unplug_is_a_reconnect_and_the_gap_is_the_links():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 10))
    assert kinds(bench.apply("close", b"unplugged")) == ["Disconnected"]
    bench.open()
    items = bench.hear(bench.board.hello(nonce=NONCE), bench.board.samples(30, 5))
    assert kinds(items) == ["Connected", "Gap", "Batch"]
    assert items[1].cause == "disconnected"
    assert bench.session.boot == 0
    assert (books(bench).expected, books(bench).unattributed) == (35, 20)


@pytest.mark.parametrize("nonce", [0, 12345])
def test_another_nonce_is_a_reboot_and_numbers_begin_again(nonce):
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 10))
    items = bench.hear(bench.board.hello(nonce=nonce))
    assert only(items, Rebooted) == Rebooted("toy", bench.now, 1, False)
    assert Kind.START in bench.said()
    bench.write(Message(Kind.START, {"nonce": NONCE + 1, "streams": 0, "injected": 0}))
    items = bench.hear(bench.board.ack(Kind.START), bench.board.samples(0, 5))
    batch = only(items, Batch)
    assert (batch.first, batch.boot) == (0, 1)
    assert books(bench, boot=1).delivered == 5
    assert books(bench, boot=0).delivered == 10


def test_a_status_under_nonce_0_is_a_reboot_that_no_hello_told():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 10))
    assert kinds(bench.hear(bench.board.status(0, (0, 0, 0)))) == ["Rebooted", "Status"]


def test_the_nonce_of_each_boot_is_another():
    bench = Bench().start()
    bench.hear(bench.board.hello())
    bench.now += 10**9
    data, _ = bench.session.due(bench.now)
    starts = [message for message in bench.session.dialect.sent(data) if message.kind == Kind.START]
    assert [message.nonce for message in starts] == [NONCE + 1]


def test_samples_of_an_earlier_hosts_run_are_given_to_nobody():
    bench = Bench()
    bench.hear(bench.board.hello(nonce=4711), bench.board.samples(5000, 10))
    bench.write(Message(Kind.START, {"nonce": NONCE, "streams": 0, "injected": 0}))
    items = bench.hear(bench.board.samples(5010, 10), bench.board.ack(Kind.START), bench.board.samples(0, 10))
    assert numbers(items) == list(range(10))
    assert Rebooted not in map(type, items)
    assert (books(bench).unstarted, books(bench).delivered, books(bench).expected) == (20, 10, 10)


def test_a_lost_acknowledgement_is_no_harm():
    bench = Bench()
    bench.hear(bench.board.hello(nonce=4711))
    bench.write(Message(Kind.START, {"nonce": NONCE, "streams": 0, "injected": 0}))
    items = bench.hear(bench.board.samples(5010, 10), bench.board.samples(0, 10))
    assert numbers(items) == list(range(10))
    assert Kind.START not in bench.said()


def test_a_lost_acknowledgement_and_head_are_made_good_by_the_next_status():
    bench = Bench()
    bench.hear(bench.board.hello())
    bench.write(Message(Kind.START, {"nonce": NONCE, "streams": 0, "injected": 0}))
    bench.hear(bench.board.samples(5, 5))
    items = bench.hear(bench.board.status(NONCE, (0, 10, 0)))
    assert (only(items, Gap).first, only(items, Gap).count) == (0, 5)
    assert (books(bench).expected, books(bench).lost, books(bench).unattributed) == (10, 5, 0)


def test_a_board_that_only_talks_is_listened_to():
    bench = Bench()
    items = bench.hear(bench.board.hello(), bench.board.samples(1000, 10), bench.board.samples(1015, 5))
    assert numbers(items) == [*range(1000, 1010), *range(1015, 1020)]
    assert books(bench).expected == 20


def test_a_board_that_ran_freely_and_takes_start_is_started_once():
    bench = Bench()
    bench.hear(bench.board.hello(nonce=0), bench.board.samples(500, 10))
    bench.write(Message(Kind.START, {"nonce": NONCE, "streams": 0, "injected": 0}))
    items = bench.hear(bench.board.ack(Kind.START), bench.board.samples(0, 10), bench.board.samples(10, 10))
    assert only(items, Rebooted).boot == 1
    assert numbers(items) == list(range(20))
    bench.now += 10**9
    assert Kind.START not in bench.said()
    assert kinds(bench.hear(bench.board.samples(20, 10))) == ["Batch"]
    assert books(bench, boot=1).missing == 0


def test_a_board_that_refuses_start_is_not_asked_again():
    bench = Bench()
    bench.hear(bench.board.hello(nonce=5))
    bench.write(Message(Kind.START, {"nonce": NONCE, "streams": 0, "injected": 0}))
    nak = bench.board.say(Kind.NAK, b"never", of=Kind.START, of_seq=0, reason=1, detail=0)
    items = bench.hear(nak, bench.board.samples(9, 3))
    assert kinds(items) == ["Log", "Reply", "Batch"]
    assert "refused START: never" in items[0].text
    bench.now += 10**10
    assert Kind.START not in bench.said()


def test_a_host_that_starts_anew_begins_a_new_boot():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 10))
    bench.write(Message(Kind.START, {"nonce": 999, "streams": 0, "injected": 0}))
    items = bench.hear(bench.board.ack(Kind.START), bench.board.samples(0, 5))
    assert only(items, Batch).boot == 1
    assert Gap not in map(type, items)


# ---------------------------------------------------------------------- whose fault


def test_a_status_attributes_what_is_missing():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 10), bench.board.samples(15, 5), bench.board.samples(30, 5))
    assert (books(bench).unattributed, books(bench).lost) == (15, 0)
    status = only(bench.hear(bench.board.status(NONCE, (0, 35, 4))), Status)
    assert status.fields["streams"]["imu"]["dropped"] == 4
    made = books(bench)
    assert (made.board_dropped, made.lost, made.unattributed, made.host_dropped) == (4, 11, 0, 0)


def test_what_vanished_while_the_host_had_stopped_reading_is_the_hosts():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 10))
    assert bench.apply("stall", b"5000000") == [Stall("toy", bench.now, 5_000_000)]
    assert only(bench.hear(bench.board.samples(20, 5)), Gap).cause == "stalled"
    bench.hear(bench.board.status(NONCE, (0, 25, 3)))
    assert (books(bench).board_dropped, books(bench).host_dropped, books(bench).lost) == (3, 7, 0)


def test_a_drop_that_is_told_before_its_gap_shows_is_still_the_boards():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 10), bench.board.status(NONCE, (0, 15, 5)), bench.board.samples(15, 5))
    assert books(bench).unattributed == 5
    bench.hear(bench.board.status(NONCE, (0, 20, 5)))
    assert (books(bench).board_dropped, books(bench).lost) == (5, 0)


def test_a_run_joined_in_the_middle_expects_nothing_from_before_and_blames_nobody_for_what_cannot_be_told():
    bench = Bench().start()
    bench.apply("begin", b"")
    items = bench.hear(bench.board.samples(5000, 10), bench.board.samples(5020, 5))
    assert numbers(items) == [*range(5000, 5010), *range(5020, 5025)]
    assert books(bench).expected == 25
    bench.hear(bench.board.status(NONCE, (0, 5025, 900)), bench.board.samples(5030, 5))
    assert (books(bench).board_dropped, books(bench).unattributed) == (0, 15)
    bench.hear(bench.board.status(NONCE, (0, 5035, 902)))
    assert (books(bench).board_dropped, books(bench).lost, books(bench).unattributed) == (2, 3, 10)


def test_what_the_board_had_made_and_nobody_saw_is_missing_at_the_end():
    bench = Bench().start()
    bench.hear(bench.board.samples(0, 10), bench.board.status(NONCE, (0, 16, 0)))
    items = bench.apply("close", b"stopped")
    assert kinds(items) == ["Gap", "Disconnected"]
    assert (items[0].first, items[0].count, items[0].cause) == (10, 6, "tail")
    assert books(bench).expected == 16


def spoilt(frame: bytes) -> bytes:
    """A frame whose checksum is wrong."""
    body = bytearray(cobs.decode(frame[:-1]))
    body[-1] ^= 1
    return cobs.encode(bytes(body)) + b"\0"


def test_damage_is_an_event_and_lone_zeros_are_not():
    bench = Bench().start()
    broken = spoilt(bench.board.samples(0, 5))
    items = bench.hear(b"\0\0", broken)
    assert items == [Damage("toy", bench.now, "crc", len(broken))]
    assert bench.session.books().buckets["idle"] == 2


@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_frames_with_a_wrong_checksum_are_told_one_by_one_however_reads_were_cut(cut: int):
    bench = Bench().start()
    frames = [bench.board.samples(5 * at, 5) for at in range(6)]
    for at in (1, 2, 4):
        frames[at] = spoilt(frames[at])
    data = b"".join(frames)
    items = [item for at in range(0, len(data), cut) for item in bench.hear(data[at : at + cut])]
    told = [item for item in items if isinstance(item, Damage)]
    assert [(item.kind, item.count) for item in told] == [("crc", len(frames[at])) for at in (1, 2, 4)]


def test_frames_lost_by_their_numbers_are_in_the_books():
    bench = Bench().start()
    bench.board.samples(0, 15)
    bench.hear(bench.board.samples(15, 5))
    assert bench.session.books().frames_lost == 3


# ---------------------------------------------------------------------- answers and clock


def test_pings_date_the_boards_clock():
    bench = Bench().start()
    for token in range(1, 30):
        bench.write(Message(Kind.PING, {"token": token}))
        tick = (bench.now - T0) // 1000
        reading = only(
            bench.hear(bench.board.say(Kind.PONG, token=token, tick_received=tick, tick_sent=tick)), ClockReading
        )
        assert (reading.sent_ns, reading.tick, reading.received_ns) == (bench.now - MS, tick, bench.now)
        bench.now += 100 * MS
    assert bench.session.clock().exchanges == 29
    assert abs(bench.session.clock().drift_ppm) < 1


def test_the_boards_own_turn_around_is_taken_off_a_ping():
    bench = Bench().start()
    bench.write(Message(Kind.PING, {"token": 1}))
    reading = only(
        bench.hear(bench.board.say(Kind.PONG, token=1, tick_received=2**32 - 100, tick_sent=100)), ClockReading
    )
    assert reading.received_ns == bench.now - 200_000


def test_a_pong_that_nobody_asked_for_dates_nothing():
    bench = Bench().start()
    assert bench.hear(bench.board.say(Kind.PONG, token=9, tick_received=1, tick_sent=1)) == []


def test_answers_are_told():
    bench = Bench().start()
    board = bench.board
    items = bench.hear(board.say(Kind.CREDIT, stream=0, total=64), board.say(Kind.LOG, b"warm", level=2, tick=0))
    assert items == [
        Reply("toy", bench.now, "CREDIT", {"stream": 0, "total": 64}),
        Log("toy", bench.now, "warning", "warm"),
    ]


# ---------------------------------------------------------------------- boards without numbers, ticks, nonce


class Plain:
    """A dialect without numbers: it says what the test gives it."""

    api_version, name, talks = 1, "plain", False

    def __init__(self) -> None:
        self.books: dict[str, int] = {"lines": 0}
        self.pending = 0
        self.next: list[Any] = []

    def feed(self, data: bytes, now: int) -> list[Any]:
        self.books["lines"] += len(data)
        heard, self.next = self.next, []
        return heard

    def end(self, now: int) -> list[Any]:
        return []

    def send(self, command: Any) -> bytes:
        return str(command).encode()


PLAIN = Stream("s", ("a",), ("?",), "<f4", (1,), 50.0, counted=False, checked=False, tick_hz=None)
COUNTED = Stream("s", ("a",), ("?",), "<f4", (1,), 50.0, tick_hz=None)
TICKED = Stream("s", ("a",), ("?",), "<f4", (1,), 50.0, counted=False, tick_hz=1000.0)


class PlainBench:
    def __init__(self, stream: Stream) -> None:
        self.stream, self.dialect, self.now = stream, Plain(), T0
        self.session = Session("p", self.dialect, nonce=1)
        self.session.opened("x", self.now)
        self.hear(Described(BoardInfo("unknown", "", "", (stream,), "plain")))

    def hear(self, *heard: Any, wait_ms: int = 20) -> list[Item]:
        self.now += wait_ms * MS
        self.dialect.next = list(heard)
        return self.session.received(b"x", self.now)

    def samples(self, *values: float, **more: Any) -> Samples:
        raw = np.array(values, "<f4")[:, None]
        return Samples(
            self.stream, raw, **{key: value if key == "number_bits" else np.array(value) for key, value in more.items()}
        )


def test_without_numbers_samples_are_counted_by_arrival_and_losses_are_unknown():
    bench = PlainBench(PLAIN)
    (first,) = bench.hear(bench.samples(1, 2))
    (second,) = bench.hear(bench.samples(3))
    assert (first.first, second.first, len(first)) == (0, 2, 2)
    assert first.t_ns.tolist() == [bench.now - 20 * MS] * 2
    assert first.ticks.tolist() == first.t_ns.tolist()
    books = bench.session.books().streams["s", 0]
    assert (books.received, books.delivered, books.lost, books.expected) == (3, 3, None, None)
    assert bench.session.due(bench.now) == (b"", None)


def test_without_numbers_a_silence_or_a_new_connection_is_a_gap_of_unknown_length():
    bench = PlainBench(PLAIN)
    bench.hear(bench.samples(1))
    gap, batch = bench.hear(bench.samples(2), wait_ms=1500)
    assert (gap.cause, gap.count, gap.first, batch.first) == ("silence", None, 1, 1)
    assert kinds(bench.session.closed("gone", bench.now)) == ["Disconnected"]
    bench.session.opened("x", bench.now)
    connected, gap, _ = bench.hear(bench.samples(3))
    assert isinstance(connected, Connected)
    assert (gap.cause, gap.count) == ("disconnected", None)


def test_a_counter_that_begins_again_is_an_inferred_reboot():
    bench = PlainBench(COUNTED)
    bench.hear(bench.samples(1, 2, number=[500, 501]))
    items = bench.hear(bench.samples(3, 4, 5, number=[502, 0, 1]))
    assert kinds(items) == ["Batch", "Rebooted", "Batch"]
    assert items[1].inferred
    assert (items[2].boot, items[2].first, len(items[2])) == (1, 0, 2)
    assert bench.session.books().closes() == []


@pytest.mark.parametrize(("first", "expected"), [(3, ["Rebooted", "Batch"]), (12, ["Gap", "Batch"]), (10, ["Batch"])])
def test_after_a_reconnect_any_step_back_of_a_counter_is_a_reboot(first, expected):
    bench = PlainBench(COUNTED)
    bench.hear(bench.samples(*range(9), number=range(1, 10), number_bits=64))
    bench.session.closed("unplugged", bench.now)
    bench.session.opened("x", bench.now)
    items = bench.hear(bench.samples(1, 2, number=[first, first + 1], number_bits=64))
    assert [kind for kind in kinds(items) if kind != "Connected"] == expected
    books = bench.session.books()
    assert books.closes() == []
    assert books.total("s").duplicate == 0
    assert books.total("s").delivered == 11


def test_a_clock_that_begins_again_is_an_inferred_reboot():
    bench = PlainBench(TICKED)
    bench.hear(bench.samples(1, 2, ticks=np.array([100000, 100020], np.uint64)))
    items = bench.hear(bench.samples(3, 4, ticks=np.array([5, 25], np.uint64)))
    assert kinds(items) == ["Rebooted", "Batch"]
    assert items[1].ticks.tolist() == [5, 25]


def test_samples_that_the_board_calls_bad_are_no_samples():
    bench = PlainBench(COUNTED)
    good = np.array([True, True, False, False, True])
    items = bench.hear(bench.samples(1, 2, 3, 4, 5, number=[0, 1, 2, 3, 4], valid=good))
    assert kinds(items) == ["Batch", "Gap", "Batch"]
    assert (items[1].first, items[1].count, items[1].cause) == (2, 2, "invalid")
    books = bench.session.books()
    assert books.closes() == []
    assert (books.streams["s", 0].invalid, books.streams["s", 0].delivered) == (2, 3)


def test_held_back_samples_keep_the_time_of_their_arrival():
    bench = PlainBench(PLAIN)
    (batch,) = bench.hear(bench.samples(1, 2, arrived=[T0 + 5, T0 + 9]))
    assert batch.t_ns.tolist() == [T0 + 5, T0 + 9]


def test_an_identity_that_grows_is_told_again_without_a_new_boot():
    bench = PlainBench(PLAIN)
    bigger = BoardInfo("unknown", "", "", (PLAIN, IMU), "plain")
    (connected,) = bench.hear(Described(bigger), Text("hello"))[:1]
    assert (connected.info, connected.boot) == (bigger, 0)


# ---------------------------------------------------------------------- replay


def story() -> list[Arrival]:
    """A live run with everything in it."""
    bench = Bench().start()
    board = bench.board
    for k in range(12):
        bench.write(Message(Kind.PING, {"token": k + 1}))
        pong = board.say(Kind.PONG, token=k + 1, tick_received=k * 1000, tick_sent=k * 1000 + 5)
        bench.hear(board.samples(k * 12, 10), pong, board.samples(k, 1, stream=1), b"\0noise")
    bench.hear(board.status(NONCE, (0, 144, 3)))
    bench.apply("close", b"unplugged")
    bench.open()
    bench.hear(b"tail\0", board.hello(nonce=NONCE), board.samples(200, 10))
    bench.apply("stall", b"77")
    bench.hear(board.samples(230, 5), board.hello())
    bench.write(Message(Kind.START, {"nonce": 5, "streams": 0, "injected": 0}))
    bench.hear(board.ack(Kind.START), board.samples(0, 30))
    return bench.history


def same(one: Item, other: Item) -> bool:
    if not isinstance(one, Batch) or not isinstance(other, Batch):
        return one == other
    return (one.board, one.stream, one.boot, one.first) == (other.board, other.stream, other.boot, other.first) and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("ticks", "t_ns", "raw")
    )


def test_a_replay_of_the_bytes_gives_the_items_and_books_of_the_live_run():
    live = story()
    session = Session("toy", NativeDialect(), nonce=NONCE)
    for arrival in live:
        again = session.apply(Arrival("toy", arrival.seq, arrival.t_ns, arrival.kind, arrival.data))
        assert len(again.items) == len(arrival.items)
        assert all(map(same, again.items, arrival.items))
        assert again.books == arrival.books
    assert sum(isinstance(item, Rebooted) for arrival in live for item in arrival.items) == 1


def test_what_due_proposes_changes_nothing_that_is_heard():
    live = story()
    session = Session("toy", NativeDialect(), nonce=NONCE)
    for arrival in live:
        session.due(arrival.t_ns - 1)
        again = session.apply(Arrival("toy", arrival.seq, arrival.t_ns, arrival.kind, arrival.data))
        assert all(map(same, again.items, arrival.items))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_under_any_damage_both_sides_of_the_books_agree(data):
    rng = data.draw(st.randoms(use_true_random=False))
    session = Session("toy", NativeDialect(), nonce=NONCE)
    delivered: dict[tuple[str, int], int] = {}
    missing: dict[tuple[str, int], int] = {}
    fed = 0
    for arrival in story():
        raw = bytearray(arrival.data)
        if arrival.kind == "rx" and raw and rng.random() < 0.5:
            at, how, long = rng.randrange(len(raw)), rng.randrange(5), rng.randrange(1, 200)
            if how == 0:
                raw[at] ^= 1 << rng.randrange(8)
            elif how == 1:
                del raw[at : at + long]
            elif how == 2:
                raw[at:at] = raw[at : at + long]
            elif how == 3:
                raw[at:at] = rng.randbytes(10)
            else:
                del raw[at:]
        fed += len(raw) if arrival.kind == "rx" else 0
        again = session.apply(Arrival("toy", arrival.seq, arrival.t_ns, arrival.kind, bytes(raw)))
        assert again.books.closes() == []
        assert again.books.bytes_received == fed
        for item in again.items:
            if isinstance(item, Batch):
                key = item.stream.name, item.boot
                delivered[key] = delivered.get(key, 0) + len(item)
            elif isinstance(item, Gap):
                key = item.stream, item.boot
                missing[key] = missing.get(key, 0) + (item.count or 0)
    for key, count in again.books.streams.items():
        assert count.delivered == delivered.get(key, 0)
        assert count.missing == missing.get(key, 0)


def test_silence_brings_identify_and_pings_slow_down_after_a_minute():
    bench = Bench().start()
    said: list[tuple[int, Kind]] = []
    for second in range(0, 70_000, 50):
        bench.now = T0 + second * MS
        if second < 65_000:
            bench.session.received(b"\0", bench.now)
        said += [(second, kind) for kind in bench.said()]
    early = sum(kind == Kind.PING for when, kind in said if when < 30_000)
    late = sum(kind == Kind.PING for when, kind in said if 62_000 <= when < 65_000)
    assert 250 <= early <= 301
    assert late == 3
    assert Kind.IDENTIFY not in [kind for when, kind in said if 1000 < when < 65_000]
    assert Kind.IDENTIFY in [kind for when, kind in said if when >= 67_000]
    assert 30 <= sum(kind == Kind.GET_STATUS for _, kind in said) <= 36


def test_a_loss_brings_a_status_soon():
    bench = Bench().start()
    bench.now += 10**9
    bench.said()
    bench.hear(bench.board.samples(0, 5), bench.board.samples(50, 5))
    bench.now += 250 * MS
    assert Kind.GET_STATUS in bench.said()


def test_disconnected_says_why():
    bench = Bench()
    assert only(bench.apply("close", "Kabel gelöst".encode()), Disconnected).reason == "Kabel gelöst"


@pytest.mark.fuzz
@pytest.mark.timeout(120)
def test_any_well_framed_nonsense_for_some_seconds_closes_the_books_and_raises_nothing():
    rng = random.Random(7)
    ends, rounds = time.monotonic() + 5, 0
    while time.monotonic() < ends:
        board = ToyBoard(rng.choice([16, 32]), rng.choice([60, 500]), tick_hz=rng.choice([0, 1, 10**6, 2**32 - 1]))
        bench = Bench(board)
        for _ in range(40):
            bench.now += rng.choice([0, 10**6, 10**12])
            bench.hear(nonsense(rng, board))
            if rng.random() < 0.2:
                bench.apply("tx", bench.session.due(bench.now)[0])
            if rng.random() < 0.05:
                bench.apply("close", b"gone")
                bench.open()
            assert bench.session.books().closes() == []
            bench.session.clock()
        rounds += 1
    assert rounds > 5


def nonsense(rng: random.Random, board: ToyBoard) -> bytes:
    """A frame with a right checksum that no sane board would send, or nearly."""
    payload, which = board.encoder.payload, rng.randrange(7)
    flags = rng.choice([0, 0, 0, 4, 8, 12])
    if which == 0:
        n, first = rng.randrange(1, 9), rng.choice([rng.randrange(50), rng.randrange(2**32)])
        tick = rng.randbytes(8 if flags & 8 else 4)
        deltas = rng.randbytes(2 * n if flags & 4 else 0)
        return payload(Kind.SAMPLES, flags, bytes([0, n]) + first.to_bytes(4, "little") + tick + deltas + bytes(4 * n))
    if which == 1:
        return board.hello(nonce=rng.choice([0, NONCE, 5]))
    if which == 2:
        return board.ack(rng.choice([Kind.START, Kind.SET_RATE]), rng.randrange(4))
    if which == 3:
        return board.status(rng.choice([0, NONCE]), (0, rng.randrange(2**32), rng.randrange(2**32)))
    if which == 4:
        return payload(Kind.PONG, 8, rng.randrange(3).to_bytes(4, "little") + rng.randbytes(16))
    if which == 5:
        return payload(rng.randrange(1, 10), flags, rng.randbytes(rng.randrange(40)))
    return rng.randbytes(20)
