"""Whatever a host sends: no crash, no finding of a sanitizer, and two readers in C that agree (libFuzzer)."""

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from dut_core import NET
from fuzz_seeds import COMMANDS, write_seeds

from firmware_bridge.firmware.build import build, built, missing
from firmware_bridge.firmware.recipes import FOLDER, RECIPES
from firmware_bridge.oplist.cheader import c_table
from firmware_bridge.wire.encode import encode
from firmware_bridge.wire.messages import Kind, Message

MILLIONS = 10
pytestmark = [pytest.mark.firmware, pytest.mark.skipif(bool(missing("fuzz")), reason=missing("fuzz"))]


def fuzzed(folder: Path, *options: str, target: str = "fuzz") -> int:
    """Run the fuzzer; return how many inputs it tried."""
    done = subprocess.run(
        [built(target), str(folder), *options, "-print_final_stats=1"], capture_output=True, text=True, cwd=folder,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = re.search(r"stat::number_of_executed_units:\s+(\d+)", done.stderr)
    assert found is not None, done.stderr[-3000:]
    return int(found[1])


@pytest.mark.fuzz
def test_nothing_a_host_sends_breaks_the_board(tmp_path: Path) -> None:
    seconds = int(os.environ.get("HIL_FUZZ_S", "5"))
    write_seeds(tmp_path)
    assert fuzzed(tmp_path, f"-max_total_time={seconds}", "-max_len=512", "-seed=1") > 1000


@pytest.mark.fuzz
def test_nothing_a_host_says_breaks_a_device_under_test(tmp_path: Path) -> None:
    seconds = min(10, int(os.environ.get("HIL_FUZZ_S", "5")))
    assert fuzzed(tmp_path, f"-max_total_time={seconds}", "-max_len=256", "-seed=1", target="fuzz-dut") > 500


def test_every_command_of_a_host_is_among_what_the_fuzzer_begins_with() -> None:
    assert {message.kind for message in COMMANDS.values()} == {kind for kind in Kind if kind >= Kind.IDENTIFY}


def test_the_network_that_is_fuzzed_is_the_one_of_the_tests() -> None:
    assert (FOLDER / "fuzz_dut" / "small_net.c").read_text() == c_table(NET, "small_net")


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_ten_million_inputs_find_nothing(tmp_path: Path) -> None:
    write_seeds(tmp_path)
    assert fuzzed(tmp_path, f"-runs={MILLIONS * 1_000_000}", "-max_len=128", "-seed=2") >= MILLIONS * 1_000_000


@pytest.mark.fuzz
def test_the_fuzzer_notices_two_readers_that_disagree(tmp_path: Path) -> None:
    """A difference that is planted in parts of some length is found from one short part: the search is not blind."""
    planted = replace(RECIPES["fuzz"], flags=(*RECIPES["fuzz"].flags, "-DHIL_PLANTED_BUG"), output="planted")
    program = build(planted, tmp_path)
    (folder := tmp_path / "short").mkdir()
    (folder / "identify").write_bytes(b"\0" + encode(Message(Kind.IDENTIFY), 1, 16))
    done = subprocess.run([program, folder, "-runs=100000", "-max_len=256", "-len_control=0", "-seed=3"],
                          capture_output=True, cwd=tmp_path, check=False)  # fmt: skip
    assert done.returncode == 77
    assert b"deadly signal" in done.stderr  # where the two disagree; anything else that ends it is no find
