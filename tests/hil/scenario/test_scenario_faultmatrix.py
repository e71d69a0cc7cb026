"""The detection matrix of a scenario: what is detected and by what, what is tolerated, what nobody can see, and why."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from firmware_bridge.errors import NoAnswer, UsageError
from firmware_bridge.faults import KINDS
from hil.cli import app
from hil.scenario.faults.asked import kinds_asked, strengths_asked
from hil.scenario.faults.matrix import LINE, Cell, Matrix, Trial, fault_matrix
from hil.scenario.faults.table import matrix_lines, matrix_rows, matrix_sentence
from hil.scenario.grammar.load import Loaded, load_scenario, parse_scenario

SMOKE = Path(__file__).resolve().parents[3] / "scenarios" / "smoke"
IMU = 'name = "i"\n[board.imu]\nvirtual = "imu?rate=100"\nseed = 5\n[readings]\nto_s = 3.0\n'
TEXT = 'name = "t"\n[board.logger]\nvirtual = "text?format=csv"\nseed = 1\n[readings]\nto_s = 6.0\n'
SUMS = '[[check]]\nmetric = "link.{}.bytes_unaccounted"\nequals = 0\n'


def loaded(text: str) -> Loaded:
    return Loaded(Path("s.toml"), text, parse_scenario(text, "s.toml"))


def outcomes(matrix: Matrix) -> dict[str, str]:
    return {one.kind: one.outcome for one in matrix.cells}


def test_nothing_on_the_line_of_a_native_board_is_silent_and_it_is_said_what_told_of_it() -> None:
    kinds = ["byte.flip", "byte.burst", "link.stall", "link.disconnect", "frame.stale", "frame.duplicate"]
    matrix = fault_matrix(loaded(IMU + SUMS.format("imu")), kinds, (2,), (0, 1))
    assert (matrix.sealed, matrix.wrong, matrix.exit_code, matrix.complete) == (True, (), 0, True)
    assert outcomes(matrix) == {**dict.fromkeys(kinds, "detected"), "link.stall": "tolerated"}
    by = {one.kind: one.by for one in matrix.cells}
    assert by["frame.duplicate"] == ("ledger",)
    assert by["link.disconnect"] == ("events", "ledger")
    assert by["link.stall"] == ()
    assert matrix.blind == ()


def test_a_fault_of_a_sensor_is_seen_by_a_check_with_a_limit_and_by_nothing_else() -> None:
    limit = '[[check]]\nmetric = "stream.imu.imu.ax.mean"\nbetween = [-0.05, 0.05]\n'
    kinds = ["sensor.bias", "sensor.noise", "clock.ppm"]
    for check, expected in ((SUMS.format("imu"), "silent"), (limit, "detected")):
        matrix = fault_matrix(loaded(IMU + check), kinds, (1,), (0,))
        assert outcomes(matrix) == {"sensor.bias": expected, "sensor.noise": "silent", "clock.ppm": "silent"}
        assert matrix.exit_code == 0
        assert [kind for kind, _ in matrix.blind] == kinds
    (bias,) = (one for one in matrix.cells if one.kind == "sensor.bias")
    assert (bias.by, bias.why) == (("checks",), "stream.imu.imu.ax.mean is FAIL")


def test_of_a_board_without_checksum_and_counter_it_is_said_what_nobody_can_see_and_why() -> None:
    kinds = ["byte.flip", "byte.duplicate", "link.disconnect", "link.stall", "frame.drop", "sensor.dead_row"]
    matrix = fault_matrix(loaded(TEXT + SUMS.format("logger")), kinds, (2,), (0, 1, 2))
    assert not matrix.sealed
    assert Counter(one.outcome for one in matrix.cells if one.level == "byte")["silent"] >= 3
    assert {one.outcome for one in matrix.cells if one.kind == "link.disconnect"} == {"detected"}
    assert {one.outcome for one in matrix.cells if one.kind == "link.stall"} == {"tolerated"}
    assert matrix.exit_code == 0
    assert "a changed digit is another number" in dict(matrix.blind)["byte.flip"]
    assert dict(matrix.absent).keys() == {"frame.drop", "sensor.dead_row"}
    lines = "\n".join([*matrix_lines(matrix), matrix_sentence(matrix, 1.0)])
    for said in ("cannot be detected by construction", "no board speaks in native frames", "this is no failure"):
        assert said in lines


def test_a_check_that_fails_without_a_fault_tells_nothing() -> None:
    wrong = '[[check]]\nmetric = "stream.imu.imu.rate"\nequals = 90\n'
    timing = '[[check]]\nmetric = "link.imu.arrival_jitter_p99"\nat_most = 100\n'
    matrix = fault_matrix(loaded(IMU + wrong + timing), ["sensor.bias"], (2,), (0,))
    assert matrix.deaf == ("stream.imu.imu.rate", "link.imu.arrival_jitter_p99")
    assert outcomes(matrix) == {"sensor.bias": "silent"}


def test_a_fault_that_hits_nothing_is_said_to_have_hit_nothing() -> None:
    cell = Trial(loaded(IMU + SUMS.format("imu"))).cell("byte.flip", 0, 1)
    assert (cell.outcome, cell.why) == ("tolerated", "it hit nothing: the same bytes came at the same times")


def test_the_faults_of_a_scenario_are_left_out_of_its_matrix() -> None:
    fault = '[[fault]]\non = "imu"\nkind = "frame.drop"\nrate = 0.5\n'
    one, two = (
        fault_matrix(loaded(IMU + more + SUMS.format("imu")), ["frame.drop"], (0,), (0,)) for more in ("", fault)
    )
    assert one == two


def test_the_exit_code_is_1_for_what_checksum_and_counter_should_have_told_and_3_for_what_was_not_done() -> None:
    silent, fine = Cell("byte.flip", "byte", 2, 0.002, 0, "silent"), Cell("byte.flip", "byte", 2, 0.002, 1, "detected")
    trouble = Cell("byte.flip", "byte", 2, 0.002, 2, "trouble", "it took too long")

    def code(*cells: Cell, sealed: bool = True, complete: bool = True) -> int:
        return Matrix("s.toml", "virtual", sealed, cells, (), (), (), complete).exit_code

    assert [code(fine), code(fine, silent), code(silent, sealed=False), code(fine, complete=False)] == [0, 1, 0, 3]
    assert [code(fine, trouble), code(silent, trouble)] == [3, 1]
    assert code(Cell("sensor.bias", "sensor", 0, 0.01, 0, "silent")) == 0
    matrix = Matrix("s.toml", "virtual", True, (fine, silent, trouble), (), (), ())
    assert matrix_rows(matrix)[1][0][1] == "1 detected, 1 silent, 1 trouble"
    assert [row["outcome"] for row in matrix.as_dict()["rows"]] == ["detected", "silent"]


def test_an_interrupt_gives_what_is_done() -> None:
    def progress(share: float) -> None:
        if share >= 0.5:
            raise KeyboardInterrupt

    matrix = fault_matrix(loaded(IMU + SUMS.format("imu")), ["byte.flip"], (2,), (0, 1), progress=progress)
    assert (matrix.complete, len(matrix.cells), matrix.exit_code) == (False, 1, 3)


def test_what_has_no_matrix_is_said_in_a_sentence() -> None:
    live = loaded(IMU.replace('virtual = "imu?rate=100"\nseed = 5', 'port = "virtual://imu"') + SUMS.format("imu"))
    for one, on in ((live, None), (loaded(IMU + SUMS.format("imu")), "virtual://imu")):
        with pytest.raises(UsageError, match="no two runs are alike"):
            fault_matrix(one, ["byte.flip"], on=on)
    with pytest.raises(UsageError, match="has no recording"):
        fault_matrix(loaded(IMU + SUMS.format("imu")), ["byte.flip"], on="recording")
    absent = loaded(IMU.replace('virtual = "imu?rate=100"\nseed = 5', 'recording = "x.mcap"') + SUMS.format("imu"))
    with pytest.raises(NoAnswer, match="TROUBLE without a fault"):
        fault_matrix(absent, ["byte.flip"])


def test_the_verb_prints_rows_that_scripts_rely_on_however_many_processes_there_are(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(IMU.replace("3.0", "1.0") + SUMS.format("imu"))
    chosen = ("s.toml", "--kind", "frame.drop", "--kind", "byte.drop", "--strengths", "strong", "--seeds", "1")
    command = (sys.executable, "-m", "hil", "faults", "matrix", *chosen, "--jobs", "2", "--json")
    two = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=150)
    plain = json.loads(two.stdout)
    matrix = fault_matrix(load_scenario(tmp_path / "s.toml"), ["byte.drop", "frame.drop"], (2,), (0,))
    assert plain["rows"] == json.loads(json.dumps(matrix.as_dict()["rows"]))
    assert set(plain["rows"][0]) >= {"kind", "level", "strength", "seed", "outcome", "why"}
    assert (two.returncode, plain["silent"], plain["complete"]) == (0, 0, True)
    assert "0 of 2 runs under byte, link and frame faults are silently wrong" in two.stderr


def test_kinds_are_asked_for_by_name_and_level_and_a_wrong_name_gets_the_nearest() -> None:
    byte = ["byte.flip", "byte.drop", "byte.duplicate", "byte.burst"]
    assert kinds_asked(["frame.drop"], ["byte"]) == [*byte, "frame.drop"]
    assert kinds_asked([], []) == list(KINDS)
    assert strengths_asked("strong,0") == [0, 2]
    for ask in (lambda: kinds_asked(["byte.flop"], []), lambda: kinds_asked([], ["byt"])):
        with pytest.raises(UsageError, match=r"did you mean byte"):
            ask()
    for text in ("3", "", "weak,stronger"):
        with pytest.raises(UsageError, match="allowed: weak, medium, strong"):
            strengths_asked(text)


def test_every_kind_is_listed_with_its_parameters() -> None:
    listed = CliRunner().invoke(app, ["faults", "list", "--json"])
    kinds = {one["kind"]: one for one in json.loads(listed.stdout)["kinds"]}
    assert kinds.keys() == KINDS.keys()
    length = next(one for one in kinds["byte.burst"]["parameters"] if one["name"] == "length")
    assert (length["unit"], length["low"], length["high"]) == ("bytes", 1, 65536)
    assert "clock.wrap" in CliRunner().invoke(app, ["faults", "list"]).stdout


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", ["imu", "watch"])
def test_the_whole_matrix_of_a_native_board_has_no_silent_fault_on_the_line(name: str) -> None:
    matrix = fault_matrix(load_scenario(SMOKE / f"{name}.toml"))
    print(Counter((one.level, one.outcome) for one in matrix.cells))
    assert len({one.kind for one in matrix.cells}) >= 26
    assert len(matrix.cells) == 26 * 3 * 5
    assert [one for one in matrix.cells if one.level in LINE and one.outcome == "silent"] == []
    seen = {one.kind for one in matrix.cells if one.outcome == "detected" and one.level in LINE}
    assert seen == {name for name, kind in KINDS.items() if kind.level in LINE} - {"link.stall", "link.delay"}
    assert matrix.exit_code == 0
