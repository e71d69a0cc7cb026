"""A board that cannot be started: what was asked, what is missing, or what it said as it ended, in one sentence."""

import sys

import pytest

from firmware_bridge.errors import MissingPart, PortLost, UsageError
from firmware_bridge.firmware import build, kinds
from firmware_bridge.firmware.kinds import KINDS, can_start, startable
from firmware_bridge.transport import open_transport

pytestmark = [pytest.mark.firmware, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("firmware://natve", "did you mean native"),
        ("firmware://native/imu7", "use one of imu6"),
        ("firmware://qemu?cpu=m5", "use one of m3, m4f, m7"),
        ("firmware://qemu?sensor=tmp106", "use one of none, tmp105, lsm303dlhc_mag"),
        ("firmware://unicorn?cpu=m7", "cpu is no parameter"),
        ("firmware://native?sed=1", "did you mean seed"),
        ("firmware://native?rate=fast", "not a number"),
        ("firmware://native/imu6?board=imu6&board=imu6", "given twice"),
        ("firmware://native?serial=" + "x" * 24, "23 characters"),
        ("firmware://native?speaks=english", "use one of native, dut"),
        ("firmware://qemu?speaks=dut", "speaks"),
    ],
)
def test_what_cannot_be_meant_is_told_in_a_sentence(asked: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        open_transport(asked)


def test_a_missing_compiler_gives_one_sentence_with_what_to_type(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HIL_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(build, "has_zig", lambda: False)
    said = r"firmware://native: gcc is not installed, and neither is zig; apt-get install gcc \(or pip install"
    with pytest.raises(MissingPart, match=said):
        open_transport("firmware://native")
    assert can_start("native") == can_start("firmware://native/imu6?seed=1") == str(kinds.lacking(KINDS["native"]))
    assert "native" not in startable()


def test_a_firmware_that_ends_at_once_says_why(monkeypatch, tmp_path) -> None:
    from firmware_bridge.firmware import start

    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\necho 'no pseudo terminal can be opened: too many' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(start, "built", lambda _: program)
    with pytest.raises(PortLost, match="exit code 3 and said `no pseudo terminal can be opened: too many`"):
        open_transport("firmware://native")
