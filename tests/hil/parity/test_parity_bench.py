"""A network is put on a board that a bench listens to, and the screen says whether the board agrees with the host."""

import contextlib
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from parity_board import SMALL, WATCH
from typer.testing import CliRunner

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.events import Reply
from firmware_bridge.firmware.kinds import can_start
from firmware_bridge.streams import Stream
from firmware_bridge.wire.messages import Kind
from hil.cli import app
from hil.config import EngineConfig, PortConfig
from hil.door.attach import Client
from hil.door.server import Server
from hil.engine.engine import Engine
from hil.models.contract import Architecture, Contract, Input
from hil.models.int8.calibrated import calibrated
from hil.models.int8.deploy import deploy
from hil.models.model import Model, load_model
from hil.models.nets.shapes import TcnConfig
from hil.models.nets.tcn import Tcn
from hil.models.package import pack, unpack
from hil.models.verify import verify
from hil.models.windows import Windows
from hil.parity.run import windows_in
from hil.recording.reader import Recording
from hil.replay.cutting import cut
from hil.tui.charts.cells import text
from hil.tui.lines import modellines
from hil.views.parity import ParityView
from hil.views.view import View

RATE, HOP = 400, 20
MEAN, STD = (0.0, 0.0, 1.0, 0.0, 0.0, 0.0), (0.17, 0.09, 0.04, 0.6, 0.25, 0.02)
"""How the firmware's make-believe sensor moves."""
SHAPE = TcnConfig(inputs=6, classes=4, channels=8, kernel=3, dilations=(1, 2, 4), pool=9)
STREAM = Stream("imu", ("ax", "ay", "az", "wx", "wy", "wz"), ("g",) * 3 + ("rad/s",) * 3, "<i2", (6,), float(RATE),
                scale=(1 / 4096,) * 3 + (0.00106526443603,) * 3)  # fmt: skip
FIGURES = View(envelopes=False, images=False, history=1)


def model(seed: int, shape: TcnConfig = SHAPE) -> Model:
    """A small network with weights of its own; they are tripled so that decisions differ clearly."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = Tcn(shape).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(3.0)
    inputs = tuple(Input(channel=name, unit=unit, mean=mean, std=std) for name, unit, mean, std in
                   zip(STREAM.channels, STREAM.units, MEAN, STD, strict=True))  # fmt: skip
    contract = Contract(name="small", inputs=inputs, rate_hz=RATE, window=shape.memory, hop=HOP,
                        memory_samples=shape.memory, labels=("still", "up", "down", "turn"),
                        architecture=Architecture(name="tcn", config=shape))  # fmt: skip
    return Model(unpack(pack(contract, {name: value.numpy() for name, value in net.state_dict().items()}), "small"))


def windows(count: int = 200, length: int = SHAPE.memory) -> Windows:
    """Readings of a sensor that swings, to calibrate on."""
    chance = np.random.default_rng(0)
    phase = chance.uniform(0, 2 * np.pi, (count, 1, 6))
    t = np.arange(length)[:, None] / RATE * chance.uniform(1, 12, (count, 1, 6)) * 2 * np.pi
    values = np.array(MEAN) + np.array(STD) * np.sqrt(2) * np.sin(t + phase)
    raw = np.rint(values / np.array(STREAM.scale)).astype(np.int16)
    none = np.zeros(count, np.int64)
    return Windows(STREAM, tuple(range(6)), raw, none, none, none, ("",) * count)


def until(wanted: Callable[[], object], seconds: float = 150.0) -> None:
    """Wait for what a real board brings about, not for how long."""
    tick = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if wanted():
            return
        tick.wait(0.05)
    pytest.fail(f"did not come within {seconds:g} s")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of the bench as a file, its op list, and one with other weights."""
    where = tmp_path_factory.mktemp("networks")
    right, other = model(2), model(7)
    (where / "small.hilmodel").write_bytes(packed(right))
    (where / "small.hiln").write_bytes(deploy(right, windows()).blob)
    (where / "other.hiln").write_bytes(deploy(other, windows()).blob)
    long = SHAPE.model_copy(update={"pool": 900})
    (where / "long.hiln").write_bytes(deploy(model(2, long), windows(4, long.memory)).blob)
    (where / "none.hiln").write_bytes(b"HILN")
    return where


