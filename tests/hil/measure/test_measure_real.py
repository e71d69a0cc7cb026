"""Real recordings: figures that are known elsewhere are found, and what is wrong with the data is reported."""

from pathlib import Path

import numpy as np
import pytest
from measured import known, measure, why

from hil.measure import Measurement
from hil.recording.importer import import_file

pytestmark = pytest.mark.data

BOARDS = Path(__file__).resolve().parents[3] / "scenarios" / "boards"


@pytest.fixture(scope="module")
def static(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Measurement:
    """A tactical gyroscope at rest for 2.8 h (used in place, never kept)."""
    folder = tmp_path_factory.mktemp("static")
    with np.load(shared_data / "adis16405_static" / "adis16405_imu1.npz") as data:
        np.savez(folder / "gyro.npz", gyro=(data["counts"][:, :3] * data["scale"][:3]).astype(np.float32))
    import_file(folder / "gyro.npz", folder / "a.mcap", stream="gyro", rate_hz=100.0, unit="deg/s", start_ns=0)
    return measure(folder / "a.mcap")


def test_the_angle_random_walk_of_a_static_gyroscope(static: Measurement) -> None:
    channel = static.find("deviation_1s")[0].channel
    place = f"stream.import.gyro.{channel}"
    value, low, high = known(static, f"{place}.deviation_1s")
    assert value == pytest.approx(0.0409, abs=0.00005)
    assert low < 0.0409 < high
    assert static[f"{place}.rest"[: -len(f".{channel}.rest")] + ".rest"].value == pytest.approx(100, abs=1)
    walk, low, high = known(static, f"{place}.random_walk_1s")
    assert walk == pytest.approx(2.45, abs=0.005)
    assert low < 2.45 < high
    walk, low, high = known(static, f"{place}.random_walk")
    assert walk == pytest.approx(2.45, rel=0.05)
    assert low <= walk <= high
    assert static[f"{place}.bias_instability"].known or static[f"{place}.rate_random_walk"].known
    curve = static.plots[f"allan.import.gyro.{channel}"].arrays
    for tau, truth in ((0.1, 0.1254), (10.0, 0.01337), (100.0, 0.00722)):
        near = np.exp(np.interp(np.log(tau), np.log(curve["x"]), np.log(curve["y"])))
        assert near == pytest.approx(truth, rel=0.06)
    assert static[f"{place}.quantisation_step"].value == pytest.approx(0.05, rel=1e-4)


def test_a_nine_axis_board_with_unequal_steps(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "ximu3_9axis" / "sensor_data.csv"
    import_file(source, tmp_path / "a.mcap", board_file=BOARDS / "ximu3.toml")
    made = measure(tmp_path / "a.mcap")
    assert known(made, "stream.import.gyroscope.rate")[0] == pytest.approx(99.86, abs=0.05)
    assert known(made, "stream.import.gyroscope.unequal_steps")[0] > 1
    assert "frequencies are approximate" in made["stream.import.gyroscope.x.noise_floor"].condition
    assert 20 < (made["stream.import.accelerometer.rest"].value or 0) < 70
    assert known(made, "stream.import.accelerometer.gravity")[0] == pytest.approx(1.0, abs=0.02)
    assert (made["stream.import.gyroscope.turned"].value or 0) > 90
    assert known(made, "stream.import.gyroscope.tilt_noise")[0] < 1
    assert "to show" not in why(made, "stream.import.magnetometer.x.bias")
    assert "does not number" in why(made, "stream.import.gyroscope.loss")
    assert "at rest for" in made["stream.import.gyroscope.x.noise_density"].condition


@pytest.mark.parametrize(("name", "rate", "low", "high"), [("data.csv", 100.0, 55, 65), ("data2.csv", None, 58, 68)])
def test_pulse_waves(shared_data: Path, tmp_path: Path, name: str, rate: float | None, low: int, high: int) -> None:
    import_file(shared_data / "ppg_heartpy" / name, tmp_path / "a.mcap", stream="ppg", rate_hz=rate, unit="count")
    made = measure(tmp_path / "a.mcap")
    figure = made.find("heart_rate")[0]
    assert figure.value is not None
    assert low < figure.value < high
    assert "raises the readings" in figure.condition
    artefacts, stuck = made.find("motion_artefacts")[0].value, made.find("stuck")[0].value
    assert artefacts is not None
    assert stuck is not None
    if name == "data2.csv":  # it has dropouts at 0 and disturbed stretches
        assert artefacts > 10
        assert stuck == pytest.approx(5.57, abs=0.1)
        assert made.find("longest_stuck")[0].value == pytest.approx(7.15, abs=0.02)
    else:
        assert artefacts < 5
        assert stuck == 0


def test_bursty_host_stamps_of_a_pulse_wave(shared_data: Path, tmp_path: Path) -> None:
    import_file(shared_data / "ppg_heartpy" / "data3.csv", tmp_path / "a.mcap", stream="ppg", unit="count")
    made = measure(tmp_path / "a.mcap")
    assert known(made, "stream.import.ppg.bursts")[0] > 20
    assert "share one stamp" in made["stream.import.ppg.bursts"].note
    assert known(made, "stream.import.ppg.unequal_steps")[0] > 90
    assert "unequal" in why(made, "stream.import.ppg.hr.mains")
    assert made["stream.import.ppg.hr.beats"].value == pytest.approx(1100, abs=60)


def test_a_thermopile_array_with_failed_and_late_frames(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "d6t_thermal_postures" / "Dataset" / "Data-Bedroom-Day4"
    source = sorted(folder.glob("*-D-7.csv"))[0]
    made = None
    for place, file in enumerate([source, *sorted(folder.glob("*.csv"))[:2]]):
        import_file(file, tmp_path / f"{place}.mcap", board_file=BOARDS / "omron_d6t.toml")
        made = measure(tmp_path / f"{place}.mcap")
        assert 10 < (made["stream.import.thermal.netd"].value or 0) < 200
        assert made["stream.import.thermal.dead_pixels"].value == 0
        assert "2 K are needed" in why(made, "stream.import.thermal.thermal.temperature_coefficient")
        assert made["stream.import.thermal.thermal.quantisation_step"].value == pytest.approx(0.1)
        assert "does not number" in why(made, "stream.import.thermal.loss")
        if place == 0:
            assert made["stream.import.thermal.invalid"].note == "5 samples"
            assert made["stream.import.thermal.frames_dropped"].note == "5 of 5 failed their checksum"
            assert known(made, "stream.import.thermal.unequal_steps")[0] > 30
    assert made is not None
