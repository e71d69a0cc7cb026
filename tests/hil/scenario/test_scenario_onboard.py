"""A board that judges its own samples: where its windows went is a metric, in the ledger and on a screen."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_net import small_net

from firmware_bridge.firmware.kinds import can_start
from firmware_bridge.ledger import Books, WindowBooks
from firmware_bridge.oplist import pack
from hil.dialogue.onboard import OnBoard
from hil.monitor.monitor import ledger_rows
from hil.scenario.grammar.load import Loaded, parse_scenario
from hil.scenario.run import RunOptions, run_scenario

SCENARIO = """
name = "the board keeps up with its own model"
[board.imu]
port = "{port}"
[readings]
to_s = 1.0
[[check]]
metric = "link.imu.windows_skipped"
equals = 0
[[check]]
metric = "link.imu.windows_lost"
equals = 0
[[check]]
metric = "link.imu.windows_judged"
at_least = 15
"""


@pytest.fixture
def served() -> Iterator[str]:
    """A virtual board that outlives whoever talks to it, as one on a USB cable does."""
    serve = [sys.executable, "-m", "firmware_bridge.virtual.serve", "imu?seed=3&rate=400"]
    with subprocess.Popen(serve, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().split()[0]
        process.stdin.close()


def run(folder: Path, port: str) -> object:
    text = SCENARIO.format(port=port)
    return run_scenario(Loaded(folder / "onboard.toml", text, parse_scenario(text, "onboard.toml")), RunOptions())


@pytest.mark.pty
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")
def test_a_model_is_deployed_and_a_scenario_judges_where_its_windows_went(served: str, tmp_path: Path) -> None:
    with OnBoard.open(served) as board:
        board.deploy(pack(small_net()))
        board.start_stream("imu", 20)
    result = run(tmp_path, served)
    assert result.outcome == "PASS", (result.why, result.checks)
    counted = {key: result.metrics[f"link.imu.windows_{key}"]["value"] for key in WindowBooks.__dataclass_fields__}
    assert counted["due"] == sum(count for key, count in counted.items() if key != "due") >= 15


def test_where_no_model_runs_its_windows_are_not_measured_and_never_0(tmp_path: Path) -> None:
    result = run(tmp_path, "virtual://imu?seed=3")
    assert {check.outcome for check in result.checks} == {"UNSET"}
    assert "no model runs on board imu's own samples" in result.checks[0].why


def test_a_screen_shows_windows_only_of_a_board_that_counts_them() -> None:
    assert [name for name, _ in ledger_rows(Books()) if "window" in name] == []
    rows = dict(ledger_rows(Books(windows={("imu", 0): WindowBooks(9, 5, 2, 1, 1), ("imu", 1): WindowBooks(1, 1)})))
    assert [rows[f"windows {key}"] for key in WindowBooks.__dataclass_fields__] == [10, 6, 2, 1, 1]


GIVEN = """
name = "a network on the board"
[board.imu]
virtual = "imu"
[setup]
network = "small.hiln"
hop = 20
[readings]
to_s = 0.5
[[check]]
metric = "link.imu.windows_judged"
at_least = 5
[[check]]
metric = "link.imu.windows_lost"
equals = 0
"""


def given(folder: Path, text: str = GIVEN) -> Loaded:
    (folder / "small.hiln").write_bytes(pack(small_net()))
    return Loaded(folder / "given.toml", text, parse_scenario(text, "given.toml"))


@pytest.mark.parametrize(
    "port", ["virtual://imu?rate=400", pytest.param("firmware://native?rate=400", marks=pytest.mark.firmware)]
)
def test_the_same_scenario_puts_its_network_on_a_virtual_board_and_on_firmware(port: str, tmp_path: Path) -> None:
    if reason := can_start(port) if port.startswith("firmware") else "":
        pytest.skip(reason)
    result = run_scenario(given(tmp_path), RunOptions(on=port))
    assert result.outcome == "PASS", (result.why, result.checks)
    assert result.target == port


def test_where_no_board_is_met_a_network_is_not_applicable(tmp_path: Path) -> None:
    result = run_scenario(given(tmp_path), RunOptions())
    assert {check.outcome for check in result.checks} == {"NA"}
    assert "put on live boards only" in result.checks[0].why


def test_a_network_that_is_none_or_that_the_board_refuses_is_trouble(tmp_path: Path) -> None:
    (tmp_path / "none.hiln").write_bytes(b"HILN")
    none = given(tmp_path, GIVEN.replace("small.hiln", "none.hiln"))
    assert "none.hiln: a board would refuse it" in run_scenario(none, RunOptions(on="virtual://imu")).why
    ppg = run_scenario(given(tmp_path), RunOptions(on="virtual://ppg"))
    assert ppg.outcome == "TROUBLE"
    assert "no stream sends 6 readings" in ppg.why
