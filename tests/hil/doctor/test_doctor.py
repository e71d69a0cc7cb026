"""The doctor measures what is there, and every finding that is not well says what to do."""

import json
import os
import random
import sys
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from firmware_bridge.hints import Facts, Holder
from hil.cli import app
from hil.doctor import adapter, host, line, terminal
from hil.doctor.examine import KINDS, examine, safe_rates
from hil.doctor.finding import OK, TROUBLE, UNKNOWN, WARNING, Checkup, Finding

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from engines import Unhurried

QUIET = ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, True, (120, 35), "utf-8")


class Plug:
    """A loop-back plug at a pseudo terminal: what is written comes back, some of it changed or not at all.

    Args:
        spoil: Every so many bytes one is changed; 0: none.
        swallow: Whether nothing comes back.
    """

    def __init__(self, spoil: int = 0, swallow: bool = False) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        self._slave, self._spoil, self._swallow, self._count = slave, spoil, swallow, 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                got = bytearray(os.read(self._master, 4096))
            except OSError:
                return
            for at in range(len(got)):
                self._count += 1
                if self._spoil and self._count % self._spoil == 0:
                    got[at] ^= 1
            if not self._swallow:
                os.write(self._master, bytes(got))

    def close(self) -> None:
        os.close(self._slave)
        os.close(self._master)


@pytest.fixture
def plug() -> Iterator[Plug]:
    made = Plug()
    yield made
    made.close()


@pytest.mark.pty
def test_a_loop_back_plug_at_a_real_terminal_is_measured(plug) -> None:
    found = examine(plug.port, 0.3, loopback=True, screen=QUIET, clock=Unhurried())
    by_name = {one.what: one for one in found.findings}
    assert by_name["loop-back"].level == OK
    assert by_name["loop-back"].value == 0
    rate = by_name["sustained rate"].value or 0
    assert rate > 1000
    assert 0 < (by_name["round trip"].value or 0) < 500_000
    assert found.uncertainty_us == (by_name["round trip"].value or 0) / 2
    assert set(found.safe) == set(KINDS)
    assert found.safe["6 axes, 16 bit"] == pytest.approx(0.7 * rate / 15)


@pytest.mark.pty
@pytest.mark.parametrize(("made", "words"), [
    (lambda: Plug(spoil=100), "came back changed"), (lambda: Plug(swallow=True), "nothing that was sent came back"),
], ids=["spoils", "swallows"])  # fmt: skip
def test_a_plug_that_spoils_bytes_or_is_not_there_is_trouble_with_what_to_do(made, words) -> None:
    plug = made()
    looped = line.loop_back(plug.port, 0.2, Unhurried(), seed=3)
    found = list(line.judge_looped(plug.port, looped, None))
    plug.close()
    assert found[0].level == TROUBLE
    assert words in found[0].said
    assert found[0].todo


@pytest.mark.pty
def test_a_silent_port_is_trouble_and_a_missing_one_says_so(plug) -> None:
    silent = examine(plug.port, 0.2, screen=QUIET)
    assert silent.worst == TROUBLE
    assert any(one.what == "bytes" and "none came" in one.said and one.todo for one in silent.findings)
    assert silent.uncertainty_us is None
    gone = examine("/dev/ttyNOT_THERE7", 0.2, screen=QUIET)
    assert gone.findings[-1].level == TROUBLE
    assert gone.findings[-1].todo


def test_a_board_is_heard_and_its_timing_is_stated() -> None:
    found = examine("virtual://imu?seed=3&tx_buffer=100000000", 1.5, screen=QUIET, clock=Unhurried())
    by_name = {one.what: one for one in found.findings}
    assert "hil-imu" in by_name["board"].said
    assert by_name["loss"].level == OK
    assert (by_name["round trip"].value or 0) > 0
    assert found.uncertainty_us is not None
    assert any("±" in sentence for sentence in found.verdict())


@pytest.mark.firmware
def test_the_reference_firmware_is_heard_through_its_own_process() -> None:
    found = examine("firmware://native?rate=100", 3.0, screen=QUIET)
    by_name = {one.what: one for one in found.findings}
    assert by_name["board"].level == OK
    assert by_name["loss"].value == 0
    assert found.uncertainty_us is not None


