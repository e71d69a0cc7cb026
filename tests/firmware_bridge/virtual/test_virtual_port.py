"""pyserial opens virtual://: reads wait by the clock, end when told to, and need nothing that Windows lacks."""

import contextlib
import subprocess
import sys
import textwrap
import threading

import pytest
import serial
from virtual_host import START_NS

import firmware_bridge.virtual as virtual
from firmware_bridge.clock import ManualClock, SystemClock
from firmware_bridge.errors import UsageError
from firmware_bridge.wire.dialect import Described, Samples
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.native import NativeDialect

virtual.register()


def closed_port(url: str, timeout: float | None = 1.0) -> serial.SerialBase:
    port = serial.serial_for_url(url, do_not_open=True, timeout=timeout)
    port.clock = ManualClock(START_NS)
    return port


def opened(url: str, timeout: float | None = 1.0) -> serial.SerialBase:
    port = closed_port(url, timeout)
    port.open()
    return port


def start(port: serial.SerialBase, dialect: NativeDialect) -> None:
    heard = list(dialect.feed(port.read(port.in_waiting), 0))
    assert isinstance(heard[0], Described)
    port.write(dialect.send(Message(Kind.START, {"nonce": 5, "streams": 0, "injected": 0})))


def test_a_read_waits_until_bytes_are_due_by_the_clock() -> None:
    port, dialect = opened("virtual://watch?seed=7"), NativeDialect()
    start(port, dialect)
    port.read(port.in_waiting)
    before = port.clock.now_ns()
    first = port.read(1)
    assert len(first) == 1
    assert port.clock.now_ns() - before == 20_000_000  # 50 Hz
    heard = list(dialect.feed(first + port.read(port.in_waiting), 0))
    assert [type(one) for one in heard] == [Samples]


def test_a_read_ends_with_the_timeout_and_returns_what_there_is() -> None:
    port = opened("virtual://imu", timeout=0.25)
    hello = port.in_waiting
    assert hello > 100
    before = port.clock.now_ns()
    assert len(port.read(hello + 10)) == hello
    assert port.clock.now_ns() - before == 250_000_000
    assert port.read(1) == b""


def test_a_read_that_waits_for_ever_can_be_cancelled_from_another_thread() -> None:
    port = serial.serial_for_url("virtual://imu", timeout=None)
    port.read(port.in_waiting)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(port.read(1)))
    reader.start()
    port.cancel_read()
    reader.join(60)
    assert not reader.is_alive()
    assert got == [b""]
    port.close()


def test_closing_ends_a_waiting_read() -> None:
    port = serial.serial_for_url("virtual://imu", timeout=None)
    port.read(port.in_waiting)
    ended = threading.Event()

    def read() -> None:
        with contextlib.suppress(serial.SerialException):
            port.read(1)
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    port.close()
    assert ended.wait(60)
    reader.join(60)


def test_an_answer_wakes_a_waiting_read() -> None:
    port, dialect = serial.serial_for_url("virtual://imu", timeout=None), NativeDialect()
    port.read(port.in_waiting)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(port.read(8)))
    reader.start()
    port.write(dialect.send(Message(Kind.PING, {"token": 9})))
    reader.join(60)
    assert len(got[0]) == 8
    port.close()


def test_every_opening_is_a_fresh_board() -> None:
    port, dialect = opened("virtual://imu"), NativeDialect()
    start(port, dialect)
    port.close()
    port.open()
    heard = list(NativeDialect().feed(port.read(port.in_waiting), 0))
    assert isinstance(heard[0], Described)
    assert heard[0].nonce == 0


def test_a_closed_port_says_so() -> None:
    port = opened("virtual://imu")
    port.close()
    for call in (lambda: port.read(1), lambda: port.write(b"x"), lambda: port.in_waiting):
        with pytest.raises(serial.SerialException):
            call()


def test_opening_twice_is_refused() -> None:
    port = opened("virtual://imu")
    with pytest.raises(serial.SerialException):
        port.open()


@pytest.mark.parametrize(("url", "word"), [("virtual://wach", "did you mean watch"), ("virtual://imu?sede=1", "seed")])
def test_a_wrong_url_ends_in_one_sentence(url: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        closed_port(url).open()


def test_input_can_be_thrown_away() -> None:
    port = opened("virtual://imu")
    assert port.in_waiting > 0
    port.reset_input_buffer()
    assert port.in_waiting == 0
    assert port.out_waiting == 0


def test_the_system_clock_is_the_default_and_waits_for_real() -> None:
    port, dialect = serial.serial_for_url("virtual://imu?group=1", timeout=1), NativeDialect()
    assert isinstance(port.clock, SystemClock)
    start(port, dialect)
    heard: list[object] = []
    begun = port.clock.now_ns()
    while sum(isinstance(one, Samples) for one in heard) < 20:
        heard += dialect.feed(port.read(1) + port.read(port.in_waiting), 0)
    assert port.clock.now_ns() - begun >= 18_000_000
    port.close()


def test_a_handler_that_cannot_be_imported_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "firmware_bridge.virtual.protocol_virtual", None)
    monkeypatch.delattr(virtual, "protocol_virtual", raising=False)
    with pytest.raises(ImportError, match="protocol_virtual"):
        virtual.register()


def test_it_runs_where_ptys_and_their_kin_do_not_exist() -> None:
    """As on Windows: these modules are blocked, and pyserial's own half for this system is replaced by a bare class."""
    code = """
        import sys, types
        for name in ("termios", "fcntl", "pty", "tty", "resource", "grp", "pwd"):
            sys.modules[name] = None
        from importlib.util import find_spec
        half = types.ModuleType("serial.serialposix")
        class Serial: pass
        half.Serial = half.PosixPollSerial = half.VTIMESerial = Serial
        sys.modules["serial.serialposix"] = half
        import serial
        import firmware_bridge.virtual as virtual
        from firmware_bridge.clock import ManualClock
        from firmware_bridge.wire.messages import Kind, Message
        from firmware_bridge.wire.native import NativeDialect
        virtual.register()
        for name in ("watch", "imu", "ppg", "thermal"):
            port = serial.serial_for_url(f"virtual://{name}?seed=1", do_not_open=True, timeout=1)
            port.clock = ManualClock()
            port.open()
            dialect = NativeDialect()
            list(dialect.feed(port.read(port.in_waiting), 0))
            port.write(dialect.send(Message(Kind.START, {"nonce": 3, "streams": 0, "injected": 0})))
            heard = []
            for _ in range(30):
                heard += dialect.feed(port.read(1) + port.read(port.in_waiting), 0)
            assert sum(type(one).__name__ == "Samples" for one in heard) >= 10, name
        text = serial.serial_for_url("virtual://text?format=csv", timeout=2)
        assert b"millis" in text.read(300)
        print("ran")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "ran"
