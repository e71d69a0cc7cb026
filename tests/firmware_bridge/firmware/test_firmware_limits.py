"""Anyone's firmware with the single header: sizes and profiles that don't fit are refused, never written past."""

import re
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest
from firmware_core import CoreBoard
from model_bench import BLOB, needs_gcc
from virtual_host import Host

from firmware_bridge.firmware.build import built, missing
from firmware_bridge.firmware.images import PREBUILT
from firmware_bridge.firmware.recipes import FOLDER, RECIPES
from firmware_bridge.wire.dialect import Described
from firmware_bridge.wire.encode import Encoder
from firmware_bridge.wire.framing import Decoder, decode_live
from firmware_bridge.wire.messages import HEADER, Kind, Message

SINGLE = FOLDER / "single"

pytestmark = [
    pytest.mark.firmware,
    pytest.mark.timeless,
    pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed; apt-get install gcc"),
]

MACHINE = """
#include <stdio.h>
#include <string.h>
#define HIL_BOARD_IMPLEMENTATION
#include "hil_board.h"

static hil_board board;
static hil_ring *to_board, *to_host;
static uint32_t now;

void hal_start(hil_ring *in, hil_ring *out) { to_board = in; to_host = out; }
uint32_t hal_tick(void) { return now; }
uint8_t hal_lock(void) { return 0; }
void hal_unlock(uint8_t before) { (void)before; }
void hal_send(void) {}
void hal_wait(uint32_t ticks) { (void)ticks; }
const char *hal_name(void) { return "test"; }
const char *hal_serial(void) { return "1"; }
uint32_t hal_seed(void) { return 0; }
uint32_t hal_rate_mhz(void) { return OWN_RATE; }

static void read_it(uint32_t number, uint32_t tick, uint8_t *sample) { (void)number; (void)tick; (void)sample; }
static void describe_it(hil_text *text) { hil_text_put(text, "\\"name\\":\\"s\\",\\"dtype\\":\\"u1\\""); }
static hil_sensor sensors[2] = {{BYTES, RATE, read_it, describe_it}, {1, 1000, read_it, describe_it}};
static const hil_profile profile = {"m", sensors, STREAMS, 0};

/* What stdin holds goes to the board, then it is polled so many times; stdout is what it said. */
int main(void)
{
    memset(&board, 0xA5, sizeof board);
    board.engine = 0;
    if (!hil_board_start(&board, &profile)) {
        hil_board_poll(&board);
        return hil_board_idle(&board) == HIL_TICK_HZ ? 9 : 8;
    }
    for (int byte; (byte = getchar()) != EOF;) { (void)hil_ring_put(to_board, (uint8_t)byte); }
    for (int turn = 0; turn < TURNS; turn++, now += STEP) {
        hil_board_poll(&board);
        for (int16_t byte; (byte = hil_ring_get(to_host)) >= 0;) { putchar(byte); }
    }
    return 0;
}
"""
SANE = {"BYTES": 2, "RATE": 100_000, "STREAMS": 1, "OWN_RATE": 0, "TURNS": 1000, "STEP": 1000}


START = Encoder(16, 256).payload(Kind.START, 0, bytes([5, 0, 0, 0, *bytes(8)]))


