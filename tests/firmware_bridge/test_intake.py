"""The queue between links and pipeline: bounded by bytes, in order, never drops, and lets go at the end."""

import threading

import numpy as np

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival
from firmware_bridge.intake import Intake, weight
from firmware_bridge.streams import Stream


def arrival(seq: int, size: int = 100) -> Arrival:
    return Arrival("watch", seq, seq, "rx", b"x" * size)


def test_everything_comes_out_in_order_and_the_bound_counts_samples_too() -> None:
    intake = Intake()
    for seq in range(5):
        assert intake.put(arrival(seq)) == 0
    assert intake.fill_bytes == 5 * weight(arrival(0))
    assert [a.seq for a in intake.take(0.0)] == [0, 1, 2, 3, 4]
    assert intake.take(0.0) == []
    assert intake.fill_bytes == 0
    stream = Stream("imu", ("x",), ("g",), "<i2", (1,), 100.0)
    times = np.arange(1000, dtype=np.int64)
    batch = Batch("watch", stream, 0, 0, times, times, np.zeros((1000, 1), "<i2"))
    assert weight(Arrival("watch", 0, 0, "rx", b"", (batch,))) >= 18_000


def test_a_full_queue_holds_the_link_until_there_is_room_and_says_how_long() -> None:
    now = iter([1_000, 5_000])
    intake = Intake(limit_bytes=weight(arrival(0)), now_ns=lambda: next(now))
    intake.put(arrival(0))
    waited: list[int] = []
    thread = threading.Thread(target=lambda: waited.append(intake.put(arrival(1))))
    thread.start()
    while not intake.holding:
        pass
    intake.put(arrival(2), force=True)
    assert [a.seq for a in intake.take(0.0)] == [0, 2]
    thread.join(60)
    assert waited == [4_000]
    assert [a.seq for a in intake.take(0.0)] == [1]


def test_one_arrival_larger_than_the_bound_passes() -> None:
    intake = Intake(limit_bytes=10)
    assert intake.put(arrival(0, size=1000)) == 0
    assert len(intake.take(0.0)) == 1


def test_closing_lets_held_links_go_and_keeps_what_they_had() -> None:
    intake = Intake(limit_bytes=1)
    intake.put(arrival(0))
    threads = [threading.Thread(target=intake.put, args=(arrival(seq),)) for seq in (1, 2, 3)]
    for thread in threads:
        thread.start()
    intake.close()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert sorted(a.seq for a in intake.take(60.0)) == [0, 1, 2, 3]


def test_waiting_ends_with_the_first_arrival_or_a_wake() -> None:
    intake = Intake()
    threading.Thread(target=intake.put, args=(arrival(7),)).start()
    assert [a.seq for a in intake.take(60.0)] == [7]
    taken: list[list[Arrival]] = []
    thread = threading.Thread(target=lambda: taken.append(intake.take(60.0)))
    thread.start()
    while thread.is_alive():
        intake.wake()
    assert taken == [[]]
