"""The page of the doctor: every key does what its help says, and it looks as it was looked at."""

from collections.abc import Callable
from typing import Any

import pytest
import screen_fakes as fakes
from screen_frames import drive, same_as_golden

from hil.doctor.finding import OK, TROUBLE, UNKNOWN, WARNING, Checkup, Finding
from hil.tui.app import HilApp
from hil.tui.pages.doctor import DoctorPage
from hil.tui.workplace import Workplace

pytestmark = pytest.mark.screen

SIZE = (120, 35)

HOST = Checkup((
    Finding(OK, "host", "clock", "its least step is 41 ns", "", 41, "ns"),
    Finding(WARNING, "host", "waking", "a sleep ends 71 µs late, 1 of 100 more than 11859 µs",
            "end what else runs, or give capture its own core (`taskset`): commands leave so late", 11859, "us"),
    Finding(OK, "terminal", "colours", "16 million"),
    Finding(UNKNOWN, "ports", "attached", "no serial port is there", "plug a board in"),
    Finding(TROUBLE, "/dev/ttyUSB0", "access", "only the group dialout may open it, and kim is not in it",
            "run `sudo usermod -aG dialout kim` and log in again"),
))  # fmt: skip

PORT = Checkup((
    Finding(OK, "/dev/ttyUSB0", "round trip", "812 µs at best, 1020 µs in the middle of 38", "", 812, "us"),
    Finding(WARNING, "/dev/ttyUSB0", "latency timer", "the adapter holds bytes back for up to 16 ms",
            "run `echo 1 | sudo tee /sys/class/tty/ttyUSB0/device/latency_timer`", 16, "ms"),
), "/dev/ttyUSB0", 406.0, {"6 axes, 16 bit": 537.6})  # fmt: skip


class Doctor(fakes.FakeClient):
    """Says what it was given."""

    def command(self, verb: str, **args: Any) -> dict[str, Any]:
        super().command(verb, **args)
        if verb == "ports":
            return {"ports": ["/dev/ttyUSB0", "virtual://imu"]}
        return (PORT if args["port"] else HOST).as_dict()


def visit(size: tuple[int, int], *keys: str, doctor: Doctor | None = None) -> tuple[str, HilApp]:
    client = fakes.FakeClient()
    place = Workplace(client, fps=1e-4, inline=True, open_library=lambda: doctor or Doctor())
    app = HilApp(client, place=place, start="doctor")

    async def steps(app: HilApp, pilot) -> None:
        for key in keys:
            await pilot.press(key)
            await pilot.pause()

    return drive(client, size, steps, app=app), app


def ports_asked(*keys: str) -> list[tuple[str | None, bool]]:
    doctor = Doctor()
    visit(SIZE, *keys, doctor=doctor)
    return [(args["port"], args["loopback"]) for verb, args in doctor.commands if verb == "examine"]


def examining() -> None:
    asked = ports_asked("d", "enter", "p", "enter", "P", "b")
    assert asked == [(None, False), (None, False), ("/dev/ttyUSB0", False), ("virtual://imu", False),
                     ("/dev/ttyUSB0", True)]  # fmt: skip


def leaving_out() -> None:
    shown, app = visit(SIZE, "w")
    assert "its least step" not in shown
    assert "only the group dialout" in shown
    assert "its least step" in visit(SIZE, "w", "w")[0]
    page = app.pages["doctor"]
    assert isinstance(page, DoctorPage)


def copying() -> None:
    copied = visit(SIZE, "c")[1]
    assert copied.clipboard == "run `sudo usermod -aG dialout kim` and log in again"
    assert "nothing is to be done about it" in visit(SIZE, *["up"] * 9, "c")[0]


TESTED: dict[str, Callable[[], None]] = {
    **{f"doctor.{name}": examining for name in ("host", "port", "port_before", "listen", "loopback")},
    "doctor.wrong": leaving_out, "doctor.copy": copying,
}  # fmt: skip


@pytest.mark.parametrize("what", list(dict.fromkeys(TESTED.values())), ids=lambda what: what.__name__)
def test_keys_of_the_doctors_page_do_what_their_help_says(what) -> None:
    what()


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_doctors_page_looks_as_it_was_looked_at(size) -> None:
    shown, _ = visit(size)
    assert all(len(line) <= size[0] for line in shown.splitlines())
    same_as_golden(f"doctor_{size[0]}x{size[1]}", shown)


def test_the_worst_finding_is_under_the_cursor_and_says_what_to_do() -> None:
    assert "do: run `sudo usermod -aG dialout kim`" in visit(SIZE)[0]
    heard = visit(SIZE, "enter")[0]
    assert "known to ±406 µs" in heard
    assert "6 axes, 16 bit 538 samples/s" in heard
