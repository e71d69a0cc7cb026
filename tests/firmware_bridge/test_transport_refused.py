"""What cannot be opened ends in one sentence with the command that mends it."""

import errno
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bench_parts import FakeSystem

from firmware_bridge.errors import (
    BridgeError,
    PortBusy,
    PortDenied,
    PortLost,
    PortMissing,
    TransportError,
)
from firmware_bridge.hints import Facts, Holder
from firmware_bridge.transport import open_transport


def refusing(error: Exception) -> Callable[[], Any]:
    def opening() -> None:
        raise error

    return lambda: SimpleNamespace(open=opening)


LINUX = Facts(user="ada", group="dialout", ports=("/dev/ttyACM0", "/dev/ttyACM1"))


SCREEN = Holder(4711, "screen", "bob", "09:15")


@pytest.mark.parametrize(
    ("error", "facts", "kind", "words"),
    [
        (OSError(errno.EACCES, "x"), LINUX, PortDenied, "sudo usermod -aG dialout ada"),
        (OSError(errno.EACCES, "x"), Facts(user="ada", group="dialout", in_group=True), PortDenied, "newgrp dialout"),
        (OSError(errno.EACCES, "x"), Facts(platform="darwin"), PortDenied, "chmod a+rw /dev/ttyUSB0"),
        (OSError(errno.EACCES, "x"), Facts(platform="win32"), PortBusy, "serial monitor"),
        (OSError(errno.EBUSY, "x"), Facts(holders=(SCREEN,)), PortBusy, "screen of user bob (pid 4711) since 09:15"),
        (OSError(errno.EBUSY, "x"), Facts(holders=(SCREEN,)), PortBusy, "`kill 4711`"),
        (OSError(errno.EAGAIN, "x"), Facts(), PortBusy, "sudo fuser -v /dev/ttyUSB0"),
        (
            OSError(errno.EBUSY, "x"),
            Facts(holders=(Holder(9, "ModemManager"),)),
            PortBusy,
            "disable --now ModemManager",
        ),
        (OSError(errno.EBUSY, "x"), Facts(running=frozenset({"ModemManager"})), PortBusy, "disable --now ModemManager"),
        (OSError(errno.EBUSY, "x"), Facts(holders=(Holder(9, "brltty"),)), PortBusy, "apt remove brltty"),
        (OSError(errno.ENOENT, "x"), Facts(running=frozenset({"brltty"})), PortMissing, "disable --now brltty"),
        (OSError(errno.ENOENT, "x"), LINUX, PortMissing, "there are /dev/ttyACM0, /dev/ttyACM1"),
        (OSError(errno.ENOENT, "x"), Facts(ports=("/dev/ttyS0", "/dev/ttyUSB1")), PortMissing, "`/dev/ttyUSB1`?"),
        (OSError("could not open port: [Errno 13] Permission denied"), LINUX, PortDenied, "usermod"),
        (OSError(errno.ENOENT, "x"), Facts(), PortMissing, "plug the board in and run `hil ports`"),
        (OSError(errno.EIO, "x"), Facts(), PortLost, "unplug the board"),
        (OSError(errno.ENOTTY, "x"), Facts(), TransportError, "no serial port"),
        (OSError("something new"), Facts(), TransportError, "`hil ports` tells"),
    ],
)
def test_a_port_that_does_not_open_ends_in_one_sentence_with_what_to_do(
    error: OSError, facts: Facts, kind: type[TransportError], words: str
) -> None:
    with pytest.raises(kind) as caught:
        open_transport("/dev/ttyUSB0", system=FakeSystem(known=facts), make_serial=refusing(error))
    sentence = str(caught.value)
    assert words in sentence
    assert sentence.startswith("/dev/ttyUSB0: ")
    assert "\n" not in sentence


def test_a_real_missing_port_and_a_file_that_is_no_port_say_so(tmp_path: Path) -> None:
    with pytest.raises(PortMissing, match="did you mean `/dev/ttyACM0`"):
        open_transport("/dev/ttyACMO", system=FakeSystem(known=Facts(ports=("/dev/ttyACM0", "/dev/ttyS0"))))
    plain = tmp_path / "plain"
    plain.write_bytes(b"no terminal")
    with pytest.raises(TransportError, match="no serial port"):
        open_transport(str(plain), system=FakeSystem())


def test_what_does_not_exist_yet_says_so_in_one_sentence() -> None:
    with pytest.raises(BridgeError, match="firmware://nowhere/nothing"):
        open_transport("firmware://nowhere/nothing")
