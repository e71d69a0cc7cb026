"""Sensor chips on the emulated board's bus: the host sets what they sense, the firmware's own driver reads it."""

import json
import math
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
from firmware_bench import bench, count, items, needs, until
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.batch import Batch
from firmware_bridge.bridge import Bridge
from firmware_bridge.errors import NoAnswer, PortLost, UsageError
from firmware_bridge.firmware.chips import CHIPS, chip_of, told
from firmware_bridge.firmware.control import Control
from firmware_bridge.firmware.qmp import Lines, QmpRefused, answer, command, is_greeting
from firmware_bridge.streams import Stream

pytestmark = [pytest.mark.firmware, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")]

TEMPERATURE = Stream("temperature", ("temperature",), ("degC",), "<i2", (1,), 4.0, (0.0625,))
FIELD = Stream("field", ("mx", "my", "mz"), ("uT",) * 3, "<i2", (3,), 50.0, (1 / 11, 1 / 11, 100 / 980), (-65.0,) * 3)
THERMOMETER, MAGNETOMETER = CHIPS["tmp105"], CHIPS["lsm303dlhc_mag"]


def reads(bridge: Bridge, out: list, values: list[float], off: float = 0.0) -> None:
    """Wait until the board reads values, each to within `off`; a busy machine is some readings behind."""

    def there(out: list) -> bool:
        return bool(np.all(np.abs(items(out, Batch)[-1].values[-1] - np.float32(values)) <= off))

    until(bridge, out, there)


@pytest.mark.parametrize("core", ["m3", "m7"])
def test_a_thermometer_chip_is_read_exactly_at_its_resolution(core: str, tmp_path: Path) -> None:
    needs(f"qemu?cpu={core}")
    out: list = []
    port = f"firmware://qemu?cpu={core}&sensor=tmp105&rate=100&qmp={tmp_path}/q"
    with bench(port) as bridge, Control(tmp_path / "q") as control:
        until(bridge, out, lambda out: count(out) >= 3)
        (state,) = bridge.boards()
        stream = state.info.stream("temperature")
        assert (stream.units, stream.scale, state.info.extra["sensor"]) == (("degC",), (0.0625,), "tmp105")
        for value in (21.5, -12.5, 85.0, 0.0625, -0.0625, -40.0, 127.9375):
            control.set(told(THERMOMETER, [value], stream))
            reads(bridge, out, [value])


def test_a_magnetometer_is_read_below_zero_by_the_iron_that_the_description_takes_off(tmp_path: Path) -> None:
    needs("qemu")
    out: list = []
    with bench(f"firmware://qemu?sensor=lsm303dlhc_mag&qmp={tmp_path}/q") as bridge, Control(tmp_path / "q") as control:
        until(bridge, out, lambda out: count(out) >= 3)
        (state,) = bridge.boards()
        stream = state.info.stream("field")
        assert stream.offset == (-65.0, -65.0, -65.0)
        for field in ([20.0, -40.0, 60.0], [-65.0, 0.0, -45.4]):
            control.set(told(MAGNETOMETER, field, stream))
            reads(bridge, out, field, stream.scale[2])


def test_without_a_chip_the_board_is_the_one_it_was(tmp_path: Path) -> None:
    needs("qemu")
    out: list = []
    with bench(f"firmware://qemu?qmp={tmp_path}/q") as bridge, Control(tmp_path / "q") as control:
        until(bridge, out, lambda out: count(out) >= 3)
        info = bridge.boards()[0].info
        assert info is not None
        assert info.model == "hil-imu6"
        with pytest.raises(QmpRefused, match="the emulator refuses it: Device '/machine/peripheral/chip' not found"):
            control.set({"temperature": 0})


def test_an_emulator_that_is_started_again_is_told_again(tmp_path: Path) -> None:
    needs("qemu")
    port = f"firmware://qemu?sensor=tmp105&rate=100&qmp={tmp_path}/q"
    with Control(tmp_path / "q") as control:
        for value in (21.5, -12.5):
            out: list = []
            with bench(port) as bridge:
                until(bridge, out, lambda out: count(out) >= 3)
                control.set(told(THERMOMETER, [value], TEMPERATURE))
                reads(bridge, out, [value])
        with pytest.raises(PortLost, match="the emulator cannot be told anything"):
            control.set({"temperature": 0})


# ------------------------------------------------------------------ what is told


@given(st.integers(-2048, 2047))
def test_every_step_of_the_thermometer_is_told_so_that_the_emulator_cuts_it_to_that_step(step: int) -> None:
    milli = told(THERMOMETER, [step / 16], TEMPERATURE)["temperature"]
    assert math.trunc(milli * 256 / 1000) // 16 == step  # as QEMU's model counts


@given(st.lists(st.integers(0, 1400), min_size=3, max_size=3))
def test_every_step_of_the_magnetometer_is_told_so_that_the_emulator_cuts_it_to_that_step(steps: list[int]) -> None:
    gains = np.array([1100, 1100, 980])
    if any(step / gain * 100 > 130 for step, gain in zip(steps, gains, strict=True)):
        return
    field = [step / gain * 100 - 65 for step, gain in zip(steps, gains, strict=True)]
    setting = list(told(MAGNETOMETER, field, FIELD).values())
    assert [nano * gain // 100_000 for nano, gain in zip(setting, gains, strict=True)] == steps


@pytest.mark.parametrize(
    ("chip", "values", "stream", "said"),
    [
        (THERMOMETER, [128.0], TEMPERATURE, "128 degC is more than it can sense; use -128 to 127.938"),
        (THERMOMETER, [1.0, 2.0], TEMPERATURE, "2 values were given and it senses 1"),
        (MAGNETOMETER, [0.0, 0.0, -66.0], FIELD, "-66 uT is more than it can sense; use -65 to 65"),
    ],
)
def test_what_a_chip_cannot_sense_is_refused(chip, values, stream, said) -> None:
    with pytest.raises(UsageError, match=said):
        told(chip, values, stream)


def test_streams_of_chips_are_known_by_their_names() -> None:
    assert chip_of("temperature") is THERMOMETER
    assert chip_of("imu") is None


# ------------------------------------------------------------------ the machine protocol


@given(st.lists(st.dictionaries(st.text(max_size=5), st.integers()), max_size=5), st.integers(1, 40))
def test_lines_are_the_same_however_their_bytes_are_cut(lines: list[dict[str, int]], size: int) -> None:
    data = b"".join(json.dumps(line).encode() + b"\r\n" for line in lines)
    heard, taken = Lines("here"), []
    for at in range(0, len(data), size):
        taken += heard.feed(data[at : at + size])
    assert taken == lines


def test_an_answer_is_known_by_its_number_and_a_refusal_by_its_words() -> None:
    assert json.loads(command("qom-set", 7, {"value": 1})) == {"execute": "qom-set", "id": 7, "arguments": {"value": 1}}
    assert is_greeting({"QMP": {}})
    assert answer({"event": "RESET"}, 7, "here") is None
    assert answer({"return": {}, "id": 6}, 7, "here") is None
    assert answer({"return": {}, "id": 7}, 7, "here") == ({},)
    with pytest.raises(QmpRefused, match="here: the emulator refuses it: no such thing"):
        answer({"error": {"class": "GenericError", "desc": "no such thing"}, "id": 7}, 7, "here")


@pytest.mark.parametrize("data", [b"HTTP/1.1 400\r\n", b"[1]\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n"])
def test_what_is_no_qmp_is_told(data: bytes) -> None:
    with pytest.raises(QmpRefused, match="it speaks no QMP"):
        list(Lines("here").feed(data))


def test_an_emulator_that_does_not_answer_is_told_and_not_waited_for(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("firmware_bridge.firmware.control._WITHIN_S", 0.05)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "q"))
        server.listen()
        with Control(tmp_path / "q") as control, pytest.raises(NoAnswer, match=r"does not answer qom-get in 0\.05 s"):
            control.ask("qom-get")