def test_this_computer_is_measured() -> None:
    measured = host.measure(5)
    assert measured.step_ns > 0
    assert len(measured.late_us) == 5
    assert {one.what for one in host.judge(measured)} == {"clock", "waking", "load"}


@pytest.mark.parametrize(("seen", "what"), [
    (host.Host(20_000, (10.0,), 2, 0.1), "clock"), (host.Host(50, (10.0, 9000.0), 2, 0.1), "waking"),
    (host.Host(50, (10.0,), 2, 7.0), "load"), (host.Host(50, (10.0,), 2, None), "load"),
])  # fmt: skip
def test_what_a_computer_is_bad_at_is_told_with_what_to_do(seen, what) -> None:
    found = {one.what: one for one in host.judge(seen)}
    assert [name for name, one in found.items() if one.level != OK] == [what]
    assert found[what].todo


def sysfs(root: Path, latency: str, speed: str = "12") -> Path:
    """A tree as Linux shows an FTDI adapter."""
    usb = root / "devices" / "usb1" / "1-1"
    port = usb / "1-1:1.0" / "ttyUSB3"
    port.mkdir(parents=True)
    (root / "drivers" / "ftdi_sio").mkdir(parents=True)
    (port / "driver").symlink_to(root / "drivers" / "ftdi_sio")
    (port / "latency_timer").write_text(f"{latency}\n")
    (usb / "idVendor").write_text("0403\n")
    (usb / "speed").write_text(f"{speed}\n")
    (usb / "power").mkdir()
    (usb / "power" / "control").write_text("auto\n")
    (usb / "power" / "autosuspend_delay_ms").write_text("0\n")
    (root / "class" / "tty" / "ttyUSB3").mkdir(parents=True)
    (root / "class" / "tty" / "ttyUSB3" / "device").symlink_to(port)
    return root


def test_an_adapters_latency_timer_is_read_and_what_shortens_it_is_said(tmp_path) -> None:
    found = {one.what: one for one in adapter.adapter("/dev/ttyUSB3", sysfs(tmp_path, "16"))}
    assert "ftdi_sio" in found["driver"].said
    assert (found["latency timer"].level, found["latency timer"].value) == (WARNING, 16.0)
    assert "/sys/class/tty/ttyUSB3/device/latency_timer" in found["latency timer"].todo
    assert found["USB"].value == 12.0
    assert found["power saving"].level == WARNING


def test_an_on_board_uart_is_driven_by_what_stands_behind_the_ports_of_the_system_itself(tmp_path) -> None:
    """Linux 6.5 and later: pnp0/00:00 (serial) / 00:00:0 (ctrl) / 00:00:0.0 (port)."""
    chip = tmp_path / "devices" / "00:00"
    for folder, bus, driver in ((chip, "pnp", "serial"), (chip / "00:00:0", "serial-base", "ctrl"),
                                (chip / "00:00:0" / "00:00:0.0", "serial-base", "port")):  # fmt: skip
        folder.mkdir(parents=True)
        for link, place in (
            ("driver", tmp_path / "bus" / bus / "drivers" / driver),
            ("subsystem", tmp_path / "bus" / bus),
        ):
            place.mkdir(parents=True, exist_ok=True)
            (folder / link).symlink_to(place)
    for name, device in (("ttyS0", chip / "00:00:0" / "00:00:0.0"), ("ttyX0", tmp_path / "bus")):
        (tmp_path / "class" / "tty" / name).mkdir(parents=True)
        (tmp_path / "class" / "tty" / name / "device").symlink_to(device)
    (said,) = [one for one in adapter.adapter("/dev/ttyS0", tmp_path) if one.what == "driver"]
    assert (said.level, said.said) == (OK, "the system drives it with serial")
    (unknown,) = [one for one in adapter.adapter("/dev/ttyX0", tmp_path) if one.what == "driver"]
    assert (unknown.level, unknown.said) == (UNKNOWN, "the system names none")


