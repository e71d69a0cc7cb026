"""The whole core as one header: anyone's firmware compiles with it, and what it makes is a board of the bench."""

import shutil
import subprocess
from pathlib import Path

import pytest
from firmware_bench import NATIVE, count, items, until

from firmware_bridge.batch import Batch
from firmware_bridge.bridge import Bridge, PortSpec
from firmware_bridge.events import Connected
from firmware_bridge.firmware.recipes import FOLDER

SINGLE = FOLDER / "single"
STUBS = Path(__file__).with_name("stubs")
STRICT = ["-Wall", "-Wextra", "-Werror"]

pytestmark = pytest.mark.firmware


def compiled(compiler: str, *arguments: object) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed; apt-get install {compiler}")
    done = subprocess.run([compiler, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("compiler", "standard", "suffix"), [("gcc", "c11", "c"), ("g++", "c++17", "cpp")])
def test_the_header_is_c_and_c_plus_plus(compiler: str, standard: str, suffix: str, tmp_path: Path) -> None:
    source = tmp_path / f"board.{suffix}"
    source.write_text('#define HIL_BOARD_IMPLEMENTATION\n#include "hil_board.h"\n#include "hil_board.h"\n')
    compiled(compiler, f"-std={standard}", *STRICT, "-I", SINGLE, "-c", source, "-o", tmp_path / "board.o")


def test_the_component_for_an_esp32_compiles(tmp_path: Path) -> None:
    main = SINGLE / "examples" / "esp_idf" / "main" / "main.c"
    compiled("gcc", "-std=gnu17", *STRICT, "-I", SINGLE, "-I", STUBS, "-c", main, "-o", tmp_path / "main.o")


def test_the_arduino_sketch_compiles_and_is_a_board(tmp_path: Path) -> None:
    sketch = SINGLE / "examples" / "arduino" / "hil_pin" / "hil_pin.ino"
    program = tmp_path / "sketch"
    compiled("g++", "-std=c++17", *STRICT, "-I", SINGLE, "-include", STUBS / "Arduino.h", "-x", "c++", sketch,
             "-o", program)  # fmt: skip
    out: list = []
    with Bridge([PortSpec(f"exec:{program}", "b0", NATIVE)]) as bridge:
        until(bridge, out, lambda out: count(out) >= 50)
        (state,) = bridge.boards()
    info = items(out, Connected)[0].info
    assert (info.model, info.streams[0].rate_hz, info.streams[0].units) == ("arduino-pin", 100.0, ("V",))
    assert items(out, Batch)[0].values[0, 0] == pytest.approx(512 * 4.8876e-3)
    assert state.books.total("pin").missing == 0