def packed(one: Model) -> bytes:
    return pack(one.package.contract, dict(one.package.weights))


def parity(engine: Engine) -> ParityView | None:
    return next((one.parity for one in engine.snapshot(FIGURES).predictions if one.board == "imu"), None)


def compared(engine: Engine, least: int) -> ParityView:
    """How the board agrees once so many windows were compared."""
    until(lambda: (found := parity(engine)) is not None and found.compared >= least and found.checked >= least)
    found = parity(engine)
    assert found is not None
    return found


def after_the_end(path: Path) -> list[Reply]:
    """What the board said of its own samples after it had ended that."""
    with Recording(path) as recording:
        said = [one for one in recording.events() if isinstance(one, Reply)]
    ends = [at for at, one in enumerate(said) if one.kind == "ACK" and one.fields["of"] == Kind.STREAM_INFER]
    assert len(ends) >= 3  # begun twice, ended once
    return [one for one in said[ends[-1] :] if one.kind == "RESULT"]


@pytest.mark.firmware
@pytest.mark.pty
@pytest.mark.parametrize("kind", ["native", "qemu"])
def test_the_bench_says_that_a_board_agrees_and_where_one_with_other_weights_does_not(
    kind: str, folder: Path, tmp_path: Path
) -> None:
    if reason := can_start(kind):
        pytest.skip(reason)
    path = tmp_path / "both.mcap"
    with Engine(EngineConfig(ports=(PortConfig(port=f"firmware://{kind}?rate={RATE}", role="imu"),))) as engine:
        server = Server(engine)
        engine.command("record", path=str(path))
        engine.command("load_model", path=str(folder / "small.hilmodel"))
        until(lambda: any(one.label for one in engine.snapshot(FIGURES).predictions))
        assert parity(engine) is None  # it runs nothing of its own yet

        with Client(server.address, server.token) as screen:
            assert "is being sent to imu" in screen.command("deploy", path=str(folder / "small.hiln"))["sentence"]
        found = compared(engine, 40)
        assert found.sentence == ""
        assert found.exact == found.checked
        assert found.same >= 0.7 * found.compared  # integers against floating point; which windows is chance
        shown = " ".join(text(line) for line in modellines.boarded(engine.snapshot(FIGURES).predictions[0], 300))
        assert "windows say the same as here" in shown

        where = ("--at", server.address, "--token", server.token, "--json")
        words = ["model", "deploy", str(folder / "other.hiln"), *where]
        said = CliRunner().invoke(app, words, catch_exceptions=False)
        assert json.loads(said.stdout)["hop"] == HOP
        wrong = compared(engine, 40)  # from 0: it is another network
        assert wrong.same < 0.5 * wrong.compared
        assert re.fullmatch(r"sample \d+: board (still|up|down|turn), here (still|up|down|turn)", wrong.differs)
        assert wrong.exact == wrong.checked  # the board computes rightly what it was given: only the weights are wrong
        said = CliRunner().invoke(app, ["model", "stop", *where], catch_exceptions=False)
        assert json.loads(said.stdout)["board"] == "imu"
        until(lambda: "network runs no longer" in (parity(engine) or wrong).sentence)
        produced = engine.snapshot(FIGURES).boards[0].samples
        until(lambda: engine.snapshot(FIGURES).boards[0].samples > produced + 5 * HOP)
        engine.command("record_stop")
        # What the firmware has no room for while nobody reads its line is its own loss, and no matter of this test.
        assert dict(engine.snapshot(FIGURES).boards[0].ledger)["lost"] == 0
        assert engine.snapshot(FIGURES).boards[0].boot == 0
        server.close()
    assert after_the_end(path) == []
    found_again = verify(path)
    assert found_again.verdict == "reproduced", found_again