def test_a_short_latency_timer_is_well_and_a_port_without_a_device_is_unknown(tmp_path) -> None:
    found = {one.what: one for one in adapter.adapter("/dev/ttyUSB3", sysfs(tmp_path, "1"))}
    assert found["latency timer"].level == OK
    (lone,) = adapter.adapter("/dev/pts/77", tmp_path)
    assert lone.level == UNKNOWN


def test_who_may_not_open_a_port_is_told_the_command_that_mends_it() -> None:
    facts = Facts(user="kim", group="dialout", running=frozenset({"brltty", "ModemManager"}),
                  holders=(Holder(42, "minicom"),))  # fmt: skip
    found = list(adapter.access("/dev/ttyUSB0", facts, False))
    assert found[0].level == TROUBLE
    assert "usermod -aG dialout kim" in found[0].todo
    assert [one.what for one in found[1:]] == ["holder", "meddler", "meddler"]
    again = next(adapter.access("/dev/ttyUSB0", Facts(user="kim", group="dialout", in_group=True), False))
    assert "newgrp" in again.todo
    assert next(adapter.access("/dev/ttyUSB0", Facts(user="kim"), True)).level == OK


@pytest.mark.parametrize(("environment", "seen", "size", "encoding", "wrong"), [
    ({"TERM": "xterm-256color"}, True, (80, 24), "UTF-8", []),
    ({"TERM": "dumb", "NO_COLOR": "1"}, True, (80, 24), "utf8", ["screen"]),
    ({"TERM": "xterm-256color"}, True, (60, 20), "ISO-8859-1", ["characters", "size"]),
    ({"TERM": "linux"}, True, (80, 24), "utf-8", ["colours"]),
    ({"TERM": "screen", "TMUX": "x", "COLORTERM": "truecolor"}, True, (80, 24), "utf-8", ["tmux"]),
    ({}, False, (0, 0), "", ["screen"]),
])  # fmt: skip
def test_a_terminal_is_judged_by_what_it_can_show(environment, seen, size, encoding, wrong) -> None:
    found = list(terminal.judge(environment, seen, size, encoding))
    assert [one.what for one in found if one.level != OK] == wrong
    assert all(one.todo for one in found if one.level != OK)


def test_bytes_that_come_in_bursts_of_sixteen_milliseconds_name_the_latency_timer() -> None:
    chance = random.Random(1)
    heard = line.Heard("x", 2.0, (), (200,) * 100, tuple(16_000 + chance.random() * 100 for _ in range(99)), 500, None,
                       None, None, "live")  # fmt: skip
    by_name = {one.what: one for one in line.judge_heard("/dev/ttyUSB0", heard, 115_200)}
    assert "latency timer" in by_name["jitter"].todo
    assert by_name["rate"].level == WARNING
    assert by_name["round trip"].level == UNKNOWN
    assert by_name["loss"].level == UNKNOWN


def test_safe_rates_leave_room_and_are_unknown_where_the_line_is() -> None:
    assert safe_rates(None, None) == {}
    assert safe_rates(None, 115_200)["6 axes, 16 bit"] == pytest.approx(0.7 * 11_520 / 15)
    assert safe_rates(5000.0, 115_200) == safe_rates(5000.0, None)


def test_an_examination_survives_the_way_to_another_process() -> None:
    made = Checkup((Finding(WARNING, "host", "load", "busy", "rest", 3.0, "1"),), "x", 12.5, {"6 axes": 100.0})
    assert Checkup.from_dict(json.loads(json.dumps(made.as_dict()))) == made
    assert made.worst == WARNING
    assert Checkup(()).worst == OK


def test_the_verb_prints_lines_or_json_and_refuses_a_plug_without_a_port() -> None:
    run = CliRunner()
    plain = run.invoke(app, ["doctor"])
    assert plain.exit_code in (0, 3)
    assert "host: clock:" in plain.stdout
    told = run.invoke(app, ["doctor", "--json", "virtual://imu", "--for", "0.5"])
    found = json.loads(told.stdout)
    assert found["port"] == "virtual://imu"
    assert {"level", "of", "what", "said", "todo", "value", "unit"} <= found["findings"][0].keys()
    refused = run.invoke(app, ["doctor", "--loopback"])
    assert "--loopback needs a port" in str(refused.exception)
    assert refused.exception.exit_code == 2
