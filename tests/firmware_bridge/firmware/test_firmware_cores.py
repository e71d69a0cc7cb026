"""One port of the firmware on three Cortex-M cores: the same readings bit for bit, a FPU that is on where needed."""

import sys
from pathlib import Path

import numpy as np
import pytest
from firmware_bench import bench, count, items, needs, until
from firmware_core import reading

from firmware_bridge.batch import Batch
from firmware_bridge.firmware import kinds
from firmware_bridge.firmware.control import Control
from firmware_bridge.firmware.images import image_of
from firmware_bridge.firmware.kinds import CORES, can_start

pytestmark = [pytest.mark.firmware, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")]

FPU_ON = {"m3": 0x00000000, "m4f": 0x00F00000, "m7": 0x00F00000}
"""CPACR: full access to coprocessors 10 and 11."""
HARD_FLOAT = 0x400
"""In the flags of an ELF file: arguments in registers of the FPU."""


@pytest.mark.parametrize("core", CORES)
def test_every_core_says_the_same_readings_and_its_fpu_is_on_where_its_code_may_use_it(
    core: str, tmp_path: Path
) -> None:
    needs(f"qemu?cpu={core}")
    out: list = []
    with (
        bench(f"firmware://qemu?cpu={core}&rate=250&seed=3&qmp={tmp_path}/q") as bridge,
        Control(tmp_path / "q") as control,
    ):
        until(bridge, out, lambda out: count(out) >= 300)
        (state,) = bridge.boards()
        said = control.ask("human-monitor-command", {"command-line": "x /1wx 0xe000ed88"})
        machine = control.ask("qom-get", {"path": "/machine", "property": "type"})
    assert state.info.firmware == f"hil 1 mps2 {core}"
    assert machine == f"{CORES[core].machine}-machine"
    assert int(said.split(":")[1], 16) == FPU_ON[core]
    batches = items(out, Batch)
    numbers = np.concatenate([np.arange(batch.first, batch.end) for batch in batches]).tolist()
    assert numbers == list(range(len(numbers)))
    ticks = np.concatenate([batch.ticks for batch in batches]).tolist()
    raw = np.concatenate([batch.raw for batch in batches]).tolist()
    assert raw == [reading(3, number, tick) for number, tick in zip(numbers, ticks, strict=True)]


def test_images_for_cores_with_a_fpu_pass_floats_in_its_registers() -> None:
    flags = {core: int.from_bytes(image_of(kind.port)[36:40], "little") for core, kind in CORES.items()}
    assert {core: bool(flag & HARD_FLOAT) for core, flag in flags.items()} == {"m3": False, "m4f": True, "m7": True}


def test_a_core_whose_image_is_of_other_sources_and_has_no_compiler_says_so(monkeypatch, tmp_path: Path) -> None:
    needs("qemu")
    monkeypatch.setattr(kinds, "is_shipped", lambda port: port != "mps2-m7")
    monkeypatch.setattr(kinds, "missing", lambda port: "arm-none-eabi-gcc is not installed, and neither is zig")
    assert can_start("firmware://qemu?cpu=m4f") == ""
    assert "differ from the shipped image and arm-none-eabi-gcc is not installed" in can_start("qemu?cpu=m7")
