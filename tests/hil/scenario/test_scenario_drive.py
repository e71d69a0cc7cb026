"""A profile driven into a chip: judged against what was in the chip at the time, and only where nothing changed."""

import os
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival
from firmware_bridge.firmware import can_start
from firmware_bridge.streams import Stream
from hil.scenario.execution.drive import Drive, drive_readings, drive_remark
from hil.scenario.grammar.grammar import DriveTable
from hil.scenario.grammar.load import load_scenario, parse_scenario
from hil.scenario.grammar.mistakes import ScenarioError
from hil.scenario.run import RunOptions, run_scenario

ROOT = Path(__file__).resolve().parents[3]
CHIPS = ROOT / "scenarios" / "chips"
SECOND = 10**9
TEMPERATURE = Stream("temperature", ("temperature",), ("degC",), "<i2", (1,), 10.0, (0.0625,))
HEAD = 'name = "x"\n[[check]]\nmetric = "drive.temp.temperature.right"\nequals = 100\n[board.temp]\n'


def needs_qemu() -> None:
    if reason := can_start("qemu"):
        if os.environ.get("HIL_NEEDS_ALL_FIRMWARE"):
            pytest.fail(reason)
        pytest.skip(reason)


def drive(*profile: tuple[float, float], settle_s: float = 0.25) -> Drive:
    return Drive(DriveTable(on="temp", stream="temperature", profile=[list(row) for row in profile], settle_s=settle_s))


def readings(*values: float, first: int = 0) -> Arrival:
    """Readings ten times a second, the first at 0 s."""
    raw = np.array([[round(value * 16)] for value in values], "<i2")
    times = (first + np.arange(len(values))) * (SECOND // 10)
    batch = Batch("temp", TEMPERATURE, 0, first, times // 1000, times, raw)
    return Arrival("temp", 0, int(times[-1]), "rx", b"", (batch,), None)


def figures(of: Drive) -> dict[str, float | None]:
    return {one.name.rsplit(".", 1)[-1]: one.value for one in drive_readings(of)}


def test_values_are_due_once_each_in_their_order_and_late_ones_are_passed_over() -> None:
    one = drive((0.5, 1.0), (1.0, 2.0), (2.0, 3.0))
    assert one.due(0.4) is None
    assert one.wait_s == 0.5
    assert one.due(0.5) == (1.0,)
    assert one.due(0.9) is None
    assert one.due(2.5) == (3.0,)  # the host was away for a while: what holds now is set
    assert one.due(99.0) is None
    assert one.wait_s == float("inf")


def test_readings_near_a_change_are_counted_apart_and_the_others_judged() -> None:
    one = drive((0.0, 20.0), (1.0, 30.0))
    one.was_set(0, 0, (20.0,))
    one.was_set(SECOND, SECOND, (30.0,))
    one.take(readings(*[0.0] * 2, *[20.0] * 8, *[20.0] * 2, *[30.0] * 8))  # the chip takes 0.2 s
    found = figures(one)
    assert (found["readings"], found["settling"], found["right"], found["error_maximum"]) == (12, 8, 100.0, 0.0)
    assert found["response"] == pytest.approx(200.0)
    assert drive_remark(one) == ""


def test_a_reading_more_than_a_step_off_is_wrong_and_the_first_is_told() -> None:
    one = drive((0.0, -12.25), settle_s=0.0)
    one.was_set(0, 0, (-12.25,))
    one.take(readings(-12.25, -12.3125, -12.5, -12.5))  # a driver that reads nine bits of twelve
    found = figures(one)
    assert (found["readings"], found["right"], found["error_maximum"]) == (4, 50.0, 0.25)
    assert drive_remark(one) == (
        "drive of temp temperature: 2 of 4 readings are wrong, the first after 0.20 s: "
        "-12.5 was read where -12.25 degC was driven"
    )


def test_where_nothing_could_be_judged_nothing_is_right() -> None:
    silent, late = drive((0.0, 1.0)), drive((9.0, 1.0))
    late.take(readings(0.0, 0.0))
    for one, settling in ((silent, 0.0), (late, 2.0)):
        found = {each.name.rsplit(".", 1)[-1]: each for each in drive_readings(one)}
        assert (found["right"].value, found["right"].absent) == (None, "UNSET")
        assert (found["readings"].value, found["settling"].value) == (0.0, settling)


@pytest.mark.parametrize(
    ("board", "table", "said"),
    [
        ('firmware = "qemu"', 'on = "temq"', "there is no board 'temq', did you mean 'temp'"),
        ('virtual = "imu"', 'on = "temp"', "board temp has no chip; only one with `firmware` or `port`"),
        ('firmware = "qemu"', 'on = "temp"\nprofile = [[1.0, 2.0], [1.0, 3.0]]', "must begin at 0 or later and grow"),
        ('firmware = "qemu"', 'on = "temp"\nprofile = [[0.0, 2.0], [1.0, 3.0, 4.0]]', "as many values as one another"),
        ('firmware = "qemu"', 'on = "temp"\nprofile = [[0.0]]', "at least 2 items"),
        ('firmware = "qemu"\nvirtual = "imu"', 'on = "temp"', "exactly one of recording, port, virtual, firmware"),
    ],
)
def test_a_profile_that_cannot_be_meant_is_told_with_its_line(board: str, table: str, said: str) -> None:
    text = f'{HEAD}{board}\n[[drive]]\nstream = "temperature"\n{table}\n'
    with pytest.raises(ScenarioError) as told:
        parse_scenario(text if "profile" in text else text + "profile = [[0.0, 1.0]]\n", "x.toml")
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ("recording", "board temp has no recording"),
        ("virtual", "board temp is real firmware: it has neither a recording nor a virtual board"),
        ("firmware://native", "it needs firmware://qemu?sensor=tmp105"),
        ("/dev/ttyACM0", "no value can be driven into stream temperature of board temp on /dev/ttyACM0"),
    ],
)
def test_elsewhere_the_scenario_is_not_applicable_and_says_why(on: str, said: str) -> None:
    if reason := can_start("native") if on == "firmware://native" else "":
        pytest.skip(reason)
    result = run_scenario(load_scenario(CHIPS / "temperature.toml"), RunOptions(on=on))
    assert result.outcome == "NA"
    assert said in result.why


