"""Real firmware behind `firmware://` is a port like any other: it keeps its rate, and what is injected comes back."""

import sys

import numpy as np
import pytest
from firmware_bench import bench, count, items, needs, on_every_kind, port, until, usual_rate
from firmware_core import reading

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, ClockReading, Connected, Reply, Status
from firmware_bridge.firmware.kinds import KINDS
from firmware_bridge.roles import BoardState
from firmware_bridge.wire.messages import Kind, Message

pytestmark = [pytest.mark.firmware, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")]


def held_up(out: list[Arrival]) -> bool:
    """Whether the machine stood still, for us or for the board, almost as long as a terminal keeps a board's bytes."""
    came = [arrival.t_ns for arrival in out if arrival.kind == "rx"]
    return max(np.diff(came)) > 300_000_000


def listened(kind: str) -> tuple[list[Arrival], BoardState, BoardState]:
    """All that three seconds of a board brought, and what was known of it before and after it was let go.

    What is lost while the machine stands still says nothing of the board, which is then listened to anew.
    """
    for _ in range(5):
        out: list[Arrival] = []
        with bench(port(kind)) as bridge:
            until(bridge, out, lambda out: count(out) >= 3 * usual_rate(kind) and len(items(out, ClockReading)) >= 10)
            (state,) = bridge.boards()
        out += bridge.take(0.0)
        if not held_up(out):
            break
    return out, state, bridge.boards()[0]


@on_every_kind
def test_a_board_streams_at_its_rate_and_every_sample_is_accounted_for(kind: str) -> None:
    needs(kind)
    rate = usual_rate(kind)
    out, state, final = listened(kind)
    batches = items(out, Batch)
    numbers = np.concatenate([np.arange(batch.first, batch.end) for batch in batches])
    assert numbers.tolist() == list(range(len(numbers)))
    ticks = np.concatenate([batch.ticks for batch in batches])
    assert (len(ticks) - 1) / (ticks[-1] - ticks[0]) * 1e6 == pytest.approx(rate, rel=1e-4)  # by the board's clock
    assert not final.books.closes()
    assert final.books.total("imu").missing == 0
    assert {name: size for name, size in final.books.buckets.items() if size and name not in ("frames", "torn")} == {}
    assert state.clock.drift_low < 2000  # ppm: by our clock the rate is right to 0.2 %,
    assert state.clock.drift_high > -2000  # as far as three seconds can tell


@pytest.mark.slow
@on_every_kind
def test_for_a_minute_the_rate_is_right_to_a_fifth_of_a_percent_and_nothing_is_unaccounted(kind: str) -> None:
    needs(kind)
    out: list = []
    rate = usual_rate(kind)
    with bench(port(kind)) as bridge:
        until(bridge, out, lambda out: count(out) >= 60 * rate, 90)
        (state,) = bridge.boards()
    batches = items(out, Batch)
    arrived = [arrival.t_ns for arrival in out for item in arrival.items if isinstance(item, Batch)]
    within = sum(len(batch) for batch in batches[1:])
    assert within / (arrived[-1] - arrived[0]) * 1e9 == pytest.approx(rate, rel=0.002)
    assert abs(state.clock.drift_ppm) < 2000
    books = state.books.total("imu")
    assert (books.missing, books.board_dropped, state.books.buckets["crc"]) == (0, 0, 0)


@pytest.mark.slow
def test_four_boards_on_qemu_at_once_hold_1_khz_with_nothing_lost() -> None:
    needs("qemu")
    out: list = []
    ports = [f"firmware://qemu?rate=1000&seed={seed}" for seed in range(4)]
    with bench(*ports) as bridge:
        until(bridge, out, lambda out: min(count(out, f"b{k}") for k in range(4)) >= 10_000, 60)
        states = bridge.boards()
    for k, state in enumerate(states):
        ticks = np.concatenate([batch.ticks for batch in items(out, Batch, f"b{k}")])
        assert (len(ticks) - 1) / (ticks[-1] - ticks[0]) * 1e6 == pytest.approx(1000, rel=1e-4)
        assert abs(state.clock.drift_ppm) < 2000
        assert state.books.total("imu").missing == 0


@pytest.mark.slow
def test_an_atmega_streams_1_khz_at_500000_baud_for_a_minute() -> None:
    needs("simavr")
    out: list = []
    with bench("firmware://simavr?rate=1000&baud=500000") as bridge:
        until(bridge, out, lambda out: count(out) >= 60_000, 90)
        (state,) = bridge.boards()
    arrived = [arrival.t_ns for arrival in out for item in arrival.items if isinstance(item, Batch)]
    within = sum(len(batch) for batch in items(out, Batch)[1:])
    assert within / (arrived[-1] - arrived[0]) * 1e9 == pytest.approx(1000, rel=0.002)
    assert state.books.total("imu").missing == 0


def test_the_description_says_what_was_asked_for() -> None:
    needs("native")
    out: list = []
    with bench("firmware://native?board=imu6&rate=123.5&seed=9&serial=A%22B") as bridge:
        until(bridge, out, lambda out: bool(items(out, Connected)))
    info = items(out, Connected)[0].info
    assert (info.model, info.serial, info.extra["seed"]) == ("hil-imu6", 'A"B', 9)
    assert info.streams[0].rate_hz == 123.5


@on_every_kind
def test_every_reading_is_what_the_same_c_says_on_this_machine_for_its_number_and_tick(kind: str) -> None:
    """A foreign core, its compiler, the stuffing and the checksums in between: to the last bit."""
    needs(kind)
    out: list = []
    with bench(port(kind)) as bridge:
        until(bridge, out, lambda out: count(out) >= 300)
    for batch in items(out, Batch):
        expected = [reading(3, batch.first + k, int(tick)) for k, tick in enumerate(batch.ticks)]
        assert batch.raw.tolist() == expected


@pytest.mark.parametrize("kind", [*KINDS, "qemu?cpu=m4f", "qemu?cpu=m7"])
def test_injected_samples_come_back_one_to_one(kind: str) -> None:
    needs(kind)
    stimulus = np.random.default_rng(5).integers(-30000, 30000, (round(1.5 * usual_rate(kind)), 6)).astype("<i2")
    out: list = []
    with bench(port(kind)) as bridge:
        until(bridge, out, lambda out: count(out) >= 20)
        bridge.send("b0", Message(Kind.START, {"nonce": 77, "streams": 0, "injected": 1})).result(60)
        credit = lambda: max((r.fields["total"] for r in items(out, Reply) if r.kind == "CREDIT"), default=0)  # noqa: E731
        sent, n = 0, 5
        while sent < len(stimulus):
            until(bridge, out, lambda _: credit() >= sent + n)  # noqa: B023
            part = stimulus[sent : sent + n]
            bridge.send("b0", Message(Kind.INJECT, {"stream": 0, "n": len(part), "first": sent}, part.tobytes()))
            sent += len(part)
        back = lambda: sum(len(b) for b in items(out, Batch) if b.boot == 1)  # noqa: E731
        row = lambda: items(out, Status)[-1].fields["streams"]["imu"]  # noqa: E731

        def all_consumed() -> bool:
            """What a board has not consumed when it is told to stop never comes back."""
            bridge.send("b0", Message(Kind.GET_STATUS)).result(60)
            return bool(items(out, Status)) and row()["consumed"] == len(stimulus)

        until(bridge, out, lambda _: back() >= len(stimulus) - 10 and all_consumed())
        bridge.send("b0", Message(Kind.STOP)).result(60)
        bridge.send("b0", Message(Kind.GET_STATUS)).result(60)
        until(bridge, out, lambda _: back() == len(stimulus) == row()["consumed"])
    batches = [batch for batch in items(out, Batch) if batch.boot == 1]
    assert np.concatenate([np.arange(b.first, b.end) for b in batches]).tolist() == list(range(len(stimulus)))
    assert (np.concatenate([batch.raw for batch in batches]) == stimulus).all()
    assert [reply.kind for reply in items(out, Reply) if reply.kind == "NAK"] == []
    assert row()["dropped"] == 0
