"""What makes a glitch: limits, an unsure model, anomalies of the link; and the ring that holds the seconds before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival, Damage, Disconnected, Gap, Item, Mark, Prediction, Rebooted, Stall
from firmware_bridge.streams import Stream
from hil.monitor.triggers import Trigger, Triggers, parse_confidence, parse_threshold
from hil.replay.midway import Openings

SECOND = 1_000_000_000


STREAM = Stream("s", ("x", "y"), ("g", "g"), "<f4", (2,), 100.0)


IMAGE = Stream("t", ("heat",), ("degC",), "<f4", (2, 2), 10.0)


def batch(values: list[float], first: int = 0, board: str = "imu") -> Batch:
    raw = np.array([[value, 0.0] for value in values], np.float32).reshape(-1, 2)
    numbers = np.arange(first, first + len(values), dtype=np.int64)
    return Batch(board, STREAM, 0, first, numbers * 10_000, numbers * 10_000_000, raw)


def note(*items: Item) -> Arrival:
    return Arrival("imu", 1, 0, "rx", items=items)


def fired(watch: Triggers, *items: Item) -> list[Trigger]:
    return watch.feed([note(*items)])


def test_one_glitch_fires_once_however_it_rings_at_the_limit() -> None:
    watch = Triggers([parse_threshold("s.x>2~0.5")])
    found = fired(watch, batch([0, 2.1, 1.9, 2.2, 1.6, 2.4, 0.2, 3.0, 3.0, 0]))
    assert [(one.t_ns, one.limit, one.place, one.board) for one in found] == [
        (10_000_000, 2.0, "s.x", "imu"), (70_000_000, 2.0, "s.x", "imu"),
    ]  # fmt: skip
    assert found[0].text == "s.x was 2.1 g, above 2"


def test_below_is_a_limit_too_and_what_is_no_number_changes_nothing() -> None:
    watch = Triggers([parse_threshold("imu/s.x<-1")])
    assert len(fired(watch, batch([0, -1.5, np.nan, -1.5, 0, np.nan, -2]))) == 2
    assert fired(watch, batch([-9], board="other")) == []


def test_an_image_fires_by_its_hottest_pixel() -> None:
    frames = np.zeros((3, 2, 2), np.float32)
    frames[1, 1, 0] = 50
    times = np.arange(3, dtype=np.int64)
    found = fired(Triggers([parse_threshold("t.heat>40")]), Batch("cam", IMAGE, 0, 0, times, times, frames))
    assert [one.t_ns for one in found] == [1]
    assert "50 degC" in found[0].text


@settings(max_examples=150)
@given(st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=40), st.data())
def test_what_fires_never_depends_on_how_samples_are_cut(values: list[float], data: st.DataObject) -> None:
    limits = [parse_threshold("s.x>1"), parse_threshold("s.x<-1~2")]
    whole = {(one.t_ns, one.limit) for one in fired(Triggers(limits), batch(values))}
    watch, at, pieces = Triggers(limits), 0, set()
    while at < len(values):
        size = data.draw(st.integers(1, len(values) - at))
        pieces |= {(one.t_ns, one.limit) for one in fired(watch, batch(values[at : at + size], at))}
        at += size
    assert pieces == whole


def said(confidence: float, t_ns: int = 0) -> Prediction:
    return Prediction("imu", t_ns, "exercise", "s", 0, 100, "squat", confidence, (confidence,))


def test_an_unsure_model_fires_on_the_edge() -> None:
    watch = Triggers(confidences=[parse_confidence("exercise<0.5")])
    found = fired(watch, said(0.9), said(0.4, 1), said(0.3, 2), said(0.51, 3), said(0.2, 4), said(0.9), said(0.1, 5))
    assert [one.t_ns for one in found] == [1, 5]
    assert fired(Triggers(confidences=[parse_confidence("other<0.5")]), said(0.1)) == []


def test_an_anomaly_is_named_and_only_looked_for_where_wished() -> None:
    items = (
        Gap("imu", 1, "s", 0, 5, 3, "lost"), Damage("imu", 2, "crc", 12), Stall("imu", 3, 5_000_000),
        Rebooted("imu", 4, 1, False), Disconnected("imu", 5, "the cable"), Damage("imu", 6, "before_identity", 9),
        Mark("", 7, "bump"),
    )  # fmt: skip
    found = fired(Triggers(on_anomaly=True), *items)
    assert [one.cause for one in found] == ["gap", "damage", "stall", "reboot", "disconnect"]
    assert fired(Triggers(), *items) == []
    assert [one.text for one in fired(Triggers(on_mark=True), *items)] == ["bump"]


@pytest.mark.parametrize("text", ["s.x", "s.x=2", "s.x>", "s.x>two", "s.x>nan", "s.x>1~-2", "x>2", ""])
def test_a_limit_that_means_nothing_says_how_to_write_one(text: str) -> None:
    with pytest.raises(UsageError, match="--threshold"):
        parse_threshold(text)


def test_a_confidence_is_from_0_to_1_and_a_channel_that_nobody_has_is_told() -> None:
    with pytest.raises(UsageError, match="no confidence"):
        parse_confidence("exercise<5")
    watch = Triggers([parse_threshold("s.x>1"), parse_threshold("cam/s.x>1")])
    assert watch.unmatched([("imu", "s", ("x", "y"))]) == ["cam/s.x>1"]


def read(at_s: float, size: int = 100) -> Arrival:
    return Arrival("imu", int(at_s * 10), int(at_s * SECOND), "rx", bytes(size))


def test_the_ring_holds_its_seconds_and_gives_fewer_where_fewer_are_asked_for() -> None:
    ring = Openings(3.0)
    for tenth in range(100):
        ring.accept([read(tenth / 10)])
    held = ring.first(int(9.9 * SECOND))
    assert (held[0].t_ns, len(held)) == (int(6.9 * SECOND), 31)
    assert len(ring.first(int(9.9 * SECOND), 1.0)) == 11
    assert ring.first(int(9.9 * SECOND), 0.0) == []
    assert ring.squeezed == 0


def test_what_does_not_fit_leaves_the_ring_early_and_is_counted() -> None:
    ring = Openings(3.0, most_bytes=10_000)
    for tenth in range(20):
        ring.accept([read(tenth / 10, 4000)])
    assert len(ring.first(2 * SECOND)) == 2
    assert ring.squeezed == 18
