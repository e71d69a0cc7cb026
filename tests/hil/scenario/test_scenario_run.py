"""One scenario on several targets: the same verdicts, whatever the pace, the cut of the input, the order of boards."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.streams import Stream
from hil.scenario.evidence.tally import StreamTally
from hil.scenario.grammar.benchfile import read_bench
from hil.scenario.grammar.load import Loaded, parse_scenario
from hil.scenario.options import again
from hil.scenario.run import RunOptions, run_scenario

IMU = """
name = "imu"
[board.imu]
virtual = "imu?rate=100&ppm=-38"
seed = 7
[readings]
to_s = 4.0
"""
RATE = '[[check]]\nmetric = "stream.imu.imu.rate"\nequals = 100\nwithin_percent = 0.1\n'
LOST = '[[check]]\nmetric = "link.imu.samples_lost"\nequals = 0\n'


def loaded(text: str, folder: Path = Path("/nowhere")) -> Loaded:
    path = folder / "s.toml"
    return Loaded(path, text, parse_scenario(text, str(path)))


def outcomes(text: str, folder: Path = Path("/nowhere"), **options: Any) -> tuple[str, list[str]]:
    result = run_scenario(loaded(text, folder), RunOptions(**options))
    return result.outcome, [check.outcome for check in result.checks]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of 12 s of the watch."""
    from hil.scenario.execution.execute import execute
    from hil.scenario.execution.targets import place_of
    from hil.scenario.run import Schedule

    text = 'name = "w"\n[board.watch]\nvirtual = "watch?pause_s=0"\n[readings]\nto_s = 12.0\n'
    scenario = loaded(text + LOST.replace("imu", "watch"))
    path = tmp_path_factory.mktemp("scenario") / "watch.mcap"
    place = place_of("watch", scenario.scenario.board["watch"], None, alone=True)
    execute(scenario, [place], 0, Schedule(), keep=path)
    return path


def test_a_virtual_board_is_judged_without_waiting() -> None:
    result = run_scenario(loaded(IMU + RATE + LOST), RunOptions())
    assert (result.outcome, result.target) == ("PASS", "virtual")
    assert result.readings_s == pytest.approx(4.0, abs=0.05)
    assert result.metrics["clock.imu.drift"]["value"] == pytest.approx(-38, abs=1)


def test_a_failure_is_a_failure_and_an_unknown_stream_is_unset() -> None:
    wrong = RATE.replace("equals = 100", "equals = 90")
    missing = RATE.replace("imu.imu", "imu.imux")
    assert outcomes(IMU + wrong + missing) == ("FAIL", ["FAIL", "UNSET"])


def test_the_same_seed_gives_the_same_result_and_another_gives_other_readings() -> None:
    runs = [run_scenario(loaded(IMU + RATE), RunOptions(seed=seed)).metrics for seed in (0, 0, 1)]
    assert runs[0] == runs[1]
    assert runs[0]["stream.imu.imu.ax.mean"] != runs[2]["stream.imu.imu.ax.mean"]


def test_a_dropped_frame_is_seen_by_the_checks_and_seconds_without_faults_are_not() -> None:
    fault = '[[fault]]\non = "imu"\nkind = "frame.drop"\nrate = 0.3\nfrom_s = 1.0\nto_s = 2.0\n'
    assert outcomes(IMU + fault + RATE + LOST)[1] == ["PASS", "FAIL"]
    late = fault.replace("from_s = 1.0\nto_s = 2.0", "from_s = 100")
    assert outcomes(IMU + late + RATE + LOST)[1] == ["PASS", "PASS"]


def test_a_recording_and_the_virtual_board_that_plays_it_give_the_same_readings(recording: Path) -> None:
    text = 'name = "r"\n[board.watch]\nrecording = "watch.mcap"\n[readings]\nto_s = 10.0\n' + LOST.replace(
        "imu", "watch"
    )
    runs = [run_scenario(loaded(text, recording.parent), RunOptions(on=on)) for on in ("recording", "virtual")]
    assert [one.outcome for one in runs] == ["PASS", "PASS"]
    assert [one.target for one in runs] == ["recording", "virtual"]
    means = [{name: one for name, one in run.metrics.items() if name.startswith("stream.")} for run in runs]
    assert means[0].keys() == means[1].keys()
    for name, one in means[0].items():
        assert means[1][name]["value"] == pytest.approx(one["value"], rel=1e-3, abs=2e-3), name


