"""A virtual board answers every command of the native protocol as firmware would."""

import numpy as np
import pytest
from virtual_host import SECOND, START_NS, Host, samples

from firmware_bridge.virtual.boards import make_board
from firmware_bridge.wire.framing import frame
from firmware_bridge.wire.messages import HEADER, Kind, Message


def imu(**params: str) -> Host:
    return Host(make_board("imu", params))


def test_hello_comes_by_itself_at_power_up_and_again_when_asked() -> None:
    host = imu(serial="A17", seed="3")
    assert host.hello().nonce == 0
    assert host.hello().info.serial == "A17"
    before = len(host.heard)
    host.send(Kind.IDENTIFY)
    assert len(host.heard) == before + 1
    info = host.hello().info
    assert info.model == "hil-imu"
    assert [stream.name for stream in info.streams] == ["imu"]
    assert info.stream("imu").rate_hz == 1000


def test_no_sample_leaves_before_start_and_numbers_begin_at_0() -> None:
    host = imu()
    host.run(1.0)
    assert samples(host.heard, "imu")[0].size == 0
    host.start(nonce=99)
    host.run(0.5)
    numbers, ticks, raw = samples(host.heard, "imu")
    assert numbers.tolist() == list(range(len(numbers)))
    assert len(numbers) in (490, 500, 501)
    assert set(np.diff(ticks)) == {1000}
    assert raw.dtype == np.dtype("<i2")
    assert host.answers(Kind.ACK)[0].of == Kind.START
    host.send(Kind.IDENTIFY)
    assert host.hello().nonce == 99


def test_start_with_the_running_nonce_goes_on_and_with_a_new_one_begins_anew() -> None:
    host = imu()
    host.start(nonce=5)
    host.run(0.2)
    before = len(samples(host.heard, "imu")[0])
    host.start(nonce=5)
    host.run(0.2)
    numbers = samples(host.heard, "imu")[0]
    assert numbers.tolist() == list(range(len(numbers)))
    assert len(numbers) > before
    mark = len(host.heard)
    host.start(nonce=6)
    host.run(0.1)
    assert samples(host.heard[mark:], "imu")[0][0] == 0


def test_stop_sends_what_was_sampled_and_then_nothing() -> None:
    host = imu(group="100")
    host.start()
    host.run(0.25)
    host.send(Kind.STOP)
    assert len(samples(host.heard, "imu")[0]) == 251
    assert host.run(1.0) == []
    host.start()
    host.run(0.1)
    numbers = samples(host.heard, "imu")[0]
    assert numbers.tolist() == list(range(len(numbers)))


def test_only_the_streams_of_the_mask_are_sent_and_a_wrong_mask_is_refused() -> None:
    host = imu()
    host.start(nonce=5, streams=2)
    assert host.answers(Kind.NAK)[-1].reason == 3
    assert host.run(0.2) == []
    host.start(nonce=5, streams=1)
    assert host.run(0.2)


def test_the_rate_can_be_set_while_it_runs_and_hello_tells_it() -> None:
    host = imu(group="1")
    host.start()
    host.run(0.1)
    host.send(Kind.SET_RATE, stream=0, rate_mhz=200_000)
    host.run(0.1)
    numbers, ticks, _ = samples(host.heard, "imu")
    assert numbers.tolist() == list(range(len(numbers)))
    assert np.diff(ticks)[-10:].tolist() == [5000] * 10
    host.send(Kind.IDENTIFY)
    assert host.hello().info.stream("imu").rate_hz == 200
    host.send(Kind.SET_RATE, stream=3, rate_mhz=200_000)
    assert host.answers(Kind.NAK)[-1].of == Kind.SET_RATE


def test_pong_tells_the_boards_own_drifting_clock() -> None:
    host = imu(ppm="200", start_tick="4294000000")
    host.send(Kind.PING, token=1)
    host.run(100)
    host.send(Kind.PING, token=2)
    first, second = host.answers(Kind.PONG)
    assert (first.token, second.token) == (1, 2)
    assert first.tick_received == 4_294_000_000
    assert (second.tick_received - first.tick_received) % 2**32 == pytest.approx(100_020_000, abs=2)  # wrapped


def test_status_tells_what_was_produced_ahead_of_it() -> None:
    host = imu()
    host.start(nonce=31)
    host.run(0.5)
    row = host.status()[0]
    assert row["produced"] == len(samples(host.heard, "imu")[0])
    assert row["dropped"] == row["starved"] == row["credit"] == row["consumed"] == 0
    assert host.answers(Kind.STATUS)[-1].nonce == 31


def test_what_a_board_does_not_know_is_refused_by_name() -> None:
    host = imu()
    host.board.receive(frame(HEADER.pack(0x5F, 0, 9), 16), host.now)
    host.listen()
    nak = host.answers(Kind.NAK)[-1]
    assert (nak.of, nak.of_seq, nak.reason) == (0x5F, 9, 1)
    assert nak.tail == b"this board does not know command 0x5f"


def test_damaged_commands_are_counted_and_the_next_is_understood() -> None:
    host = imu()
    command = bytearray(host.dialect.send(Message(Kind.PING, {"token": 1})))
    command[-3] ^= 0x55
    host.board.receive(bytes(command), host.now)
    host.board.receive(b"rubbish\0", host.now)
    host.send(Kind.PING, token=2)
    assert len(host.answers(Kind.PONG)) == 1
    host.status()
    assert host.answers(Kind.STATUS)[-1].refused == 2


def _ping(token: int):
    from firmware_bridge.wire.messages import Message

    return Message(Kind.PING, {"token": token})


def test_reset_forgets_the_session_and_says_hello_after_booting() -> None:
    host = imu(boot_ms="300", start_tick="1000")
    host.run(0.31)
    host.start(nonce=44)
    host.run(0.5)
    mark = len(host.heard)
    host.send(Kind.RESET)
    assert host.run(0.29) == []
    host.run(0.02)
    assert host.hello().nonce == 0
    assert host.run(1.0) == []  # nothing is sent before a new START
    host.send(Kind.PING, token=1)
    tick = host.answers(Kind.PONG)[-1].tick_received
    assert tick == pytest.approx(1000 + 1_310_000, abs=2)  # the counter began anew
    host.start(nonce=45)
    host.run(0.1)
    assert samples(host.heard[mark:], "imu")[0][0] == 0


def test_what_follows_a_reset_in_the_same_write_is_not_heard() -> None:
    host = imu(boot_ms="100")
    host.run(0.2)
    reset, ping = (host.dialect.send(message) for message in (Message(Kind.RESET), Message(Kind.PING, {"token": 1})))
    host.board.receive(reset + ping, host.now)
    host.run(1.0)
    assert host.answers(Kind.PONG) == []
    host.send(Kind.PING, token=2)
    assert [pong.token for pong in host.answers(Kind.PONG)] == [2]


def test_commands_sent_while_it_boots_are_lost() -> None:
    host = imu(boot_ms="300")
    host.send(Kind.PING, token=1)
    host.run(0.5)
    assert host.answers(Kind.PONG) == []
    host.send(Kind.PING, token=2)
    assert [pong.token for pong in host.answers(Kind.PONG)] == [2]


def test_a_board_with_nothing_to_say_is_not_due() -> None:
    host = imu()
    assert host.board.next_due_ns() > START_NS + 10**9 * SECOND // 10
