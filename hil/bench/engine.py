"""The whole bench at work: eight boards at 1 kHz with six axes, captured, recorded, inferred and drawn at 10 fps.

Rule: what is counted is the CPU time of the engine's process and of the screen's process, as the operating system
counts it, once the model decides; the process that plays the boards is not counted. Nothing may be lost meanwhile, or
the figure is worthless: a sample missing by the boards' own count or by the recording's makes it fail. The boards are
real byte streams on pseudo terminals and the screen is the one that people use, on a terminal of 120 by 35 (Linux).
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from firmware_bridge.errors import MissingPart
from hil.bench.row import Row, interval
from hil.config import EngineConfig, ModelConfig, PortConfig, RecordConfig
from hil.door.attach import Client, spawn_engine
from hil.views.snapshot import Snapshot
from hil.views.view import View

__all__ = ["BAR", "Measured", "boards_on_terminals", "count", "cpu_seconds", "measure", "run", "write_model"]

BAR = 0.60
"""Cores that engine and screen may use together."""
BOARDS = 8
STRETCHES = 9
_QUICK = View(envelopes=False, images=False)
_SCREEN = (
    "import sys; from hil.door.attach import attach; from hil.tui.start import run_tui;"
    "run_tui(attach(sys.argv[1], sys.argv[2]), owns=False)"
)


class Counted(Protocol):
    """A run whose samples are counted: delivered, in the recording, and missing (None: unknown)."""

    samples: int
    recorded: int
    lost: int | None


class Measured:
    """What a run used and lost.

    Attributes:
        engine: Cores used by the engine, one figure a stretch.
        screen: Cores used by the screen, one figure a stretch.
        samples: Samples delivered.
        lost: Samples missing by the boards' numbers; None: unknown.
        recorded: Samples in the recording.
        behind_s: How far the model was behind at the end.
    """

    def __init__(self) -> None:
        self.engine: list[float] = []
        self.screen: list[float] = []
        self.samples = 0
        self.lost: int | None = None
        self.recorded = 0
        self.behind_s: float | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is missing anywhere and the model kept up."""
        return self.lost == 0 and self.recorded == self.samples and (self.behind_s or 0.0) < 1.0


def write_model(path: Path) -> Path:
    """Write a model of 19 thousand random weights for the virtual inertial sensor, a decision every 10 samples."""
    from hil.models.contract import Architecture, Contract, Input
    from hil.models.nets.shapes import TcnConfig
    from hil.models.package import write_package

    shape = TcnConfig(inputs=6, classes=7, channels=32, kernel=3, dilations=(1, 2, 4, 8, 16, 32), pool=2)
    chance = np.random.default_rng(0)
    weights = {name: chance.normal(0, 0.1, size).astype(np.float32) for name, size in shape.shapes().items()}
    axes = (("ax", "g"), ("ay", "g"), ("az", "g"), ("wx", "rad/s"), ("wy", "rad/s"), ("wz", "rad/s"))
    contract = Contract(
        name="bench", inputs=tuple(Input(channel=name, unit=unit) for name, unit in axes), rate_hz=1000.0, window=128,
        hop=10, memory_samples=shape.memory, labels=tuple("ABCDEFG"),
        architecture=Architecture(name="tcn", config=shape),
    )  # fmt: skip
    write_package(path, contract, weights)
    return path


@contextlib.contextmanager
def boards_on_terminals(count: int, parameters: str = "") -> Iterator[list[str]]:
    """Give the ports of `count` inertial sensors at 1 kHz, played by a process of their own."""
    names = [f"imu?seed={seed}{parameters}" for seed in range(count)]
    command = [sys.executable, "-m", "firmware_bridge.virtual.serve", *names]
    boards = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert boards.stdin is not None
    assert boards.stdout is not None
    try:
        yield [boards.stdout.readline().split()[0] for _ in names]
    finally:
        boards.stdin.close()
        boards.wait(10)
        boards.stdout.close()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far, user and system, all its threads.

    Raises:
        MissingPart: This system has no /proc.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        raise MissingPart("this system does not tell CPU times in /proc", "bench engine", "run it on Linux") from None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _screen(client: Client) -> Iterator[int]:
    """Run the screen on a terminal of its own; give its process id."""
    import fcntl
    import pty
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 35, 120, 0, 0))
    screen = subprocess.Popen(
        [sys.executable, "-c", _SCREEN, client.address, client.token], stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True, env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
    )  # fmt: skip
    os.close(slave)

    def drain() -> None:
        with contextlib.suppress(OSError):
            while os.read(master, 1 << 16):
                pass

    reader = threading.Thread(target=drain, daemon=True)
    reader.start()
    try:
        yield screen.pid
    finally:
        screen.kill()
        screen.wait(10)
        reader.join(10)
        os.close(master)


