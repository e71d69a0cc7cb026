"""The whole core as one header: anyone's firmware compiles with it, and what it makes is a board of the bench."""

import shutil
import subprocess
from pathlib import Path

import pytest
from firmware_bench import NATIVE, count, items, until
from model_bench import BLOB, NET
from small_net import windows

from firmware_bridge.batch import Batch
from firmware_bridge.bridge import Bridge, PortSpec
from firmware_bridge.events import Connected
from firmware_bridge.firmware.recipes import FOLDER
from firmware_bridge.oplist.reference import run
from hil.dialogue.onboard import OnBoard

SINGLE = FOLDER / "single"
STUBS = Path(__file__).with_name("stubs")
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wcast-align", "-Werror"]

pytestmark = [pytest.mark.firmware, pytest.mark.timeless]


def compiled(compiler: str, *arguments: object) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed; apt-get install {compiler}")
    done = subprocess.run([compiler, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


with_and_without_models = pytest.mark.parametrize("more", [(), ("-DHIL_BOARD_INFERENCE",)], ids=["", "models"])
GIVEN = """
static uint8_t blob[64], window[64];
static int8_t arena[64];
extern const hil_memory memory;
const hil_memory memory = HIL_MEMORY(blob, arena, window, 0);
"""


@with_and_without_models
@pytest.mark.parametrize(
    ("compiler", "standard", "suffix"),
    [("gcc", "c11", "c"), ("g++", "c++17", "cpp"), ("clang", "c11", "c"), ("clang++", "c++17", "cpp")],
)
def test_the_header_is_c_and_c_plus_plus(
    compiler: str, standard: str, suffix: str, more: tuple[str, ...], tmp_path: Path
) -> None:
    source = tmp_path / f"board.{suffix}"
    source.write_text(
        '#define HIL_BOARD_IMPLEMENTATION\n#include "hil_board.h"\n#include "hil_board.h"\n' + (GIVEN if more else "")
    )
    compiled(compiler, f"-std={standard}", *STRICT, *more, "-I", SINGLE, "-c", source, "-o", tmp_path / "board.o")


def test_on_an_avr_constants_lie_in_flash_without_being_asked(tmp_path: Path) -> None:
    source, made = tmp_path / "board.cpp", tmp_path / "board.o"
    source.write_text('#define HIL_BOARD_IMPLEMENTATION\n#include "hil_board.h"\n')
    compiled("avr-g++", "-mmcu=atmega328p", "-Os", "-std=gnu++11", *STRICT, "-I", SINGLE, "-c", source, "-o", made)
    told = subprocess.run(["avr-size", made], capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[1].split()[1:3] == ["0", "0"]  # no byte of a chip's 2 KB for tables and words


@with_and_without_models
def test_the_component_for_an_esp32_compiles(more: tuple[str, ...], tmp_path: Path) -> None:
    main = SINGLE / "examples" / "esp_idf" / "main" / "main.c"
    compiled("gcc", "-std=gnu17", *STRICT, *more, "-I", SINGLE, "-I", STUBS, "-c", main, "-o", tmp_path / "main.o")


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


def process_board(folder: Path) -> str:
    """Build the example that runs models; return its port."""
    source = SINGLE / "examples" / "process" / "main.c"
    compiled("gcc", "-std=c11", "-O2", *STRICT, "-I", SINGLE, source, "-o", folder / "board")
    return f"exec:{folder / 'board'}"


def test_a_program_with_the_header_and_nothing_else_judges_windows_bit_for_bit(tmp_path: Path) -> None:
    raw = windows(12, seed=4)
    layers = run(NET, raw)
    with OnBoard.open(process_board(tmp_path)) as board:
        assert board.deploy(BLOB).blob_bytes == len(BLOB)
        answers = board.infer(raw, "imu")
        tapped = board.tap(raw[0], 1)
    assert all((one.outputs == want.reshape(-1)).all() for one, want in zip(answers, layers[-1], strict=True))
    assert (tapped == layers[1][0].reshape(-1)).all()
