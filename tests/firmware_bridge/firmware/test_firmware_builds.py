"""The firmware is built with warnings as errors, and the images that ship are what the sources say."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from firmware_bridge.errors import FileError
from firmware_bridge.firmware.build import BuildFailed, absent, build, built, cache_folder, is_built, missing
from firmware_bridge.firmware.images import MARK, PREBUILT, compiler_of, image_of, is_shipped, listed, provisioned
from firmware_bridge.firmware.recipes import FOLDER, RECIPES

pytestmark = [pytest.mark.firmware, pytest.mark.timeless]


@pytest.mark.parametrize("port", PREBUILT)
def test_the_shipped_image_is_of_the_sources_as_they_are(port: str) -> None:
    image = (FOLDER / "images" / RECIPES[port].output).read_bytes()
    assert hashlib.sha256(image).hexdigest() == listed()[port]["sha256"]
    assert is_shipped(port), "run `python -m firmware_bridge.firmware.images`"
    assert image_of(port) == image


@pytest.mark.parametrize("port", RECIPES)
def test_a_port_builds_without_a_warning(port: str, tmp_path: Path) -> None:
    recipe = RECIPES[port]
    if reason := absent(recipe):
        pytest.skip(reason)
    if not recipe.prebuilt:
        assert built(port).is_file()  # warnings are errors, and what is kept is kept under its sources and flags
        return
    image = build(recipe, tmp_path).read_bytes()
    if compiler_of(recipe) == listed()[port]["compiler"]:
        assert image == image_of(port), "the same compiler makes other bytes of the same sources"


def test_cppcheck_finds_nothing(tmp_path: Path) -> None:
    if shutil.which("cppcheck") is None:
        pytest.skip("cppcheck is not installed; apt-get install cppcheck")
    # The start-up code compares what the linker placed, and only the processor reads its table.
    allowed = ("comparePointers", "unusedStructMember")
    ports = [f"port/{name}" for name in ("native", "host", "mps2", "bare", "armv7m", "unicorn")]
    folders = ["core", "boards", "boards/i2c", "drivers", "dut", *ports]
    done = subprocess.run(
        ["cppcheck", "--quiet", "--error-exitcode=1", "--enable=warning,style,performance,portability",
         "--suppress=missingIncludeSystem", "--std=c11",
         *(f"--suppress={name}:port/armv7m/start.c" for name in allowed),
         *(f"-I{folder}" for folder in folders), *folders],
        cwd=FOLDER, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_an_image_is_made_one_of_a_kind_by_its_provision_block_alone() -> None:
    image = image_of(PREBUILT[0])
    own = provisioned(image, 7, 400_000, "A-1")
    assert len(own) == len(image)
    at = own.index(MARK)
    assert own[at + 8 : at + 40] == bytes.fromhex("07000000801a0600") + b"A-1".ljust(24, b"\0")
    assert (own[:at], own[at + 40 :]) == (image[:at], image[at + 40 :])
    with pytest.raises(FileError, match="not one provision block"):
        provisioned(b"no firmware", 0, 0, "")


def test_a_program_is_built_once_and_kept_under_the_digest_of_its_sources(tmp_path, monkeypatch) -> None:
    if reason := missing("native"):
        pytest.skip(reason)
    monkeypatch.setenv("HIL_CACHE_DIR", str(tmp_path))
    assert not is_built("native")
    program = built("native")
    assert program.is_relative_to(cache_folder())
    made = program.stat().st_mtime_ns
    assert built("native").stat().st_mtime_ns == made
    assert RECIPES["native"].digest()[:16] in program.parts


def test_a_compiler_that_refuses_is_told_with_its_first_words(tmp_path, monkeypatch) -> None:
    if reason := missing("native"):
        pytest.skip(reason)
    gcc = tmp_path / "gcc"
    gcc.write_text("#!/bin/sh\necho 'x.c:1:1: error: no such thing' >&2\nexit 1\n")
    gcc.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildFailed, match=r"firmware native: gcc refused it: x\.c:1:1: error: no such thing"):
        build(RECIPES["native"], tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