def test_a_part_of_a_recording_is_judged_by_itself(recording: Path) -> None:
    text = 'name = "r"\n[board.watch]\nrecording = "watch.mcap"\n[readings]\nfrom_s = 2.0\nto_s = 5.0\n'
    text += '[[check]]\nmetric = "stream.watch.imu.samples"\nequals = 150\nwithin_percent = 1\n'
    assert outcomes(text, recording.parent)[0] == "PASS"


def test_everything_is_the_same_byte_by_byte_in_other_batches_and_another_order(recording: Path) -> None:
    text = 'name = "two"\n[board.watch]\nrecording = "watch.mcap"\n[board.imu]\nvirtual = "imu?rate=100"\n'
    text += '[readings]\nto_s = 8.0\n[model.exercise]\nfile = "exercise"\nboard = "watch"\n' + LOST
    text += '[[check]]\nmetric = "model.exercise.decisions"\nat_least = 4\n'
    result = run_scenario(loaded(text, recording.parent), RunOptions(twice=True))
    rows = {check.metric: check for check in result.checks}
    assert result.outcome == "PASS", result
    assert rows["twice.metrics"].limit == f"= 0 of {sum(o['kind'] == 'data' for o in result.metrics.values())}"
    assert rows["twice.exercise"].value == 0


def test_a_file_that_is_not_there_is_trouble_and_a_git_lfs_pointer_is_named(tmp_path: Path) -> None:
    text = 'name = "r"\n[board.imu]\nrecording = "none.mcap"\n' + LOST
    assert run_scenario(loaded(text, tmp_path), RunOptions()).outcome == "TROUBLE"
    (tmp_path / "none.mcap").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    result = run_scenario(loaded(text, tmp_path), RunOptions())
    assert (result.outcome, "git lfs pull" in result.why) == ("TROUBLE", True)


@pytest.mark.parametrize(
    ("more", "options", "why"),
    [
        ("", {"on": "recording"}, "board imu has no recording"),
        ('needs = ["board:revb"]\n', {}, "board:revb"),
    ],
)
def test_what_a_target_cannot_have_is_na_with_the_reason(more: str, options: dict[str, Any], why: str) -> None:
    result = run_scenario(loaded(more + IMU + LOST), RunOptions(**options))
    assert result.outcome == "NA"
    assert why in result.why


def test_a_live_port_is_listened_to_and_the_wrong_firmware_is_trouble() -> None:
    text = IMU.replace("to_s = 4.0", "to_s = 0.5") + LOST
    assert outcomes(text, on="virtual://imu?rate=100")[0] == "PASS"
    wrong = run_scenario(loaded(text + '[setup]\nfirmware = "other"\n'), RunOptions(on="virtual://imu?rate=100"))
    assert (wrong.outcome, "firmware 'other' is asked for" in wrong.why) == ("TROUBLE", True)


def test_repeats_give_a_pass_rate_with_its_interval() -> None:
    repeats = run_scenario(loaded(IMU + LOST), RunOptions(repeat=3)).repeats
    assert (repeats["runs"], repeats["passed"], repeats["pass_rate"]) == (3, 3, 1.0)
    assert 0.2 < repeats["low"] < 0.4


def test_a_quarantined_scenario_that_passes_is_reported() -> None:
    text = IMU + LOST + '[quarantine]\nreason = "strap"\ndate = "2026-01-02"\n'
    result = run_scenario(loaded(text), RunOptions())
    assert result.remarks == ("it is in quarantine and passes: take [quarantine] out",)


