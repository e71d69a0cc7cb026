"""The C board does what its Python twin does: both are held by one host against one protocol."""

import numpy as np
import pytest
from firmware_core import CoreBoard, both
from virtual_host import Host, samples

from firmware_bridge.firmware.build import missing
from firmware_bridge.wire.encode import Encoder
from firmware_bridge.wire.framing import Decoder, decode_live
from firmware_bridge.wire.messages import HEADER, Flag, Kind, Message

pytestmark = [
    pytest.mark.firmware,
    pytest.mark.timeless,
    pytest.mark.skipif(bool(missing("host")), reason=missing("host")),
]


@both
def test_hello_is_said_at_power_up_and_to_whoever_asks(make) -> None:
    host = Host(make())
    assert host.hello().nonce == 0
    stream = host.hello().info.streams[0]
    assert (stream.rate_hz, stream.tick_hz, stream.shape) == (1000.0, 1e6, (6,))
    host.start(nonce=21)
    host.send(Kind.IDENTIFY)
    assert host.hello().nonce == 21


@both
def test_samples_come_at_the_rate_of_the_free_running_counter_under_numbers_from_0(make) -> None:
    host = Host(make())
    host.start()
    host.run(2.005)
    numbers, ticks, _ = samples(host.heard, "imu")
    assert numbers.tolist() == list(range(2000))
    assert set(np.diff(ticks)) == {1000}


@both
def test_a_host_that_comes_rarely_finds_every_sample_that_was_due(make) -> None:
    host = Host(make())
    host.start()
    host.run(1.0, step_ns=97_000_000)
    numbers, _, _ = samples(host.heard, "imu")
    assert numbers.tolist() == list(range(len(numbers)))
    assert len(numbers) >= 990


@both
def test_the_nonce_that_runs_changes_nothing_and_a_new_one_numbers_from_0(make) -> None:
    host = Host(make())
    host.start(nonce=5)
    host.run(0.1)
    host.start(nonce=5)
    host.run(0.1)
    assert samples(host.heard, "imu")[0].tolist() == list(range(200))
    host.heard.clear()
    host.start(nonce=6)
    host.run(0.05)
    assert samples(host.heard, "imu")[0][0] == 0


@both
def test_stop_sends_what_was_sampled_and_start_goes_on_with_the_next_number(make) -> None:
    host = Host(make())
    host.start(nonce=5)
    host.run(0.0135)
    host.send(Kind.STOP)
    numbers, _, _ = samples(host.heard, "imu")
    assert numbers.tolist() == list(range(14))
    assert host.run(0.5) == []
    assert host.status()[0]["produced"] == 14
    host.start(nonce=5)
    host.run(0.02)
    assert samples(host.heard, "imu")[0].tolist() == list(range(len(samples(host.heard, "imu")[0])))


@both
@pytest.mark.parametrize("rate_hz", [1, 50, 333.333, 1000, 7001.5])
def test_a_rate_holds_to_the_tick_however_odd_it_is(make, rate_hz) -> None:
    host = Host(make())
    host.send(Kind.SET_RATE, stream=0, rate_mhz=round(rate_hz * 1000))
    host.send(Kind.IDENTIFY)
    assert host.hello().info.streams[0].rate_hz == rate_hz
    host.start()
    host.run(12.0)  # the twin still fills frames of ten
    numbers, ticks, _ = samples(host.heard, "imu")
    assert len(numbers) >= 1
    assert host.answers(Kind.ACK)[0].of == Kind.SET_RATE
    expected = numbers * 1_000_000_000 // round(rate_hz * 1000)
    assert np.abs(ticks - ticks[0] - expected).max() <= 1  # inside a frame the host lays ticks out by rounding


@both
def test_ping_is_answered_with_the_boards_own_time(make) -> None:
    host = Host(make())
    host.run(0.25)
    host.send(Kind.PING, token=77)
    pong = host.answers(Kind.PONG)[-1]
    assert (pong.token, pong.tick_received, pong.tick_sent) == (77, 250_000, 250_000)


@both
@pytest.mark.parametrize(
    ("kind", "fields", "tail"),
    [
        (Kind.START, {"nonce": 0, "streams": 0, "injected": 0}, b""),
        (Kind.START, {"nonce": 1, "streams": 2, "injected": 0}, b""),
        (Kind.SET_RATE, {"stream": 1, "rate_mhz": 1000}, b""),
        (Kind.SET_RATE, {"stream": 0, "rate_mhz": 0}, b""),
        (Kind.SET_RATE, {"stream": 0, "rate_mhz": 100_000_001}, b""),
        (Kind.INJECT, {"stream": 3, "n": 1, "first": 0}, bytes(12)),
        (Kind.INJECT, {"stream": 0, "n": 1, "first": 0}, bytes(12)),
    ],
)
def test_what_makes_no_sense_is_refused_as_a_bad_argument(make, kind, fields, tail) -> None:
    host = Host(make())
    host.send(kind, tail, **fields)
    nak = host.answers(Kind.NAK)[-1]
    assert (nak.of, nak.reason) == (kind, 3)


@both
def test_a_command_that_nobody_knows_is_refused_as_unknown(make) -> None:
    host = Host(make())
    host.board.receive(Encoder(32, 1024).payload(0x5A, 0, b""), host.now)
    host.listen()
    assert [(nak.of, nak.reason) for nak in host.answers(Kind.NAK)] == [(0x5A, 1)]


