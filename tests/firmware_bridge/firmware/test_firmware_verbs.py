"""`hil firmware` and `hil ports` say what can be started and what it proves; scripts read the same as JSON."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from firmware_bridge.firmware.build import missing
from firmware_bridge.firmware.kinds import KINDS, can_start, listed
from hil.cli import app

pytestmark = pytest.mark.firmware


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_list_names_every_kind_what_it_proves_and_whether_it_starts_here() -> None:
    rows = json.loads(said("firmware", "list", "--json"))["firmware"]
    assert {f"firmware://{name}" for name in KINDS} <= {row["port"] for row in rows}
    assert {"firmware://qemu?cpu=m7", "firmware://qemu?sensor=tmp105"} < {row["port"] for row in rows}
    for row, (port, kind) in zip(rows, listed(), strict=True):
        assert row["port"] == port
        assert row["starts"] is (can_start(port) == "")
        assert row["reason"] == can_start(port)
        assert (row["instructions"], row["peripherals"]) == (kind.instructions, kind.peripherals)
    assert "firmware://simavr" in said("firmware", "list")


def test_ports_list_emulated_boards_beside_the_others() -> None:
    listed = {row["port"]: row for row in json.loads(said("ports", "--json"))["ports"]}
    for name, kind in KINDS.items():
        row = listed[f"firmware://{name}"]
        assert row["board"] == "firmware"
        assert (row["description"] == kind.proves) is (can_start(name) == "")
    assert not any("firmware" in row["port"] for row in json.loads(said("ports", "--attached", "--json"))["ports"])


def test_a_build_lands_in_the_folder_that_was_named(tmp_path: Path) -> None:
    if reason := missing("native"):
        pytest.skip(reason)
    made = json.loads(said("firmware", "build", "--port", "native", "-o", str(tmp_path), "--json"))["built"]
    assert Path(made["native"]) == tmp_path / "imu6-native"
    assert (tmp_path / "imu6-native").stat().st_mode & 0o100
