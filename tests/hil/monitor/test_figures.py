"""What a screen has computed: spectra as SciPy gives them, nothing across a gap, bounded whatever the rate."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Gap, Item, Mark, Prediction
from firmware_bridge.streams import Stream
from hil.dsp import segments
from hil.monitor.figures import BINS, GRID, MOST, MOST_COLUMNS, Stretch, figure
from hil.monitor.monitor import Bench, Monitor
from hil.views.figure import MOST_FIGURES, Ask
from hil.views.snapshot import BoardView, Snapshot
from hil.views.view import View

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
RATE = 500.0
IMU = Stream("imu", ("ax", "ay", "wx"), ("g", "g", "rad/s"), "<f4", (3,), RATE)
NAMES = ("spectrum", "spectrogram", "histogram", "xy")


def readings(count: int, seed: int = 0) -> np.ndarray:
    t = np.arange(count) / RATE
    tones = np.stack([np.sin(2 * np.pi * hertz * t) for hertz in (50.0, 120.0, 7.0)], axis=1)
    return (tones + np.random.default_rng(seed).normal(0, 0.1, tones.shape)).astype(np.float32)


def stretch(values: np.ndarray, breaks: tuple[int, ...] = (), stream: Stream = IMU) -> Stretch:
    t_ns = START + (np.arange(len(values)) * SECOND / RATE).astype(np.int64)
    end = int(t_ns[-1]) if len(t_ns) else START
    return Stretch(stream, values, t_ns, np.array(breaks, np.int64), stream.rate_hz, START, end)


def ask(kind: str, *channels: int) -> Ask:
    return Ask("imu", "imu", kind, channels)


def test_a_spectrum_is_that_of_scipy_and_names_the_highest_line() -> None:
    values = readings(4000)
    found = figure(ask("spectrum", 0, 1), stretch(values), 100)
    length = 2 * (len(found.x))
    hertz, density = signal.welch(values[:, :2].astype(np.float64), RATE, "hann", length, detrend="constant", axis=0)
    np.testing.assert_allclose(found.x, hertz[1:], rtol=1e-6)
    np.testing.assert_allclose(found.y, np.sqrt(density[1:]).T, rtol=1e-4)
    assert found.marks[:, 0] == pytest.approx([50.0, 120.0], abs=RATE / length)
    assert found.seconds == pytest.approx(3999 / RATE)


@settings(max_examples=20)
@given(st.sampled_from([8, 32, 128]), st.integers(0, 2**32 - 1))
def test_every_stretch_of_a_spectrogram_is_that_of_scipy(length: int, seed: int) -> None:
    values = readings(700, seed)[:, 0]
    hertz, _, density = signal.spectrogram(
        values.astype(np.float64), RATE, "hann", length, length // 2, detrend="constant", mode="psd"
    )
    starts = np.arange(0, len(values) - length + 1, length // 2)
    np.testing.assert_allclose(segments.densities(values, RATE, starts, length), density, rtol=1e-9, atol=1e-18)
    np.testing.assert_allclose(segments.frequencies(length, RATE), hertz)


def test_a_spectrogram_shows_when_a_tone_began_and_its_columns_lie_on_the_time_of_the_chart() -> None:
    t = np.arange(5000) / RATE
    values = np.random.default_rng(1).normal(0, 0.01, (5000, 3))
    values[2500:, 0] += np.sin(2 * np.pi * 100 * t[2500:])
    found = figure(ask("spectrogram", 0), stretch(values.astype(np.float32)), 100)
    row = int(np.argmin(np.abs(found.x - 100)))
    loud = found.y[row] > 100 * np.nanmedian(found.y[row, :40])
    assert found.y.shape[1] == 100
    assert not loud[:45].any()
    assert loud[53:95].all()


def test_nothing_is_computed_across_a_gap() -> None:
    values = readings(2000)
    values[1000:] += 50.0
    whole, cut = (figure(ask("spectrum", 0), stretch(values, breaks), 100) for breaks in ((), (1000,)))
    assert cut.y[0, 0] < whole.y[0, 0] / 10
    found = figure(ask("spectrogram", 0), stretch(values, (1000,)), 100)
    empty = np.isnan(found.y).all(axis=0)
    assert empty[45:55].any()
    assert not empty[10:40].any()
    assert not empty[60:90].any()


def test_a_histogram_counts_every_reading_and_an_integer_s_grid_makes_no_comb() -> None:
    raw = np.random.default_rng(2).integers(-70, 70, (20_000, 3)).astype("<i2")
    stream = replace(IMU, dtype="<i2", scale=(0.5,))
    found = figure(ask("histogram", 0, 1), stretch(raw, stream=stream), 100)
    assert found.y.sum(axis=1).tolist() == [20_000, 20_000]
    assert found.y.shape[1] <= BINS
    assert found.y[:, 1:-1].min() > 0.6 * found.y[:, 1:-1].max()
    values = raw[:, :2] * 0.5
    np.testing.assert_allclose(found.marks, np.stack((values.mean(0), values.std(0)), axis=1), rtol=1e-5)


def test_an_xy_figure_loses_no_spike_and_knows_the_newest_reading() -> None:
    values = readings(30_000)
    values[17, 0] = 40.0
    found = figure(ask("xy", 0, 2), stretch(values), 100)
    assert found.x.max() == 40.0
    assert len(found.x) <= GRID * GRID
    np.testing.assert_array_equal(found.marks[0], values[-1, [0, 2]])
    pairs = {tuple(pair) for pair in values[:, [0, 2]].tolist()}
    assert {tuple(pair) for pair in np.stack((found.x, found.y[0]), axis=1).tolist()} <= pairs


@pytest.mark.parametrize("kind", NAMES)
def test_what_cannot_be_computed_says_why(kind) -> None:
    assert figure(ask(kind, 0, 1), stretch(readings(0)), 100).sentence == "no readings here"
    assert figure(ask(kind), stretch(readings(100)), 100).sentence
    assert figure(ask("tarot", 0), stretch(readings(100)), 100).sentence
    lost = np.full((500, 3), np.nan, np.float32)
    made = figure(ask(kind, 0, 1), stretch(lost), 100)
    assert made.sentence or np.isnan(made.y).all()
    if kind.startswith("spectr"):
        unknown = replace(stretch(readings(100)), rate_hz=None)
        assert "rate is not known" in figure(ask(kind, 0), unknown, 100).sentence
        assert "in a row are needed" in figure(ask(kind, 0), stretch(readings(4)), 100).sentence


def bench(count: int, gap_at: int | None = None) -> Monitor:
    values, monitor = readings(count), Monitor()
    for first in range(0, count, 100):
        numbers = np.arange(first, first + 100, dtype=np.int64) + (50 if gap_at is not None and first >= gap_at else 0)
        t_ns = START + (numbers * SECOND / RATE).astype(np.int64)
        made = Batch("imu", IMU, 0, int(numbers[0]), numbers, t_ns, values[first : first + 100])
        monitor.accept([Arrival("imu", 0, int(t_ns[-1]), "rx", items=(made,))])
    return monitor


def look(monitor: Monitor, now_ns: int, **view: object) -> Snapshot:
    shown = monitor.snapshot(View(**view), now_ns, Bench(boards=(BoardView("imu", "live"),)))  # type: ignore[arg-type]
    return Snapshot.from_wire(shown.to_wire())


def test_a_snapshot_carries_what_was_asked_for_and_stays_small() -> None:
    monitor = bench(60_000)
    asked = tuple(ask(kind, *channels) for kind in NAMES for channels in ((0, 1), (1, 0), (0, 2), (2, 1), (1, 2)))
    assert len(asked) > MOST_FIGURES
    shown = look(monitor, START + 120 * SECOND, seconds=120.0, columns=400, figures=asked, envelopes=False)
    assert [one.ask for one in shown.figures] == list(asked[:MOST_FIGURES])
    assert all(not one.sentence for one in shown.figures)
    assert max(one.samples for one in shown.figures) == MOST
    assert max(one.y.shape[1] for one in shown.figures if one.ask.kind == "spectrogram") <= MOST_COLUMNS
    assert len(shown.to_wire()) < 4_000_000
    assert look(monitor, START, figures=(ask("xy", 0, 1), Ask("no", "imu", "xy", (0, 1)))).figures[1].sentence


def test_the_figures_of_a_frozen_picture_are_those_of_its_time() -> None:
    monitor = bench(5000)
    end = START + 4 * SECOND
    (frozen,) = look(
        monitor, START + 10 * SECOND, end_ns=end, seconds=2.0, columns=100, figures=(ask("xy", 0, 1),)
    ).figures
    np.testing.assert_array_equal(frozen.marks[0], readings(5000)[2000, :2])


def test_a_gap_in_the_samples_ends_the_stretch_that_is_computed_of() -> None:
    shown = look(bench(4000, gap_at=2000), START + 8 * SECOND, seconds=8.0, figures=(ask("spectrogram", 0),))
    assert np.isnan(shown.figures[0].y).all(axis=0)[40:70].any()


@settings(max_examples=30)
@given(st.floats(0.0, 10.0), st.integers(10, 400))
def test_a_cursor_reads_the_sample_that_is_nearest(before_s: float, columns: int) -> None:
    monitor, now = SAMPLES, START + 10 * SECOND
    view = View(columns=columns, cursor_s=before_s, envelopes=False)
    (read,) = monitor.snapshot(view, now, Bench(boards=(BoardView("imu", "live"),))).cursors
    numbers = np.arange(5000)
    t_ns = START + (numbers * SECOND / RATE).astype(np.int64)
    nearest = int(np.argmin(np.abs(t_ns - (view.edge_ns(now) - round(before_s * SECOND)))))
    assert abs(read.t_ns - int(t_ns[nearest])) <= SECOND / RATE / 2
    at = int(np.flatnonzero(t_ns == read.t_ns)[0])
    np.testing.assert_array_equal(read.values, readings(5000)[at])


SAMPLES = bench(5000)


def test_a_trigger_fires_where_the_level_is_crossed_and_not_where_it_was_passed_before() -> None:
    monitor = Monitor()
    values = np.zeros((400, 3), np.float32)
    values[:50, 0] = values[200:220, 0] = 5.0
    values[215, 0] = 4.9

    def feed(first: int, stop: int) -> None:
        numbers = np.arange(first, stop, dtype=np.int64)
        t_ns = START + (numbers * SECOND / RATE).astype(np.int64)
        made = Batch("imu", IMU, 0, first, numbers, t_ns, values[first:stop])
        monitor.accept([Arrival("imu", 0, int(t_ns[-1]), "rx", items=(made,))])

    wanted = {"envelopes": False, "trigger": "imu.ax>4.95"}
    first = look(monitor, START, **wanted).trigger
    assert first is not None
    assert (first.count, first.fired, first.sentence) == (0, (), "")
    for begin in range(0, 400, 25):
        feed(begin, begin + 25)
    seen = look(monitor, START + SECOND, **wanted).trigger
    assert seen is not None
    assert seen.count == 1
    assert seen.fired == ((START + round(200 / RATE * SECOND), "imu.ax was 5 g, above 4.95"),)
    wrong = look(monitor, START, envelopes=False, trigger="tarot").trigger
    assert wrong is not None
    assert "is no limit" in wrong.sentence
    monitor.accept([Arrival("", -1, START, "note", items=(Mark("", START, "bump"),))])
    assert look(monitor, START + 2 * SECOND, **wanted).trigger == seen


@pytest.mark.parametrize(
    ("text", "item", "words"),
    [
        ("tapping<0.5", Prediction("imu", START, "tapping", "imu", 0, 9, "none", 0.3, (0.3,)), "confidence 0.3"),
        ("anomaly", Gap("imu", START, "imu", 0, 10, 3, "link"), "3 samples of imu lost"),
        ("mark", Mark("", START, "bump"), "bump"),
    ],
)
def test_an_unsure_model_an_anomaly_and_a_mark_trigger_too(text: str, item: Item, words: str) -> None:
    monitor = Monitor()
    look(monitor, START, envelopes=False, trigger=text)
    if isinstance(item, Prediction):
        sure = replace(item, confidence=0.9, scores=(0.9,), t_ns=START - SECOND)
        monitor.accept([Arrival("imu", 0, START, "note", items=(sure,))])
    monitor.accept([Arrival("imu", 0, START, "note", items=(item,))])
    seen = look(monitor, START + SECOND, envelopes=False, trigger=text).trigger
    assert seen is not None
    assert [(t_ns, words in said) for t_ns, said in seen.fired] == [(START, True)]


def test_only_so_many_triggers_are_watched_and_those_nobody_asks_for_are_let_go() -> None:
    monitor = Monitor()
    for at in range(8):
        look(monitor, START, envelopes=False, trigger=f"imu.ax>{at}")
    full = look(monitor, START, envelopes=False, trigger="mark").trigger
    assert full is not None
    assert "8 other triggers" in full.sentence
    later = look(monitor, START + 40 * SECOND, envelopes=False, trigger="mark").trigger
    assert later is not None
    assert not later.sentence
