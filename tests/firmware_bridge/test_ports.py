"""A board is found by its USB identity, whatever its port is called today; the list says who holds what."""

import os
from pathlib import Path

import pytest
from bench_parts import FakeSystem, PtyBoard

from firmware_bridge.address import parse_port
from firmware_bridge.errors import PortMissing, UsageError
from firmware_bridge.hints import Holder
from firmware_bridge.lock import PortLock, owner_of
from firmware_bridge.ports import PortInfo, System, UsbIdentity, find_device, identity_of, list_ports
from firmware_bridge.way import Way

UNO = PortInfo("/dev/ttyACM0", "Uno", 0x2341, 0x43, "95530343", "1-1.2", "Arduino")
PICO_A = PortInfo("/dev/ttyACM1", "Pico", 0x2E8A, 0xA, "E661", "1-1.4:1.0", "Raspberry Pi (Pico family)")
PICO_B = PortInfo("/dev/ttyACM2", "Pico", 0x2E8A, 0xA, "E661", "1-1.4:1.2", "Raspberry Pi (Pico family)")
CLONE_A = PortInfo("/dev/ttyUSB0", "CP2102", 0x10C4, 0xEA60, "0001", "1-2")
CLONE_B = PortInfo("/dev/ttyUSB1", "CP2102", 0x10C4, 0xEA60, "0001", "1-3")
UART = PortInfo("/dev/ttyS0", "n/a")
ALL = FakeSystem([UNO, PICO_A, PICO_B, CLONE_A, CLONE_B, UART])


@pytest.mark.parametrize(
    ("port", "device"),
    [
        ("usb://95530343", "/dev/ttyACM0"),
        ("usb://1-1.2", "/dev/ttyACM0"),
        ("usb://e661", "/dev/ttyACM1"),
        ("usb://1-1.4:1.2", "/dev/ttyACM2"),
        ("usb://1-3?baud=9600", "/dev/ttyUSB1"),
        ("/dev/ttyACM7", "/dev/ttyACM7"),
    ],
)
def test_a_usb_address_becomes_a_device(port: str, device: str) -> None:
    assert find_device(parse_port(port), ALL) == device


def test_a_usb_address_that_fits_none_or_several_says_what_to_write() -> None:
    with pytest.raises(PortMissing, match="did you mean `95530343`"):
        find_device(parse_port("usb://95530344"), ALL)
    with pytest.raises(UsageError, match="usb://1-2, usb://1-3"):
        find_device(parse_port("usb://0001"), ALL)
    with pytest.raises(PortMissing, match="no USB serial port is attached"):
        find_device(parse_port("usb://1-1.2"), FakeSystem([UART]))


def test_a_board_that_comes_back_under_another_name_is_followed() -> None:
    asked = parse_port("/dev/ttyACM0")
    known = UsbIdentity("95530343", "1-1.2")
    moved = PortInfo("/dev/ttyACM5", "Uno", 0x2341, 0x43, "95530343", "1-1.2")
    assert find_device(asked, FakeSystem([moved]), known) == "/dev/ttyACM5"
    assert find_device(asked, FakeSystem([UNO]), known) == "/dev/ttyACM0"
    assert find_device(asked, FakeSystem([]), known) == "/dev/ttyACM0"  # opening it says that it is missing


def test_another_board_under_the_old_name_is_not_taken_for_the_first() -> None:
    other = PortInfo("/dev/ttyACM0", "Uno", 0x2341, 0x43, "11111111", "1-1.2")
    with pytest.raises(PortMissing, match="11111111"):
        find_device(parse_port("/dev/ttyACM0"), FakeSystem([other]), UsbIdentity("95530343", "1-1.9"))


@pytest.mark.pty
def test_the_way_to_a_usb_board_leads_to_whatever_it_is_called_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIL_LOCK_DIR", str(tmp_path / "locks"))
    system = FakeSystem()
    way = Way("usb://95530343?baud=9600", system=system)
    with pytest.raises(PortMissing):
        way.open()
    for name in ("ttyACM0", "ttyACM3"):
        board = PtyBoard(tmp_path, name).plug()
        system.ports = [PortInfo(board.port, "Uno", 0x2341, 0x43, "95530343", "1-1.2")]
        transport = way.open()
        board.say(name.encode())
        assert transport.read(5.0) == name.encode()
        assert way.usb == UsbIdentity("95530343", "1-1.2")
        assert owner_of(os.path.realpath(board.port)) is not None
        way.close()
        assert owner_of(os.path.realpath(board.port)) is None
        board.unplug()


def test_a_board_without_serial_number_is_followed_by_its_place() -> None:
    known = UsbIdentity("", "1-1.2")
    moved = PortInfo("/dev/ttyUSB3", "CH340", 0x1A86, 0x7523, "", "1-1.2")
    assert find_device(parse_port("/dev/ttyUSB0"), FakeSystem([moved]), known) == "/dev/ttyUSB3"


def test_identity_is_read_through_links_and_is_none_for_what_has_none(tmp_path: Path) -> None:
    device = tmp_path / "ttyACM0"
    device.touch()
    link = tmp_path / "by-id"
    link.symlink_to(device)
    system = FakeSystem([PortInfo(str(device), "", serial="A1", location="1-1"), UART])
    assert identity_of(str(link), system) == UsbIdentity("A1", "1-1")
    assert identity_of("/dev/ttyS0", system) is None


def test_the_list_says_who_holds_a_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIL_LOCK_DIR", str(tmp_path))
    lock = PortLock("/dev/ttyACM0")
    lock.acquire()
    system = FakeSystem([UNO, UART], held={"/dev/ttyS0": (Holder(7, "screen", "bob"),)})
    listed = {info.port: info for info in list_ports(system)}
    lock.release()
    assert f"pid {os.getpid()}" in listed["/dev/ttyACM0"].held_by
    assert listed["/dev/ttyS0"].held_by == "screen of user bob (pid 7)"
    assert listed["/dev/ttyACM0"].as_dict()["serial"] == "95530343"


def test_this_machine_can_be_asked_and_its_virtual_boards_are_listed() -> None:
    ports = [info.port for info in list_ports(System())]
    assert "virtual://watch" in ports
    assert System().facts("/dev/null").platform


def test_who_has_a_file_open_is_found(tmp_path: Path) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("only Linux shows open files")
    file = tmp_path / "device"
    with file.open("w"):
        holders = System().holders([str(file)])[str(file)]
    assert os.getpid() in {holder.pid for holder in holders}
    assert System().holders([str(file)]) == {}
