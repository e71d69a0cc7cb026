"""Pages of real recordings: what is wrong with them stands on top, and what they can tell is there."""

from pathlib import Path

import pytest

from hil.measure import measure
from hil.recording.importer import import_file
from hil.report.findings import findings
from hil.report.page import measurement_page

pytestmark = pytest.mark.data

BOARDS = Path(__file__).resolve().parents[3] / "scenarios" / "boards"


def told(path: Path) -> tuple[str, str]:
    """What stands out, and the whole page."""
    found = measure(path)
    return "\n".join(f"{one.level} {one.where}: {one.text}" for one in findings(found)), measurement_page(found)


def test_a_nine_axis_logger_has_unequal_steps_and_noise_densities(shared_data: Path, tmp_path: Path) -> None:
    csv = shared_data / "ximu3_9axis" / "sensor_data.csv"
    import_file(csv, tmp_path / "x.mcap", board_file=BOARDS / "ximu3.toml", role="ximu3")
    top, page = told(tmp_path / "x.mcap")
    assert "of the steps in time are more than a tenth away" in top
    assert "samples are missing in 10 places" in top
    for words in ("Allan deviation at rest", "noise density", "orientation", "°/s/√Hz", "µT"):
        assert words in page


def test_a_pulse_sensor_with_bursty_stamps_says_so_and_beats_all_the_same(shared_data: Path, tmp_path: Path) -> None:
    csv = shared_data / "ppg_heartpy" / "data3.csv"
    import_file(csv, tmp_path / "p.mcap", stream="ppg", rate_hz=117.0, unit="1", role="finger")
    top, page = told(tmp_path / "p.mcap")
    assert "of the stamps come in bursts" in top
    assert "heart rate" in page
    assert "motion artefacts" in page


def test_a_thermal_array_with_failed_frames_says_so_and_shows_its_pixels(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "d6t_thermal_postures" / "Dataset" / "Data-Bedroom-Day2"
    csv = folder / "Bedroom-Day2-E-Sleeping-on-the-bed-using-blanket.csv"
    import_file(csv, tmp_path / "d.mcap", board_file=BOARDS / "omron_d6t.toml", role="d6t")
    top, page = told(tmp_path / "d.mcap")
    assert "bad d6t/thermal" in top
    assert "364 samples" in top
    assert "failed their checksum" in top
    for words in ("noise map", "mean picture", "netd", "mK", "fixed pattern noise"):
        assert words in page