def machine(folder: Path, **defined: object) -> subprocess.CompletedProcess[str]:
    """Compile a board with these sizes and profile, watched by the sanitizers."""
    (folder / "board.c").write_text(MACHINE)
    words = [f"-D{name}={value}" for name, value in {**SANE, **defined}.items()]
    return subprocess.run(
        ["gcc", "-std=c11", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", *words, f"-I{SINGLE}",
         str(folder / "board.c"), "-o", str(folder / "board")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def run(folder: Path, said: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([folder / "board"], input=said, capture_output=True, check=False)


@pytest.mark.parametrize("wrong", [{"BYTES": 193}, {"BYTES": 0}, {"STREAMS": 2}, {"RATE": 0}, {"RATE": 100_000_001}],
                         ids=str)  # fmt: skip
def test_a_profile_beyond_the_sizes_of_its_port_is_refused_and_polling_it_does_nothing(wrong, tmp_path) -> None:
    assert machine(tmp_path, **wrong).returncode == 0
    done = run(tmp_path)
    assert (done.returncode, done.stdout) == (9, b""), done.stderr.decode()


def test_the_longest_sample_that_fits_runs_under_the_sanitizers_and_a_rate_nobody_can_hold_is_the_usual_one(
    tmp_path: Path,
) -> None:
    assert machine(tmp_path, BYTES=192, OWN_RATE="4000000000u").returncode == 0
    done = run(tmp_path, START)
    assert done.returncode == 0, done.stderr.decode()
    assert b'"rate_hz":100.000' in done.stdout
    assert done.stdout.count(bytes([Kind.SAMPLES])) >= 100


def test_room_for_two_injected_samples_says_its_credit_when_it_changes_and_not_at_every_poll(tmp_path: Path) -> None:
    assert machine(tmp_path, BYTES=100, HIL_INJECT_BYTES=200).returncode == 0
    done = run(tmp_path, Encoder(16, 256).payload(Kind.START, 0, bytes([5, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0])))
    frames = decode_live(Decoder().take(done.stdout)[0], 16, 256)
    kinds = [frames.body(at)[0] for at in range(len(frames))]
    assert kinds.count(Kind.CREDIT) == 1


@pytest.mark.parametrize(
    ("size", "value"),
    [("HIL_TX_BYTES", 3000), ("HIL_RX_BYTES", 500), ("HIL_TX_BYTES", 512), ("HIL_MAX_FRAME", 200),
     ("HIL_STREAMS", 32), ("HIL_STREAMS", 20), ("HIL_CRC_BITS", 24), ("HIL_TICK_HZ", "((uint32_t)16000000)")],
)  # fmt: skip
def test_sizes_that_do_not_fit_together_do_not_compile_and_say_which(size, value, tmp_path: Path) -> None:
    done = machine(tmp_path, **{size: value})
    assert done.returncode != 0
    assert re.search(r"static assertion failed: \"HIL_\w+", done.stderr)


@needs_gcc
def test_a_hello_that_waited_while_a_network_came_tells_of_it_and_is_whole() -> None:
    host = Host(CoreBoard())
    host.start()
    host.now += 3_000_000_000  # nobody reads: HELLO finds no room
    crc32 = {"crc32": zlib.crc32(BLOB)}
    parts = [Message(Kind.MODEL_CHUNK, {"offset": at}, BLOB[at : at + 200]) for at in range(0, len(BLOB), 200)]
    begin = Message(Kind.MODEL_BEGIN, {"size": len(BLOB), **crc32})
    for message in (Message(Kind.IDENTIFY), begin, *parts, Message(Kind.MODEL_END, crc32)):
        host.board.receive(host.dialect.send(message), host.now)
    host.listen()
    host.run(0.1)
    told = [one for one in host.heard if isinstance(one, Described)]
    assert told[-1].info.extra["network"]["bytes"] == len(BLOB)
    assert host.dialect.books["fragment"] == 0


def test_frame_numbers_wrap_and_nothing_is_missed(tmp_path: Path) -> None:
    much = {"BYTES": 4, "HIL_GROUP_BYTES": 4, "RATE": 100_000_000, "STEP": 10, "TURNS": 70_000}
    assert machine(tmp_path, **much).returncode == 0
    done = run(tmp_path, START)
    assert done.returncode == 0, done.stderr.decode()
    frames = decode_live(Decoder().take(done.stdout)[0], 16, 256)
    numbers = [HEADER.unpack_from(frames.body(at))[2] for at in range(len(frames))]
    assert len(numbers) > 2**16 + 1000
    assert numbers == [at % 2**16 for at in range(len(numbers))]


@pytest.mark.skipif(bool(missing("native")), reason=missing("native"))
@pytest.mark.parametrize("rate", ["nan", "-1", "1e9", "100001", "fast"])
def test_a_rate_that_is_none_ends_the_program_with_its_usage(rate: str) -> None:
    done = subprocess.run([built("native"), "--rate", rate], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.startswith("usage: imu6-native")) == (2, True)


@pytest.mark.parametrize("port", PREBUILT)
def test_an_image_is_no_larger_than_what_is_in_it(port: str) -> None:
    """All of the protocol takes 6 KB, a thermometer and a compass 1, the network 6."""
    assert (FOLDER / "images" / RECIPES[port].output).stat().st_size < 16 * 1024