def test_the_verb_prints_one_json_object_and_exits_by_the_worst(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(IMU + LOST)
    (tmp_path / "b.toml").write_text(IMU + RATE.replace("100", "90"))
    command = (sys.executable, "-m", "hil", "run", str(tmp_path), "--json")
    run = subprocess.run(command, capture_output=True, text=True, timeout=150)
    plain = json.loads(run.stdout)
    assert run.returncode == 1
    assert [one["outcome"] for one in plain["scenarios"]] == ["PASS", "FAIL"]
    assert set(plain["scenarios"][1]["checks"][0]) >= {"metric", "value", "unit", "limit", "outcome"}
    assert "2 scenarios" in run.stderr


def test_the_command_that_does_the_same_again_says_everything_that_changes_a_result(tmp_path: Path) -> None:
    one = loaded(IMU + LOST, tmp_path / "a folder")
    path = f"'{tmp_path}/a folder/s.toml'"
    assert again(one, RunOptions(keep="runs", wait_s=3.0, bench_file="b.toml")) == f"hil run {path}"
    options = RunOptions(on="imu=/dev/ttyUSB0", stimulus=True, against="virtual", seed=3, twice=True)
    more = "--on imu=/dev/ttyUSB0 --stimulus --against virtual --seed 3 --twice"
    assert again(one, options) == f"hil run {path} {more}"
    on_bench = loaded('needs = ["board:imu"]\n' + IMU + LOST, tmp_path)
    assert again(on_bench, RunOptions(bench_file="b.toml")) == f"hil run {tmp_path}/s.toml --bench b.toml"


def test_a_run_without_a_model_loads_neither_torch_nor_the_statistics(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(IMU.replace("to_s = 4.0", "to_s = 1.0") + LOST)
    code = (
        "import sys\nfrom hil.cli import main\n"
        f"sys.argv = ['hil', 'run', {str(tmp_path)!r}, '--no-keep']\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert not ended.code\n"
        "print('loaded', sorted({'torch', 'scipy.stats', 'matplotlib', 'distributed', 'textual'} & set(sys.modules)))\n"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, timeout=150)
    assert done.stdout.endswith("loaded []\n"), done.stdout + done.stderr


@given(st.lists(st.integers(1, 9000), min_size=1, max_size=12), st.integers(0, 2**31))
@settings(max_examples=25)
def test_figures_of_a_stream_do_not_depend_on_how_it_is_cut(cuts: list[int], seed: int) -> None:
    stream = Stream("s", ("a", "b"), ("g", "g"), "<i2", (2,), 100.0, scale=(0.001,))
    draw = np.random.default_rng(seed)
    count = sum(cuts)
    raw = draw.integers(-3000, 3000, (count, 2)).astype("<i2")
    ticks = np.cumsum(draw.integers(9_990, 10_010, count))
    hole = count // 2

    def batches(edges: list[int]) -> StreamTally:
        tally = StreamTally(stream)
        for low, high in pairwise(edges):
            first = low + (5 if low >= hole else 0)
            tally.add(Batch("b", stream, 0, first, ticks[low:high], ticks[low:high], raw[low:high]))
        return tally

    whole = batches([0, *([hole] if hole else []), count])
    parts = batches(sorted({0, hole, count, *np.cumsum(cuts).tolist()}))
    assert whole.figures() == parts.figures()
    assert (whole.rate_hz, whole.jitter_us(0.99)) == (parts.rate_hz, parts.jitter_us(0.99))
    if count > 20:
        assert whole.figures()["a"].mean == pytest.approx(float(stream.values(raw)[:, 0].mean()), abs=1e-5)
        assert whole.figures()["a"].noise == pytest.approx(whole.figures()["a"].sd, rel=0.6)


def test_the_file_of_the_bench_says_where_a_board_is(tmp_path: Path) -> None:
    text = 'needs = ["board:imu"]\n' + IMU.replace('virtual = "imu?rate=100&ppm=-38"\nseed = 7', 'port = "bench"')
    text = text.replace("to_s = 4.0", "to_s = 0.5") + LOST
    assert run_scenario(loaded(text), RunOptions()).outcome == "NA"
    (tmp_path / "bench.toml").write_text('[board.imu]\nport = "virtual://imu?rate=100"\n')
    result = run_scenario(loaded(text), RunOptions(bench=read_bench(tmp_path / "bench.toml")))
    assert (result.outcome, result.target) == ("PASS", "virtual://imu?rate=100")
    (tmp_path / "bench.toml").write_text("[board.imu]\n")
    with pytest.raises(UsageError, match=r"board\.imu\.port: this key is missing"):
        read_bench(tmp_path / "bench.toml")
