"""`hil dut` on real C behind a pseudo terminal, as a person and a script use it."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from typer.testing import CliRunner

import hil.models
from firmware_bridge.errors import NoAnswer, UsageError
from firmware_bridge.firmware.kinds import can_start
from firmware_bridge.oplist import Code, Op, OpList, Raw, pack
from firmware_bridge.transport import open_transport
from firmware_bridge.wire.dutsession import Patience, Sample
from hil.cli import app
from hil.dut.drive import Driver, measure_runs
from hil.models.model import load_model
from hil.models.windows import windows_of
from hil.recording.reader import Recording

pytestmark = [
    pytest.mark.firmware,
    pytest.mark.skipif(bool(can_start("native")), reason=can_start("native")),
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys"),
]
SMALL = Path(hil.models.__file__).parent / "exercise-small.hilmodel"
WATCH = Path(__file__).resolve().parents[3] / "scenarios" / "recordings" / "watch-unseen-9.mcap"


def network(seed: int) -> bytes:
    """An op list for windows of the watch, by hand: one linear layer with random weights (nothing was trained)."""
    rows, columns, outputs = 200, 6, 7
    reads = Op(Code.INPUT, rows, columns, rows, columns, arrays={
        "column": np.arange(columns, dtype=np.uint16), "mult": np.ones(columns, np.int32),
        "shift": np.full(columns, 7, np.uint8), "offset": np.zeros(columns, np.int64),
    })  # fmt: skip
    weights = {
        "bias": np.zeros(outputs, np.int32), "mult": np.full(outputs, 2**30, np.int32),
        "shift": np.full(outputs, 9, np.uint8),
        "weight": np.random.default_rng(seed).integers(-127, 128, (outputs, rows, columns)).astype(np.int8),
    }  # fmt: skip
    at = reads.elements
    linear = Op(Code.LINEAR, rows, columns, 1, outputs, output=at, kernel=rows, out_scale=0.031, arrays=weights)
    return pack(OpList(rows, columns, Raw.I16, at + outputs, (reads, linear)))


@pytest.fixture(scope="module")
def blob(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dut") / "small.hiln"
    path.write_bytes(network(1))
    return path


def port(blob: Path) -> str:
    return f"firmware://native?speaks=dut&model={blob}&serial=A-7"


def dut(*arguments: object, code: int = 0) -> dict[str, object]:
    result = CliRunner().invoke(app, ["dut", *map(str, arguments), "--json"])
    assert result.exit_code == code, (result.output, result.exception)
    found: dict[str, object] = json.loads(result.stdout)
    return found


def the_board() -> psutil.Process:
    (found,) = [each for each in psutil.Process().children(recursive=True) if "imu6-native" in each.name()]
    return found


def test_every_output_of_the_board_is_the_references_and_the_transcript_says_all_of_it(
    blob: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "said.jsonl"
    found = dut(
        port(blob), "--model", SMALL, "--data", WATCH, "--oplist", blob, "--windows", 12, "--transcript", kept,
        "--read-back",
    )  # fmt: skip
    assert found["board"] == {"name": "A-7", "profile": "hil 1 device under test", "model": "small", "mode": None}
    assert found["agreement"] == {"windows": 12, "identical": 12, "same_label": 12, "first_difference": None}
    assert found["quality"]["labelled"] > 6  # type: ignore[index]
    assert (found["troubles"], found["strange_lines"]) == ({}, 0)
    told = dut(kept)
    assert (told["whole"], told["answers"]) == (True, 24)  # each is said twice
    lines = kept.read_text().splitlines(keepends=True)
    at = next(at for at, line in enumerate(lines) if "m-results" in line)
    kept.write_text("".join([*lines[:at], lines[at].replace("m-results-[", "m-results-[1"), *lines[at + 1 :]]))
    refused = CliRunner().invoke(app, ["dut", str(kept)])
    assert f"line {at + 1} is not what its hash says" in str(refused.exception)
    kept.write_text("".join(lines[:at]))
    assert dut(kept, code=1)["whole"] is False


def test_a_deployed_network_is_asked_and_not_a_stand_in(tmp_path: Path) -> None:
    """The op list of the shipped model, as `hil model deploy -o` writes it, behind `infer`."""
    held = Path(__file__).resolve().parents[2] / "firmware_bridge" / "firmware" / "exercise-small.hiln"
    found = dut(port(held), "--model", SMALL, "--data", WATCH, "--oplist", held, "--windows", 40)
    assert found["agreement"] == {"windows": 40, "identical": 40, "same_label": 40, "first_difference": None}
    assert found["quality"]["accuracy"] > 0.8  # type: ignore[index]


@pytest.mark.slow
def test_the_shipped_network_is_as_right_on_the_board_as_its_integers_are_here(tmp_path: Path) -> None:
    from hil.models.int8.deploy import deploy

    model, path = load_model(SMALL), tmp_path / "small.hiln"
    with Recording(WATCH) as recording:
        path.write_bytes(deploy(model, windows_of(recording, model.contract)).blob)
    found = dut(port(path), "--model", SMALL, "--data", WATCH, "--oplist", path)
    assert found["agreement"]["identical"] == found["agreement"]["windows"] > 500  # type: ignore[index, operator]
    assert found["quality"]["accuracy"] > 0.85  # type: ignore[index]


def test_a_board_that_holds_other_weights_ends_with_1_and_the_first_window_is_named(blob: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.hiln"
    other.write_bytes(network(2))
    found = dut(port(blob), "--model", SMALL, "--data", WATCH, "--oplist", other, "--windows", 3, code=1)
    assert found["agreement"]["identical"] == 0  # type: ignore[index]
    assert found["agreement"]["first_difference"] == 0  # type: ignore[index]


def test_speed_is_measured_in_runs_of_the_time_asked_for(blob: Path) -> None:
    found = dut(
        port(blob), "--model", SMALL, "--data", WATCH, "--mode", "performance", "--runs", 3, "--at-least", 0.1
    )["throughput"]  # fmt: skip
    assert len(found["seconds"]) == 3  # type: ignore[index, arg-type, call-overload]
    assert min(found["seconds"]) >= 0.1  # type: ignore[index, call-overload]
    assert 10 < found["median_per_s"] < 1_000_000  # type: ignore[index, call-overload, operator]
    text = CliRunner().invoke(
        app, ["dut", port(blob), "--model", str(SMALL), "--data", str(WATCH), "--mode", "performance", "--runs", "1",
              "--at-least", "0.05", "-q"],
    )  # fmt: skip
    assert "(the benchmark asks for 5 of 10 s)" in text.stdout


def windows(count: int) -> list[bytes]:
    with Recording(WATCH) as recording:
        return [one.tobytes() for one in windows_of(recording, load_model(SMALL).contract).raw[:count]]


def reset(process: psutil.Process) -> None:
    process.send_signal(signal.SIGUSR1)


@pytest.mark.parametrize(("trouble", "kind"), [(psutil.Process.kill, "reconnect"), (reset, "reboot")])
def test_a_board_that_is_killed_or_reset_in_a_run_is_given_the_window_again(
    blob: Path, trouble: Callable[[psutil.Process], None], kind: str
) -> None:
    first, second = windows(2)
    with Driver(port(blob)) as driver:
        expected = [driver.ask(Sample(data)).values for data in (first, second)]
        waits, process = [trouble], the_board()
        told = driver.session._tell

        def watch(way: str, text: str, now: int) -> None:
            told(way, text, now)
            if text.startswith("m-infer-start-40000") and waits:
                waits.pop()(process)

        driver.session._tell = watch
        answer = driver.ask(Sample(first, inferences=40_000))
        assert (answer.values, answer.tries) == (expected[0], 2)
        assert driver.ask(Sample(second)).values == expected[1]
    assert driver.session.counts == {kind: 1}


def test_a_board_without_a_network_is_quoted() -> None:
    with (
        Driver("firmware://native?speaks=dut") as driver,
        pytest.raises(UsageError, match=r"refused `infer 1 0%` and said `there is no network that runs: reason 1`"),
    ):
        driver.ask(Sample(bytes(24)))


def test_a_silent_board_ends_with_3_and_names_the_command() -> None:
    with Driver("exec:sleep 30", patience=Patience(command_s=0.05, tries=2)) as driver, pytest.raises(
        NoAnswer, match=r"exec:sleep 30: the board did not answer `name%` within 0.05 s, in each of 2 tries"
    ):  # fmt: skip
        driver.ask(Sample(bytes(24)))
    with (
        Driver("exec:sleep 30", patience=Patience(command_s=0.01, tries=1)) as driver,
        pytest.raises(NoAnswer, match="name%"),
    ):
        measure_runs(driver, [bytes(2)], 1, 0.1)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "there is nothing to ask about"),
        (("--data", WATCH), "up to a model"),
        (("--data", "a.csv", "--data", WATCH), "not both"),
        (("--data", WATCH, "--model", SMALL, "--oplist", "none.hiln"), "none.hiln: it cannot be read"),
        (("--data", WATCH, "--model", SMALL, "--transcript", SMALL), "never overwritten"),
    ],
)
def test_what_cannot_be_meant_is_told_before_a_port_is_opened(arguments: tuple[object, ...], why: str) -> None:
    result = CliRunner().invoke(app, ["dut", "/dev/none", *map(str, arguments)])
    assert why in str(result.exception)


def test_an_op_list_that_is_none_is_told_by_the_board_when_it_is_started(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="holds no op list of less than 1048576 bytes"):
        open_transport(f"firmware://native?speaks=dut&model={tmp_path / 'none.hiln'}")
    assert os.listdir(tmp_path) == []
