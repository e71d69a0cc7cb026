"""`hil model deploy` as a person and a script use it."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer

import hil.models
from firmware_bridge.errors import BridgeError, NoAnswer, UsageError
from firmware_bridge.firmware import can_start
from firmware_bridge.oplist import unpack
from firmware_bridge.streams import Stream
from hil.cli import app
from hil.models.int8.placed import as_sent_by

SMALL = Path(hil.models.__file__).parent / "exercise-small.hilmodel"
WATCH = Path(__file__).resolve().parents[3] / "scenarios" / "recordings" / "watch-unseen-9.mcap"


def deploy(*arguments: object) -> None:
    app(["model", "deploy", *map(str, arguments)], standalone_mode=False)


def test_a_dry_run_prints_every_layer_and_writes_what_a_board_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blob, table = tmp_path / "small.hiln", tmp_path / "small.c"
    deploy(SMALL, "--dry-run", "--data", WATCH, "-o", blob, "--c-table", table, "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["flash_bytes"] == blob.stat().st_size
    assert [row["operator"] for row in found["layers"]] == [
        "input", "conv1d", "conv1d", "add", "conv1d", "add", "conv1d", "add", "average_pool", "linear",
    ]  # fmt: skip
    assert unpack(blob.read_bytes()).arena == found["ram_bytes"]
    assert "const uint8_t exercise_small_model[]" in table.read_text()
    with pytest.raises(UsageError, match="never overwritten"):
        deploy(SMALL, "--dry-run", "--data", WATCH, "-o", blob)


def test_without_readings_only_sizes_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deploy(SMALL, "--dry-run")
    printed = capsys.readouterr()
    assert "average_pool" in printed.out
    assert "sizes only" in printed.err
    with pytest.raises(UsageError, match="--data"):
        deploy(SMALL, "--dry-run", "-o", tmp_path / "x.hiln")
    assert not (tmp_path / "x.hiln").exists()


def test_a_check_tells_how_near_the_integers_come(capsys: pytest.CaptureFixture[str]) -> None:
    deploy(SMALL, "--dry-run", "--data", WATCH, "--check", WATCH)
    out = capsys.readouterr().out
    assert "95 % interval" in out
    assert "macro_f1" in out


def test_a_running_bench_is_asked_for_a_network_on_its_boards_alone(tmp_path: Path) -> None:
    at = ("--at", "127.0.0.1:1", "--token", "x")
    for words in ((SMALL, "--dry-run"), (tmp_path / "x.hiln", "--on", "firmware"), (tmp_path / "x.hiln", "--stream")):
        with pytest.raises(UsageError, match="nothing else is asked of it"):
            deploy(*words, *at)
    with pytest.raises(UsageError, match="an op list is finished"):
        deploy(tmp_path / "x.hiln", "--data", WATCH, *at)
    for file in (SMALL, tmp_path / "x.hiln"):
        with pytest.raises(NoAnswer, match="no engine answers"):
            deploy(file, *at)


def ended(*arguments: object) -> int:
    """The exit status of `hil model deploy`."""
    try:
        deploy(*arguments)
    except BridgeError as error:
        return error.exit_code
    except typer.Exit as status:
        return int(status.exit_code)
    return 0


@pytest.mark.firmware
def test_a_board_gets_the_model_and_says_what_it_holds_and_one_window_is_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    if reason := can_start("native"):
        pytest.skip(reason)
    assert ended(SMALL, "--data", WATCH, "--on", "firmware://native?rate=50&seed=3", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    board = found["board"]
    assert (board["model"], board["stream"]) == ("hil-imu6", "imu")
    assert board["deployed"]["blob_bytes"] == found["flash_bytes"]
    assert board["deployed"]["arena_bytes"] == found["ram_bytes"]
    assert board["verdict"]["verdict"] == "identical"
    assert board["elapsed_ms"] > 0
    assert board["instructions"] is None  # a process cannot count them; unknown is not 0


@pytest.mark.firmware
def test_an_op_list_goes_onto_a_board_and_runs_on_its_own_samples(capsys: pytest.CaptureFixture[str]) -> None:
    if reason := can_start("native"):
        pytest.skip(reason)
    blob = Path(__file__).resolve().parents[2] / "firmware_bridge" / "firmware" / "exercise-small.hiln"
    assert ended(blob, "--on", "firmware://native", "--stream", "--hop", 100, "--for", 0.6) == 0
    out = capsys.readouterr().out
    assert f"flash         {blob.stat().st_size} bytes  of 65536 that the board has" in out
    assert "identical" in out
    assert "\n199  " in out
    assert ended(blob, "--on", "firmware://native", "--data", WATCH) == 2


@pytest.mark.firmware
def test_a_model_does_not_run_on_samples_of_another_rate(capsys: pytest.CaptureFixture[str]) -> None:
    if reason := can_start("native"):
        pytest.skip(reason)
    assert ended(SMALL, "--data", WATCH, "--on", "firmware://native", "--stream", "--for", 1) == 2
    assert ended(SMALL, "--data", WATCH, "--stream", "--dry-run") == 2
    assert ended(SMALL, "--data", WATCH, "--on", "firmware://native", "--dry-run") == 2
    assert ended(SMALL, "--on", "firmware://native") == 2


def test_readings_are_told_in_the_integers_of_the_board_that_is_there() -> None:
    ours = Stream("imu", ("x", "y"), ("g", "g"), "<i2", (2,), 50.0, (0.5, 0.25), (1.0, 0.0))
    assert as_sent_by(ours, np.array([[2.0, 1.0], [1e9, -1e9]])).tolist() == [[2, 4], [32767, -32768]]
