"""The C kernels give the reference's answer bit for bit, and refuse what the Python check refuses."""

import random
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from damage import damaged
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from native_nn import CORE, SOURCES, STRICT, NativeNN, build
from oplists import oplists, readings

from firmware_bridge.oplist import OpList, Reason, pack, refusal, unpack
from firmware_bridge.oplist.reference import run


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> NativeNN:
    return build(tmp_path_factory.mktemp("nn"), "-O2")


def agree(native: NativeNN, oplist: OpList, number: int) -> None:
    raw = readings(oplist, 2, number)
    expected = run(oplist, raw)
    found = native.run(pack(oplist), raw, oldest=number % oplist.window)
    for index, (want, got) in enumerate(zip(expected, found, strict=True)):
        assert (want.reshape(len(raw), -1) == got).all(), f"layer {index} of {oplist}"


@seed(5)
@settings(max_examples=250)
@given(oplist=oplists(), number=st.integers(0, 2**32 - 1))
def test_every_layer_of_any_network_is_the_same_in_c_and_numpy(native: NativeNN, oplist: OpList, number: int) -> None:
    agree(native, oplist, number)


@pytest.mark.slow
@pytest.mark.timeout(900)
@seed(6)
@settings(max_examples=10_000, suppress_health_check=list(HealthCheck))
@given(oplist=oplists(longest=12), number=st.integers(0, 2**32 - 1))
def test_ten_thousand_networks_are_the_same_in_c_and_numpy(native: NativeNN, oplist: OpList, number: int) -> None:
    agree(native, oplist, number)


def damaged_blobs(count: int, number: int) -> list[bytes]:
    chance = random.Random(number)
    sound: list[bytes] = []

    @seed(number)
    @settings(max_examples=40, database=None, suppress_health_check=list(HealthCheck))
    @given(oplists())
    def draw(oplist: OpList) -> None:
        sound.append(pack(oplist))

    draw()
    return [damaged(chance.choice(sound), chance) for _ in range(count)]


def small(blob: bytes) -> bool:
    """Whether running it is a matter of moments."""
    oplist = unpack(blob)
    return oplist.arena <= 1 << 20 and sum(op.macs + op.elements * op.kernel for op in oplist.ops) < 1 << 20


def test_c_and_python_refuse_the_same_blobs_for_the_same_reason(native: NativeNN) -> None:
    seen = set()
    for blob in damaged_blobs(3000, 1):
        expected = refusal(blob, arena=1 << 20)
        assert native.load(blob) == (expected.reason, expected.op)
        seen.add(expected.reason)
        if expected.reason is Reason.FINE and small(blob):
            native.run(blob, readings(unpack(blob), 1, 0))  # its guards would tell
    assert seen == set(Reason), "some checks were never reached"


def harness(folder: Path) -> Path:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no C compiler on this machine")
    program = folder / "harness"
    sanitized = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1")
    sources = (str(Path(__file__).with_name("harness.c")), *map(str, SOURCES))
    command = [compiler, *STRICT, *sanitized, f"-I{CORE}", *sources, "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and "cannot find" in done.stderr:
        pytest.skip("the compiler has no sanitizers")
    assert done.returncode == 0, done.stderr
    return program


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_blob_makes_the_kernels_touch_memory_that_is_not_theirs(tmp_path: Path) -> None:
    blobs = damaged_blobs(40_000, 2)
    blobs = [blob for blob in blobs if refusal(blob).reason is not Reason.FINE or small(blob)]
    given_bytes = b"".join(struct.pack("<I", len(blob)) + blob for blob in blobs)
    done = subprocess.run([str(harness(tmp_path))], input=given_bytes, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[:2000]
    reasons = [int(line.split()[0]) for line in done.stdout.decode().splitlines()]
    assert reasons == [refusal(blob, arena=1 << 24).reason for blob in blobs]
    assert reasons.count(0) > 1000


@pytest.mark.skipif(shutil.which("cppcheck") is None, reason="cppcheck is not installed")
def test_cppcheck_finds_nothing_in_the_kernels() -> None:
    quiet = [f"--suppress={name}" for name in ("missingIncludeSystem", "unusedFunction")]
    command = ["cppcheck", "--std=c11", "--enable=all", "--inconclusive", "-q", "--error-exitcode=1", *quiet]
    done = subprocess.run([*command, *map(str, SOURCES)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("compiler", "flags"),
    [("arm-none-eabi-gcc", ("-mcpu=cortex-m3", "-mthumb")), ("avr-gcc", ("-mmcu=atmega328p",))],
)
def test_the_kernels_compile_for_boards_without_a_64_bit_division(
    tmp_path: Path, compiler: str, flags: tuple[str, ...]
) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    for source in SOURCES:
        made = tmp_path / "made.s"
        command = [compiler, *STRICT, *flags, "-O2", "-S", str(source), "-o", str(made)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "ldivmod" not in made.read_text()
        assert "__divdi3" not in made.read_text()


def test_a_reading_beyond_the_range_saturates(native: NativeNN) -> None:
    from test_oplist_format import smallest

    raw = np.array([[[-32768], [-5], [5], [32767]]], "<i2")
    (layer,) = native.run(pack(smallest()), raw)
    assert layer.tolist() == [[-128, 0, 0, 127]]