@pytest.mark.firmware
@pytest.mark.parametrize("on", [None, "firmware"])
def test_without_the_emulator_it_is_not_applicable_with_what_to_type(on, monkeypatch) -> None:
    monkeypatch.setattr("firmware_bridge.firmware.kinds.shutil.which", lambda name: None)
    result = run_scenario(load_scenario(CHIPS / "temperature.toml"), RunOptions(on=on))
    assert result.outcome == "NA"
    assert "qemu-system-arm is not installed; apt-get install" in result.why


@pytest.mark.firmware
def test_a_profile_comes_back_from_the_board_and_what_was_not_driven_fails(tmp_path: Path) -> None:
    needs_qemu()
    path = tmp_path / "drive.toml"
    path.write_text(
        HEAD + 'firmware = "qemu?cpu=m4f&sensor=tmp105&rate=50"\n[readings]\nto_s = 1.5\n[[drive]]\non = "temp"\n'
        'stream = "temperature"\nprofile = [[0.0, 85.0], [0.7, -12.5]]\nsettle_s = 0.2\n'
        '[[check]]\nmetric = "stream.temp.temperature.temperature.maximum"\nat_most = 60\n'
    )
    result = run_scenario(load_scenario(path), RunOptions(on="firmware"))
    assert [check.outcome for check in result.checks] == ["PASS", "FAIL"], (result.why, result.remarks)
    assert result.metrics["drive.temp.temperature.error_maximum"] == {"value": 0.0, "unit": "degC", "kind": "data"}


@pytest.mark.firmware
def test_a_value_beyond_the_chip_is_trouble_and_not_a_verdict(tmp_path: Path) -> None:
    needs_qemu()
    path = tmp_path / "hot.toml"
    path.write_text(HEAD + 'firmware = "qemu?sensor=tmp105&rate=50"\n[[drive]]\non = "temp"\n'
                    'stream = "temperature"\nprofile = [[0.0, 150.0]]\n')  # fmt: skip
    result = run_scenario(load_scenario(path), RunOptions())
    assert result.outcome == "TROUBLE"
    assert "150 degC is more than it can sense; use -128 to 127.938" in result.why


@pytest.mark.firmware
@pytest.mark.slow
def test_of_five_hundred_readings_five_hundred_are_right(tmp_path: Path) -> None:
    needs_qemu()
    profile = [[1.5 * at, -55.0 + 11.125 * at] for at in range(16)]
    path = tmp_path / "long.toml"
    path.write_text(
        HEAD + 'firmware = "qemu?sensor=tmp105&rate=50"\n[readings]\nto_s = 24.0\n[[drive]]\non = "temp"\n'
        f'stream = "temperature"\nprofile = {profile}\nsettle_s = 0.25\n'
        '[[check]]\nmetric = "drive.temp.temperature.readings"\nat_least = 500\n'
        '[[check]]\nmetric = "drive.temp.temperature.error_maximum"\nequals = 0\n'
    )
    result = run_scenario(load_scenario(path), RunOptions())
    assert result.outcome == "PASS", (result.why, result.remarks, result.checks)
