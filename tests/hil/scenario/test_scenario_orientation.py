"""A board that is asked for its orientation: a stream like any other to checks and models, the same on every target."""

from pathlib import Path
from typing import Any

import pytest
from runs import pty_board, written

from firmware_bridge.errors import UsageError
from hil.orientation import CHANNELS
from hil.scenario.grammar.load import load_scenario, parse_scenario
from hil.scenario.run import RunOptions, run_scenario

pytest.importorskip("vqf", reason="the library vqf is not installed")

ROOT = Path(__file__).resolve().parents[3]
PLACE = "stream.watch.imu_orientation"
WATCH = f"""name = "how a wrist was turned"
[board.watch]
recording = "{ROOT}/scenarios/recordings/watch-unseen-9.mcap"
orientation = "imu"
[readings]
to_s = 5.0
"""
DROPS = '[[fault]]\non = "watch"\nkind = "frame.drop"\nrate = 0.1\n'
CHECK = f'[[check]]\nmetric = "{PLACE}.inclination.mean"\nbetween = [0, 180]\nunit = "deg"\n'
IMU = 'name = "still"\n[board.imu]\nvirtual = "imu?rate=100"\norientation = "imu"\n[readings]\nto_s = 2.0\n'
FLAT = '[[check]]\nmetric = "stream.imu.imu_orientation.inclination.maximum"\nat_most = 1.0\n'


def data_of(result: Any) -> dict[str, float]:
    """Figures of the derived stream that follow from the data."""
    return {
        name: row["value"]
        for name, row in result.metrics.items()
        if "imu_orientation" in name and row["kind"] == "data"
    }


def test_a_recording_and_the_virtual_board_that_speaks_it_were_turned_alike_however_their_samples_come(
    tmp_path: Path,
) -> None:
    loaded = written(tmp_path / "s.toml", WATCH + DROPS + CHECK)
    there, spoken = (run_scenario(loaded, RunOptions(on=on, twice=True)) for on in (None, "virtual"))
    assert [there.outcome, spoken.outcome] == ["PASS", "PASS"], (there.checks, spoken.checks)
    assert data_of(there) == data_of(spoken)
    assert {f"{PLACE}.{name}.mean" for name in CHANNELS} < data_of(there).keys()


def test_a_place_where_samples_are_missing_is_one_of_both_streams_and_one_of_the_link(tmp_path: Path) -> None:
    result = run_scenario(written(tmp_path / "s.toml", WATCH + DROPS + CHECK), RunOptions())
    gaps = result.metrics["stream.watch.imu.gaps"]["value"]
    assert gaps > 2
    assert (result.metrics[f"{PLACE}.gaps"]["value"], result.metrics["link.watch.gaps"]["value"]) == (gaps, gaps)
    assert result.metrics[f"{PLACE}.samples"] == result.metrics["stream.watch.imu.samples"]


@pytest.mark.firmware
def test_firmware_into_which_the_readings_are_pushed_was_turned_as_the_recording_says(tmp_path: Path) -> None:
    from firmware_bridge.firmware import can_start

    if reason := can_start("native"):
        pytest.skip(reason)
    loaded = written(tmp_path / "s.toml", WATCH.replace("to_s = 5.0", "to_s = 3.0") + CHECK)
    here, there = run_scenario(loaded, RunOptions()), run_scenario(loaded, RunOptions(on="firmware://native"))
    assert there.outcome == "PASS", (there.why, there.checks)
    # The board answers in whole steps of its own sensor.
    for name in ("inclination.mean", "inclination.minimum", "inclination.maximum", "heading_sd.maximum"):
        assert data_of(there)[f"{PLACE}.{name}"] == pytest.approx(data_of(here)[f"{PLACE}.{name}"], abs=0.05)


@pytest.mark.pty
def test_a_live_board_has_it_too(tmp_path: Path) -> None:
    with pty_board() as port:
        text = IMU.replace('virtual = "imu?rate=100"', f'port = "{port}"').replace("to_s = 2.0", "to_s = 0.3")
        result = run_scenario(written(tmp_path / "s.toml", text + FLAT), RunOptions())
    assert result.outcome == "PASS", (result.why, result.checks)


def test_a_model_reads_it(tmp_path: Path) -> None:
    import torch

    from hil.models.contract import Architecture, Contract, Input
    from hil.models.nets.shapes import TcnConfig
    from hil.models.nets.tcn import Tcn
    from hil.models.package import pack

    shape = TcnConfig(inputs=3, classes=2, channels=4, kernel=3, dilations=(1, 2), pool=5)
    inputs = tuple(Input(channel=name, unit=unit, mean=0.0, std=1.0)
                   for name, unit in (("qw", "1"), ("qx", "1"), ("inclination", "deg")))  # fmt: skip
    contract = Contract(
        name="turned", inputs=inputs, rate_hz=100.0, window=shape.memory, hop=5, memory_samples=shape.memory,
        labels=("up", "down"), architecture=Architecture(name="tcn", config=shape),
    )  # fmt: skip
    torch.manual_seed(0)
    (tmp_path / "turned.hilmodel").write_bytes(
        pack(contract, {name: value.numpy() for name, value in Tcn(shape).state_dict().items()})
    )
    model = '[model.turned]\nfile = "turned.hilmodel"\nboard = "imu"\n'
    check = '[[check]]\nmetric = "model.turned.decisions"\nat_least = 30\n'
    path = tmp_path / "s.toml"
    path.write_text(IMU + model + check)
    result = run_scenario(load_scenario(path), RunOptions(twice=True))
    assert result.outcome == "PASS", (result.why, result.checks)
    path.write_text(IMU.replace('orientation = "imu"\n', "") + model + check)
    without = run_scenario(load_scenario(path), RunOptions())
    assert without.outcome != "PASS"
    assert "inclination" in without.checks[0].why


def test_a_stream_that_cannot_say_how_it_was_turned_is_trouble_in_a_sentence(tmp_path: Path) -> None:
    text = IMU.replace("imu?rate=100", "ppg").replace('orientation = "imu"', 'orientation = "ppg"')
    check = '[[check]]\nmetric = "stream.imu.ppg_orientation.inclination.mean"\nat_most = 1\n'
    result = run_scenario(written(tmp_path / "s.toml", text + check), RunOptions())
    assert (result.outcome, "three axes of a gyroscope and of an accelerometer" in result.why) == ("TROUBLE", True)


def test_a_stream_that_never_comes_leaves_its_orientation_unset(tmp_path: Path) -> None:
    result = run_scenario(
        written(tmp_path / "s.toml", IMU.replace('orientation = "imu"', 'orientation = "gyro"') + FLAT), RunOptions()
    )
    assert (result.outcome, "there are imu.imu" in result.checks[0].why) == ("UNSET", True)


def test_the_key_is_known_to_the_grammar_and_its_mistakes_are_told() -> None:
    assert parse_scenario(IMU + FLAT, "s.toml").board["imu"].orientation == "imu"
    with pytest.raises(UsageError, match="orientation"):
        parse_scenario(IMU.replace("orientation =", "orientatoin =") + FLAT, "s.toml")
