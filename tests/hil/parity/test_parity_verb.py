"""`hil parity --on` as a person and a script use it."""

import json

import pytest
from firmware_bench import needs
from parity_board import SMALL, WATCH

from firmware_bridge.errors import UsageError
from hil.cli import app
from hil.cli import parity as family


def verb(*more: object) -> object:
    return app(["parity", str(SMALL), *map(str, more)], standalone_mode=False)


@pytest.mark.firmware
def test_a_board_is_compared_with_its_model_and_its_cost_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    needs("native")
    assert verb("--on", "firmware://native", "--data", WATCH, "--windows", 30, "--cost") == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("identical: all 30 windows are the same bit for bit")
    assert "95 % interval" in printed.out
    assert "this board does not count them" in printed.out
    assert "30 windows are asked" in printed.err
    assert verb("--on", "firmware://native", "--data", WATCH, "--windows", 5, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["first_difference"], found["identical"]) == ("identical", None, 5)
    assert found["agreement"]["windows"] == 5
    assert found["board"]["model"] == "hil-imu6"
    assert found["cost"] is None


def test_firmware_means_the_nearest_to_hardware_that_takes_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    from firmware_bridge.firmware import kinds

    monkeypatch.setattr(kinds, "startable", lambda: ["simavr", "unicorn", "native"])
    monkeypatch.setattr(kinds, "can_start", lambda port: "no qemu")
    assert family._port("firmware", True) == "firmware://unicorn"
    monkeypatch.setattr(kinds, "can_start", lambda port: "")
    assert family._port("firmware", True) == "firmware://qemu?icount=5"
    assert family._port("firmware", False) == "firmware://unicorn"
    assert family._port("/dev/ttyACM0", True) == "/dev/ttyACM0"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--data", WATCH), "nobody said what to compare with"),
        (("--data", WATCH, "--on", "firmware", "--scores", "s"), "both are asked"),
        (("--on", "firmware"), "no readings are given"),
        (("--data", WATCH, "--scores", "s", "--cost"), "belong to --on"),
        (("--data", WATCH, "--on", "firmware", "--key", "n"), "belongs to --scores"),
        (("--data", WATCH, "--scores", "nothing"), "there is no stream"),
        (("--data", WATCH, "--scores", "imu"), "are no scores of the 7 labels"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(given: tuple[object, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        verb(*given)