@both
def test_frames_that_cannot_be_read_are_counted_in_status_and_hurt_nothing(make) -> None:
    host = Host(make())
    host.board.receive(b"\x05\x11\x22\0" + b"\x07" * 3000 + b"\0\0", host.now)
    host.start()
    host.run(0.1)
    host.send(Kind.GET_STATUS)
    assert host.answers(Kind.STATUS)[-1].refused == 2
    assert len(samples(host.heard, "imu")[0]) == 100


@both
def test_reset_starts_anew_and_says_hello_under_no_nonce(make) -> None:
    host = Host(make())
    host.start(nonce=5)
    host.run(0.1)
    host.send(Kind.RESET)
    host.run(0.001)
    assert host.hello().nonce == 0
    assert host.status(0.001)[0]["produced"] == 0


@both
def test_whole_frames_are_dropped_when_nobody_reads_and_the_gap_equals_what_status_says(make) -> None:
    host = Host(make())
    host.start()
    host.run(0.1)
    host.now += 4_000_000_000
    host.listen()
    host.run(0.2)
    numbers, _, _ = samples(host.heard, "imu")
    row = host.status(0.01)[0]
    missing_numbers = row["produced"] - len(numbers)
    assert missing_numbers == row["dropped"] > 3000
    assert (np.diff(numbers) > 1).sum() == 1
    assert host.dialect.books["crc"] == host.dialect.books["cobs"] == 0


def test_an_overload_is_said_in_a_line_for_people() -> None:
    host = Host(CoreBoard())
    host.start()
    host.now += 1_500_000_000
    host.listen()
    host.run(6.0)
    assert host.texts()[0].endswith("samples found no room: the line is too slow for this rate, or nobody reads")
    assert len(host.texts()) <= 2  # not one line a frame
    dropped = host.status(0.01)[0]["dropped"]
    assert sum(int(text.split()[0]) for text in host.texts()) == dropped
    assert host.dialect.frames_lost * 10 == dropped  # the numbers of the frames tell the same


def test_readings_that_nobody_came_for_are_lost_like_those_of_a_full_fifo_and_counted() -> None:
    board = CoreBoard()
    host = Host(board)
    host.start()
    board._run(10_000_000)  # the machine was held up for ten seconds
    host.now += 10_000_000_000
    host.listen()
    host.run(1.0)
    numbers, _, _ = samples(host.heard, "imu")
    row = host.status(0.01)[0]
    assert row["dropped"] >= 8000
    assert row["produced"] - len(numbers) == row["dropped"]


def test_the_counter_wraps_and_no_sample_is_lost_or_early() -> None:
    host = Host(CoreBoard(start_tick=2**32 - 500_000))
    host.start()
    host.run(1.0)
    numbers, ticks, _ = samples(host.heard, "imu")
    assert numbers.tolist() == list(range(1000))
    assert set(np.diff(ticks) % 2**32) == {1000}


def test_every_frame_is_stuffed_byte_for_byte_as_python_would_and_numbered_in_order() -> None:
    host = Host(CoreBoard(seed=3))
    host.start()
    host.run(1.0)
    host.status()
    decoder = Decoder()
    frames = decode_live(decoder.take(host.bytes)[0], 32, 1024)
    bodies = [frames.body(k) for k in range(len(frames))]
    assert [HEADER.unpack_from(body)[2] for body in bodies] == list(range(len(bodies)))
    python = Encoder(32, 1024)
    again = b"".join(python.payload(body[0], body[1], body[HEADER.size :]) for body in bodies)
    assert b"\0" + again == host.bytes


def test_readings_are_those_of_the_seed_and_their_noise_is_what_the_description_says() -> None:
    raw = {}
    for seed in (3, 4):
        host = Host(CoreBoard(seed=seed))
        host.start()
        host.run(20.0)
        raw[seed] = samples(host.heard, "imu")[2].astype(float)
    assert not (raw[3] == raw[4]).all()
    for values in raw.values():
        quiet = values[:, 5]  # the axis that does not swing
        assert quiet.mean() == pytest.approx(25, abs=0.4)
        assert quiet.std() == pytest.approx(host.hello().info.extra["noise_lsb"], rel=0.03)
        assert abs(np.corrcoef(quiet[1:], quiet[:-1])[0, 1]) < 0.03
        assert values[:, 2].mean() == pytest.approx(4096, abs=3)
    assert np.corrcoef(raw[3][:, 5], raw[4][:, 5])[0, 1] == pytest.approx(0, abs=0.03)


def test_commands_in_fragments_are_refused_since_every_one_fits_a_frame() -> None:
    host = Host(CoreBoard())
    host.board.receive(Encoder(32, 1024).payload(Kind.PING, Flag.FRAGMENT, bytes(8)), host.now)
    host.listen()
    assert [(nak.of, nak.reason) for nak in host.answers(Kind.NAK)] == [(Kind.PING, 1)]


def test_hello_waits_for_room_and_is_whole_when_it_comes() -> None:
    host = Host(CoreBoard())
    host.start()
    host.now += 3_000_000_000
    host.board.receive(host.dialect.send(Message(Kind.IDENTIFY)), host.now)
    host.listen()
    host.run(0.1)
    assert len([one for one in host.heard if type(one).__name__ == "Described"]) == 2
    assert host.dialect.books["fragment"] == 0