def measure(
    stretches: int, seconds: float, *, boards: int = BOARDS, parameters: str = "", screen: bool = True
) -> Measured:
    """Run the bench and count.

    Args:
        stretches: How many figures.
        seconds: Length of each.
        boards: How many boards at 1 kHz.
        parameters: More parameters of the virtual boards, such as `&group=1`.
        screen: Draw a screen; else ask for its snapshots only, ten a second.
    """
    found = Measured()
    with tempfile.TemporaryDirectory() as folder, boards_on_terminals(boards, parameters) as ports:
        path = Path(folder) / "bench.mcap"
        config = EngineConfig(
            ports=tuple(PortConfig(port=port, role=f"imu{at}") for at, port in enumerate(ports)),
            models=(ModelConfig(path=str(write_model(Path(folder) / "bench.hilmodel"))),),
            record=RecordConfig(path=str(path)),
        )
        client = spawn_engine(config)
        assert client.process is not None
        try:
            _await_decisions(client, boards)
            with _screen(client) if screen else contextlib.nullcontext(client.process.pid) as pid:
                _pause(client, 3.0, screen=screen)
                for _ in range(stretches):
                    began, used, drawn = time.perf_counter(), cpu_seconds(client.process.pid), cpu_seconds(pid)
                    _pause(client, seconds, screen=screen)
                    took = time.perf_counter() - began
                    found.engine.append((cpu_seconds(client.process.pid) - used) / took)
                    found.screen.append((cpu_seconds(pid) - drawn) / took if screen else 0.0)
            found.behind_s = max((row.behind_s or 0.0) for row in client.snapshot(_QUICK).predictions)
        finally:
            client.close()
        count(found, client, path)
    return found


def _pause(client: Client, seconds: float, *, screen: bool) -> None:
    """Let time pass; without a screen, ask for what it would."""
    until = time.perf_counter() + seconds
    while (left := until - time.perf_counter()) > 0:
        if screen:
            time.sleep(left)
        else:
            client.snapshot(View(columns=240, seconds=10.0))
            time.sleep(min(0.1, left))


def _await_decisions(client: Client, boards: int) -> Snapshot:
    for _ in range(600):
        snapshot = client.snapshot(_QUICK)
        if sum(bool(one.label) for one in snapshot.predictions) == boards:
            return snapshot
        time.sleep(0.1)
    sentences = {one.sentence for one in snapshot.predictions} | {board.reason for board in snapshot.boards}
    raise MissingPart(f"the model never decided: {'; '.join(filter(None, sentences))}", "bench engine", "install torch")


def count(found: Counted, client: Client, path: Path) -> None:
    """Write down what a run that has ended delivered, lost and kept, by its summary and by its recording."""
    from hil.recording.reader import Recording

    told = (client.summary or {}).get("boards", [])
    counts = [board["lost"] for board in told]
    found.lost = None if None in counts or not counts else sum(counts)
    found.samples = sum(board["samples"] for board in told)
    with Recording(path) as recording:
        found.recorded = sum(recording.count(known.board, known.stream.name) for known in recording.streams())


def run(quick: bool = False) -> list[Row]:
    """Measure; `quick` takes shorter stretches."""
    found = measure(STRETCHES, 1.5 if quick else 5.0)
    together = [one + other for one, other in zip(found.engine, found.screen, strict=True)]
    low, high = interval(together)
    what = (
        f"CPU of engine and screen, {BOARDS} boards x 1 kHz x 6 axes, recorded, inferred, 10 fps "
        f"(engine {np.median(found.engine):.2f}, screen {np.median(found.screen):.2f}, lost "
        f"{'unknown' if found.lost is None else found.lost} of {found.samples})"
    )
    ok = high <= BAR and found.whole
    return [Row(what, float(np.median(together)), "cores", "a whole core", None, low, high, BAR, ok)]


if __name__ == "__main__":
    print(json.dumps([row.as_dict() for row in run("--quick" in sys.argv)], indent=1))
