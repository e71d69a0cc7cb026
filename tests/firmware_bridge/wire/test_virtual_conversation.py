"""A whole conversation with boards that speak by themselves: what the link lost is what the books say."""

import random
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Connected, Gap, Rebooted
from firmware_bridge.virtual.boards import make_board
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.native import NativeDialect
from firmware_bridge.wire.protocol import Session

T0 = 1_700_000_000_000_000_000
MS = 1_000_000


class Desk:
    """A virtual board on a link that a test may damage; time goes in steps."""

    def __init__(self, board: str, **params: str) -> None:
        self.board = make_board(board, {"seed": "3", **params})
        self.session = Session("b", NativeDialect(), nonce=9)
        self.now, self.seq = T0, 0
        self.items: list[object] = []
        self.arrive("open", b"x")

    def arrive(self, kind: str, data: bytes) -> None:
        arrival = self.session.apply(Arrival("b", self.seq, self.now, kind, data))
        assert arrival.books.closes() == []
        self.items += arrival.items
        self.seq += 1

    def run(self, seconds: float, link=lambda data: data, step_ms: int = 10) -> "Desk":
        for _ in range(round(seconds * 1000 / step_ms)):
            self.now += step_ms * MS
            out, _ = self.session.due(self.now)
            if out:
                self.arrive("tx", out)
                self.board.receive(out, self.now)
            data = link(self.board.poll(self.now))
            if data:
                self.arrive("rx", data)
        return self

    def numbers(self, stream: str) -> list[int]:
        return [
            number for item in self.items if isinstance(item, Batch) and item.stream.name == stream
            for number in range(item.first, item.end)
        ]  # fmt: skip


@pytest.mark.parametrize("name", ["imu", "watch", "ppg", "thermal"])
def test_every_sample_of_every_board_comes_once_and_in_order(name):
    desk = Desk(name).run(3)
    (connected,) = [item for item in desk.items if isinstance(item, Connected)]
    for stream in connected.info.streams:
        numbers = desk.numbers(stream.name)
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= 2.8 * stream.rate_hz
        made = desk.session.books().streams[stream.name, 0]
        assert (made.lost, made.unattributed, made.duplicate, made.late) == (0, 0, 0, 0)
    assert desk.session.books().frames_lost == 0
    assert desk.session.clock() is not None


@pytest.mark.parametrize("seed", range(4))
def test_what_a_bad_link_swallows_is_what_the_books_call_lost(seed):
    rng = random.Random(seed)
    desk = Desk("imu").run(1)
    swallowed = 0

    def link(data: bytes) -> bytes:
        nonlocal swallowed
        kept = []
        for part in data.split(b"\0")[:-1]:
            if part[1:2] == bytes([Kind.SAMPLES]) and rng.random() < 0.05:
                swallowed += 1
                continue
            if rng.random() < 0.05 and part[1:2] == bytes([Kind.SAMPLES]):
                part = bytes([*part[:-2], part[-2] % 255 + 1, part[-1]])
                swallowed += 1
            kept.append(part + b"\0")
        return b"".join(kept)

    desk.run(4, link).run(3)
    samples_a_frame = 10
    made = desk.session.books().streams["imu", 0]
    assert swallowed > 10
    assert (made.lost, made.board_dropped, made.unattributed) == (swallowed * samples_a_frame, 0, 0)
    assert sum(item.count for item in desk.items if isinstance(item, Gap)) == swallowed * samples_a_frame


def test_what_the_board_had_no_room_for_is_the_boards_even_when_the_link_loses_too():
    desk = Desk("imu", tx_buffer="600").run(1)
    dropped = {"link": 0}

    def link(data: bytes) -> bytes:
        parts = data.split(b"\0")[:-1]
        for index, part in enumerate(parts):
            if part[1:2] == bytes([Kind.SAMPLES]):
                dropped["link"] += 1
                del parts[index]
                break
        return b"".join(part + b"\0" for part in parts)

    for _ in range(3):
        desk.run(0.3)
        desk.now += 400 * MS  # nobody fetches: the board's buffer runs over
        desk.run(0.02, link)
    desk.run(4)
    made = desk.session.books().streams["imu", 0]
    assert made.board_dropped > 100
    assert made.lost == 10 * dropped["link"]
    assert made.unattributed == 0


def test_a_reset_is_a_reboot_with_numbers_from_0_and_a_gapless_new_boot():
    desk = Desk("imu").run(1)
    reset = desk.session.dialect.send(Message(Kind.RESET))
    desk.arrive("tx", reset)
    desk.board.receive(reset, desk.now)
    desk.run(2)
    (reboot,) = [item for item in desk.items if isinstance(item, Rebooted)]
    assert (reboot.boot, reboot.inferred) == (1, False)
    after = [item for item in desk.items if isinstance(item, Batch) and item.boot == 1]
    assert after[0].first == 0
    assert desk.session.books().streams["imu", 1].missing == 0
    times = np.concatenate([item.t_ns for item in desk.items if isinstance(item, Batch)])
    assert (np.diff(times) >= 0).all()


def test_an_unplugged_board_that_kept_its_power_goes_on_under_the_same_boot():
    desk = Desk("imu").run(1)
    desk.arrive("close", b"unplugged")
    for _ in range(50):
        desk.now += 10 * MS
        desk.board.poll(desk.now)
    desk.arrive("open", b"x")
    desk.run(3)
    gaps = [item for item in desk.items if isinstance(item, Gap)]
    assert [gap.cause for gap in gaps] == ["disconnected"]
    assert 490 <= gaps[0].count <= 530
    assert desk.session.boot == 0
    assert desk.session.books().streams["imu", 0].unattributed == 0


@pytest.mark.data
def test_bytes_of_another_world_are_counted_to_the_last_one(shared_data: Path):
    files = [
        path for path in sorted((shared_data / "wire_ublox").rglob("*")) if path.suffix in (".ubx", ".log", ".bin")
    ]
    assert files
    for path in files:
        data = path.read_bytes()[: 1 << 20]
        session = Session("gnss", NativeDialect(), nonce=1)
        session.opened("x", T0)
        for at in range(0, len(data), 4096):
            session.received(data[at : at + 4096], T0 + at)
            assert session.books().closes() == []
        session.closed("end", T0 + len(data))
        books = session.books()
        assert books.closes() == []
        assert (books.pending, books.bytes_received) == (0, len(data))
        assert books.buckets["frames"] == 0
