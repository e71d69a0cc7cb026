"""`hil orient`: the orientation of a recorded board as table, JSON and arrays, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from hil.bench.longrecording import record_watch
from hil.cli import app
from hil.orientation import CHANNELS
from hil.recording.importer import import_file

pytest.importorskip("vqf", reason="the library vqf is not installed")

BOARD = """schema = 1
[board]
model = "x-IMU3"
[lines]
columns = ["t", "wx", "wy", "wz", "ax", "ay", "az", "mx", "my", "mz"]
[[stream]]
name = "imu"
columns = ["wx", "wy", "wz", "ax", "ay", "az"]
unit = ["deg/s", "deg/s", "deg/s", "g", "g", "g"]
rate = 99.2
tick = { column = "t", unit = "s" }
"""


def refusal(run: Result) -> tuple[int, str]:
    """Exit code and sentence of a mistake, whoever found it: the verb, or the command line's own parser."""
    return getattr(run.exception, "exit_code", run.exit_code), f"{run.output} {run.exception}"


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("orient") / "watch.mcap"
    record_watch(path, 6.0)
    return path


@pytest.fixture
def hil() -> Callable[..., Result]:
    return lambda *arguments: CliRunner().invoke(app, ["orient", *map(str, arguments)])


def test_rows_a_second_apart_say_how_the_board_was_turned(hil: Callable[..., Result], watch: Path) -> None:
    shown = hil(watch)
    assert shown.exit_code == 0, shown.output
    assert all(name in shown.stdout for name in ("watch/imu.orientation", *CHANNELS))
    assert "inclination_sd (deg)" in shown.stdout
    found = json.loads(hil(watch, "--every", 2, "--json", "-q").stdout)
    rows = found["orientations"]
    assert (found["schema"], len(rows)) == (1, 4)
    assert all(np.hypot.reduce([row[name] for name in CHANNELS[:4]]) == pytest.approx(1.0, abs=1e-5) for row in rows)
    assert [round(row["t_s"]) for row in rows] == [0, 2, 4, 6]


def test_every_sample_is_written_with_its_time_and_an_existing_file_is_left_alone(
    hil: Callable[..., Result], watch: Path, tmp_path: Path
) -> None:
    path = tmp_path / "turned.npz"
    assert hil(watch, "-o", path).exit_code == 0
    with np.load(path, allow_pickle=False) as arrays:
        assert tuple(arrays["channels"]) == CHANNELS
        times, values = arrays["watch/imu.orientation/t_s"], arrays["watch/imu.orientation/values"]
    assert values.shape == (len(times), len(CHANNELS)) == (305, len(CHANNELS))
    assert (np.diff(times) > 0).all()
    before = path.read_bytes()
    status, sentence = refusal(hil(watch, "-o", path))
    assert (status, "never overwritten" in sentence) == (2, True)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["{watch}", "-o", "turned.csv"], 2, "call it turned.npz"),
        (["{watch}", "-o", "nowhere/turned.npz"], 2, "its folder does not exist"),
        (["{watch}", "--board", "arm"], 2, "gyroscope"),
        (["{watch}", "--every", "-1"], 2, "every"), (["none.mcap"], 2, "no such file"),
    ],
)  # fmt: skip
def test_a_mistake_ends_in_one_sentence_and_the_documented_status(
    hil: Callable[..., Result], watch: Path, arguments: list[str], status: int, told: str
) -> None:
    found, sentence = refusal(hil(*(one.format(watch=watch) for one in arguments)))
    assert (found, told in sentence) == (status, True)


@pytest.mark.data
def test_a_real_logger_is_followed_and_what_its_heading_may_be_off_grows(
    hil: Callable[..., Result], shared_data: Path, tmp_path: Path
) -> None:
    board, path = tmp_path / "ximu3.toml", tmp_path / "ximu3.mcap"
    board.write_text(BOARD)
    import_file(shared_data / "ximu3_9axis" / "sensor_data.csv", path, board_file=board)
    run = hil(path, "--json")
    assert run.exit_code == 0, run.output
    rows = json.loads(run.stdout)["orientations"]
    assert len(rows) > 20
    assert {row["stream"].rpartition("/")[2] for row in rows} == {"imu.orientation"}
    assert max(row["inclination"] for row in rows) > 60.0  # it was turned about
    assert rows[-1]["heading_sd"] > rows[1]["heading_sd"] > 0.0
