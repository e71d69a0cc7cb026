"""What every stream is measured for, on readings whose flaws are known."""

import json
from pathlib import Path

import numpy as np
import pytest
from measured import T0, known, measure, of_arrays, of_board, stream, why

from firmware_bridge.errors import UsageError
from hil.measure.catalogue import METRICS, pattern
from hil.recording.importer import import_file

RNG = np.random.default_rng


def test_every_figure_stands_in_the_catalogue_and_is_plain_json(tmp_path: Path) -> None:
    made = measure(of_board(tmp_path / "a.mcap", "imu", 20, seed=1, rate=100, ppm=30))
    assert len(made) > 100
    names = [figure.name for figure in made]
    assert len(set(names)) == len(names)
    for figure in made:
        row = METRICS[figure.metric]
        assert (figure.kind, figure.better) == (row.kind, row.better)
        assert figure.known or figure.condition.startswith("unknown: "), figure
        assert figure.unit
        if figure.low is not None and figure.value is not None and figure.high is not None:
            assert figure.low <= figure.value <= figure.high, figure
    plain = json.loads(json.dumps(made.as_dict(plots=True), allow_nan=False))
    assert {"name", "stream", "value", "unit", "low", "high", "condition"} <= plain["figures"][0].keys()
    assert made["stream.imu.imu.ax.noise_density"].unit == "g/sqrt(Hz)"
    assert pattern(METRICS["noise_density"]) == "stream.BOARD.STREAM.CHANNEL.noise_density"


def test_the_clock_of_a_board_that_runs_fast(tmp_path: Path) -> None:
    path = of_board(tmp_path / "a.mcap", "imu", 120, step_ns=5_000_000, seed=2, rate=100, ppm=40, delay_us=300)
    made = measure(path)
    value, low, high = known(made, "clock.imu.drift")
    assert low <= value <= high
    assert value == pytest.approx(40, abs=1.5)
    assert known(made, "stream.imu.imu.rate")[0] == pytest.approx(100 * (1 + 40e-6), rel=3e-6)
    assert made["clock.imu.wander"].known
    assert made["link.imu.samples_lost"].value == 0
    assert made["stream.imu.imu.loss"].value == 0
    assert "exactly the nominal one" in why(made, "stream.imu.imu.jitter")
    assert set(made.plots["clock.imu"].arrays) >= {"x", "y", "below", "above"}


def test_jitter_unequal_steps_and_losses(tmp_path: Path) -> None:
    rng = RNG(3)
    what = stream("s", ["a"], ["V"], 100.0)
    n = 20_000
    ticks = np.rint(np.arange(n) * 10_000 + rng.normal(0, 200, n)).astype(np.int64)
    ticks[5000] += 3000
    gone = [*range(1000, 1010), 7000]
    made = measure(of_arrays(tmp_path / "a.mcap", {what: rng.normal(size=(n, 1))}, ticks=ticks, drop=gone))
    value, low, high = known(made, "stream.b.s.jitter")
    assert value == pytest.approx(200 * np.sqrt(2), rel=0.02)
    assert low <= 200 * np.sqrt(2) * 1.01
    assert high >= 200 * np.sqrt(2) * 0.99
    assert made["stream.b.s.jitter_worst"].value == pytest.approx(3000, abs=900)
    assert made["stream.b.s.gaps"].value == 2
    assert known(made, "stream.b.s.loss")[0] == pytest.approx(100 * 11 / n)
    assert 0 < known(made, "stream.b.s.unequal_steps")[0] < 0.1


