"""`hil model deploy` as a person and a script use it."""

import json
from pathlib import Path

import pytest

import hil.models
from firmware_bridge.errors import UsageError
from firmware_bridge.oplist import unpack
from hil.cli import app

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