@pytest.mark.firmware
@pytest.mark.pty
@pytest.mark.timeout(900)
def test_a_model_is_calibrated_on_what_the_bench_just_captured_and_the_board_agrees_bit_for_bit(
    folder: Path, tmp_path: Path
) -> None:
    if reason := can_start("native"):
        pytest.skip(reason)
    path = tmp_path / "both.mcap"
    with Engine(EngineConfig(ports=(PortConfig(port=f"firmware://native?rate={RATE}", role="imu"),))) as engine:
        engine.command("record", path=str(path))
        engine.command("load_model", path=str(folder / "small.hilmodel"))
        until(lambda: any(one.label for one in engine.snapshot(FIGURES).predictions))
        told: dict[str, Any] = {}

        def taken() -> bool:
            with contextlib.suppress(UsageError):  # too few windows so far
                told.update(engine.command("deploy", path="small", board="imu"))  # by its name, as `d` does
            return bool(told)

        until(taken)
        assert re.search(r"small.hilmodel .* calibrated on the last \d+\.\d s of imu/imu", told["sentence"])
        with pytest.raises(UsageError, match="is on its way to imu"):
            engine.command("deploy", path="small", board="imu")
        until(lambda: engine.command("deployed", board="imu", wait_s=1.0)["ended"])
        done = engine.command("deployed", board="imu")
        assert done["calibrated_on"] >= 20
        assert f"calibrated on {done['calibrated_on']} windows of the last" in done["sentence"]
        assert "runs on imu's own imu" in done["sentence"]
        assert done["hop"] == HOP
        found = compared(engine, 20)
        assert found.exact == found.checked
        assert found.same >= 0.7 * found.compared
        engine.command("record_stop")
        assert engine.snapshot(FIGURES).boards[0].lost == 0
    found_again = verify(path)
    assert found_again.verdict == "reproduced", found_again


def test_a_model_that_a_board_gets_by_recordings_is_the_one_that_the_verb_writes(tmp_path: Path) -> None:
    with Recording(WATCH) as recording:
        stream = recording.streams()[0].stream
    about = {"model": str(SMALL), "data": [str(WATCH)], "stream": stream.as_dict(), "percentile": None}
    output = tmp_path / "made.hiln"
    said = calibrated({**about, "output": str(output)})
    opened = load_model(SMALL)
    made = deploy(opened, windows_in(opened, [WATCH]))
    assert output.read_bytes() == made.blob
    assert said == {"windows": made.calibrated_on, "percentile": 99.99, "hop": 50, "brought": False}
    short = cut(WATCH, tmp_path / "short.mcap", 10.0, 15.0)
    with pytest.raises(UsageError, match=r"whole windows? to calibrate on, and 20 are needed; give a longer recording"):
        calibrated({**about, "data": [str(short)], "output": str(tmp_path / "none.hiln")})


def test_what_cannot_go_onto_a_board_is_said_in_a_sentence(folder: Path) -> None:
    ports = tuple(PortConfig(port=f"virtual://{kind}?seed=3", role=kind) for kind in ("ppg", "imu"))
    with Engine(EngineConfig(ports=ports)) as engine:
        until(lambda: all(one.state == "live" and one.model for one in engine.snapshot(FIGURES).boards))
        for about, kind, words in (
            ({"path": "none.hiln"}, FileError, "a board would refuse it"),
            ({"path": "absent.hiln"}, FileError, "it cannot be read"),
            (
                {"path": "small.hiln", "board": "ppg"},
                UsageError,
                "no board here can take it: no stream sends 6 readings",
            ),
            ({"path": "small.hiln", "hop": 70_000}, UsageError, "every 70000 samples"),
            ({"path": "long.hiln"}, UsageError, "imu: .* has no room on the board"),
            ({"path": "small.hiln", "board": "nobody"}, UsageError, "name one that is here: ppg, imu"),
        ):
            with pytest.raises(kind, match=words):
                engine.command("deploy", **{**about, "path": str(folder / about["path"])}, wait=True)
        with pytest.raises(UsageError, match="an op list runs on boards only"):
            engine.command("load_model", path=str(folder / "small.hiln"))
        assert engine.command("deploy", path=str(folder / "small.hiln"), wait=True)["board"] == "imu"
        assert engine.snapshot(View(envelopes=False)).log[-1].text.startswith("small.hiln")