def test_bursts_of_host_stamps_are_reported(tmp_path: Path) -> None:
    what = stream("s", ["a"], ["V"], 100.0, counted=False, checked=False, tick_hz=None)
    n = 4000
    stamps = T0 + (np.arange(n) // 8 + 1) * 80_000_000
    made = measure(of_arrays(tmp_path / "a.mcap", {what: RNG(1).normal(size=(n, 1))}, ticks=stamps, t_ns=stamps))
    assert known(made, "stream.b.s.bursts")[0] == pytest.approx(87.5, abs=0.1)
    assert "8 samples share one stamp" in made["stream.b.s.bursts"].note
    assert made["stream.b.s.bursts"].kind == "timing"
    assert "sends no time" in why(made, "stream.b.s.jitter")
    assert "does not number" in why(made, "stream.b.s.loss")
    assert known(made, "stream.b.s.rate")[0] == pytest.approx(100, rel=0.01)


def test_codes_that_are_missing_stuck_saturated_or_wild(tmp_path: Path) -> None:
    rng = RNG(4)
    n = 200_000
    good = np.rint(rng.normal(0, 60, n))
    odd = np.rint(rng.normal(0, 60, n))
    odd[odd == 17] = 18
    odd[odd == -30] = -31
    odd[50_000:50_500] = 5
    for place in (1000, 77_000, 150_123):
        odd[place] += 2500
    rails = np.clip(np.rint(rng.normal(0, 60, n)), -80, 32767)
    what = stream("s", ["good", "odd", "rails"], ["V"] * 3, 1000.0, "<i2", (0.5,))
    made = measure(of_arrays(tmp_path / "a.mcap", {what: np.stack([good, odd, rails], 1).astype("<i2")}))
    place = "stream.b.s"
    for channel in ("good", "odd", "rails"):
        assert made[f"{place}.{channel}.quantisation_step"].value == 0.5
    assert [made[f"{place}.{channel}.missing_codes"].value for channel in ("good", "odd")] == [0, 2]
    assert [made[f"{place}.{channel}.stuck"].value for channel in ("good", "odd")] == [0, pytest.approx(0.25, rel=0.02)]
    assert made[f"{place}.odd.longest_stuck"].value == pytest.approx(0.5, abs=0.01)
    share = 100 * np.mean(rails == -80)
    assert known(made, f"{place}.rails.saturation")[0] == pytest.approx(share, rel=1e-6)
    assert made[f"{place}.good.saturation"].value == 0
    assert made[f"{place}.good.outliers"].value == 0
    assert known(made, f"{place}.odd.outliers")[0] == pytest.approx(100 * 3 / n, rel=0.01)
    assert made[f"{place}.good.sd"].value == pytest.approx(30, rel=0.01)
    assert abs(made[f"{place}.good.kurtosis"].value or 9) < 0.05
    value, low, high = known(made, f"{place}.good.mean")
    assert abs(value) < high - low < 1


def test_lines_of_the_spectrum_have_names(tmp_path: Path) -> None:
    rng = RNG(5)
    n, rate = 60_000, 130.0
    t = np.arange(n) / rate
    values = rng.normal(0, 1, (n, 2))
    values[:, 0] += 0.4 * np.sin(2 * np.pi * 50.0 * t)
    values[:, 1] += 0.4 * np.sin(2 * np.pi * 23.0 * t)
    what = stream("s", ["a", "b"], ["V", "V"], rate)
    made = measure(of_arrays(tmp_path / "a.mcap", {what: values}))
    assert made["stream.b.s.a.mains"].value == pytest.approx(0.4, rel=0.15)
    assert "50 Hz mains" in made["stream.b.s.a.mains"].note
    assert made["stream.b.s.b.mains"].value == 0
    peak, low, high = known(made, "stream.b.s.b.strongest_peak")
    assert low < 23.0 < high
    assert peak == pytest.approx(23.0, abs=0.05)
    density, low, high = known(made, "stream.b.s.b.noise_floor")
    assert low * 0.99 <= np.sqrt(2 / rate) <= high * 1.01
    assert density == pytest.approx(np.sqrt(2 / rate), rel=0.03)


def test_channels_that_share_their_noise_and_follow_a_temperature(tmp_path: Path) -> None:
    rng = RNG(6)
    n, rate = 60_000, 100.0
    degrees = 25 + 8 * (1 - np.exp(-np.arange(n) / rate / 150))
    shared = rng.normal(0, 1, n)
    values = np.stack([0.02 * degrees + 0.1 * shared, 0.1 * shared + 0.1 * rng.normal(0, 1, n)], 1)
    what, warm = stream("s", ["a", "b"], ["V", "V"], rate), stream("t", ["core"], ["degC"], 1.0)
    path = of_arrays(tmp_path / "a.mcap", {what: values, warm: degrees[::100, None]})
    made = measure(path)
    value, low, high = known(made, "stream.b.s.a~b.correlation")
    assert low < np.sqrt(0.5) < high
    assert value == pytest.approx(np.sqrt(0.5), abs=0.02)
    warmed = 0.02 * (degrees[-6000:].mean() - degrees[:6000].mean())
    value, low, high = known(made, "stream.b.s.a.temperature_coefficient")
    assert low < 0.02 < high
    assert value == pytest.approx(0.02, rel=0.02)
    assert known(made, "stream.b.s.a.warm_up")[0] == pytest.approx(warmed, rel=0.05)
    low, high = known(made, "stream.b.s.b.temperature_coefficient")[1:]
    assert low < 0 < high
    part = measure(path, streams=["s", "t"], start_s=550)
    assert "2 K are needed" in why(part, "stream.b.s.a.temperature_coefficient")
    assert "from 550 s to the end" in part["stream.b.s.a.mean"].condition


def test_what_is_asked_for_wrongly_is_said(tmp_path: Path) -> None:
    path = of_arrays(tmp_path / "a.mcap", {stream("s", ["a"], ["V"], 10.0): np.zeros((50, 1))})
    with pytest.raises(UsageError, match="there is no stream x"):
        measure(path, streams=["x"])
    with pytest.raises(UsageError, match="is no kind of stream"):
        measure(path, kinds={"b/s": "radar"})
    with pytest.raises(UsageError, match="not after"):
        measure(path, start_s=5, end_s=2)
    with pytest.raises(UsageError, match="there is no reference"):
        measure(path, reference="y")
    shares: list[float] = []
    made = measure(path, progress=shares.append)
    assert shares[-1] == 1.0
    assert made["stream.b.s.a.sd"].value == 0
    assert "every reading is the same" in why(made, "stream.b.s.a.skewness")


def test_an_imported_file_says_what_cannot_be_known(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("v\n" + "\n".join(f"{value:.3f}" for value in RNG(7).normal(0, 0.05, 500)) + "\n")
    import_file(source, tmp_path / "a.mcap", stream="s", rate_hz=50.0, unit="V")
    made = measure(tmp_path / "a.mcap")
    assert made.find("quantisation_step", "import/s")[0].value == pytest.approx(0.001)
    assert "no ledger" in why(made, "link.import.samples_lost")
    assert "no checksum" in why(made, "stream.import.s.invalid")
