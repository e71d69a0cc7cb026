"""The screen that people use, on a real terminal, above a real engine: what it costs, and that capture never notices.

Eight boards on pseudo terminals send a sample of six axes each millisecond to an engine that records them. Three times
over, capture runs alone, with a screen of 200x50 cells that is read at full speed, and with one whose line takes 20
kB/s; each time some stretches are measured. The screen's CPU is what the system counts for its process; the times of
its pictures are its own account (`hil.tui.terminal.pace`). How long a message was under way is the time from just
before the board wrote it to the stamp that the recording keeps of its bytes, in the very engine that recorded it. Linux
only.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hil.bench.engine import count, cpu_seconds
from hil.bench.row import Row, interval
from hil.bench.terminals import Terminals, ask, terminals
from hil.config import EngineConfig, PortConfig, RecordConfig
from hil.door.attach import Client, spawn_engine
from hil.views.snapshot import Snapshot
from hil.views.view import View

__all__ = ["LEAVE", "Kind", "Measured", "measure", "rows", "run", "terminal"]

BOARDS = 8
SIZE = (200, 50)
SLOW_BYTES = 20_000
"""Bytes a second of the slow line: what a bad mobile connection gives."""

BLOCKS = 3
"""How often each kind of screen is started: stretches of the kinds are spread over the whole run."""

SHARE_BAR, FRAME_BAR, IDLE_BAR, ARRIVAL_BAR = 35.0, 60.0, 5.0, 1.2
_FIGURES = View(envelopes=False, images=False)
_SCREEN = (
    "import sys; from hil.door.attach import attach; from hil.tui.start import run_tui;"
    "run_tui(attach(sys.argv[1], sys.argv[2]), owns=False)"
)
LEAVE = b"\x11"
"""The key that leaves the screen, ctrl+q."""


@dataclass(slots=True)
class Kind:
    """What was measured beside one kind of screen (or none).

    Attributes:
        cpu: Percent of a core that the screen took, one a stretch.
        idle: The same while no board sent anything, one a block.
        sent: Write times of each board's messages (`perf_counter_ns`), one table a stretch.
        arrival_s: Median seconds from write to stamp, one a stretch.
        accounts: What the screens said of their pictures, one a block.
        bytes_s: Bytes a second that the terminal took, one a stretch.
    """

    cpu: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    sent: list[list[list[int]]] = field(default_factory=list)
    arrival_s: list[float] = field(default_factory=list)
    accounts: list[dict[str, object]] = field(default_factory=list)
    bytes_s: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Measured:
    """A whole run: the kinds by name, and what capture missed (None: unknown)."""

    kinds: dict[str, Kind]
    samples: int = 0
    recorded: int = 0
    lost: int | None = None


class _Reader:
    """Reads a terminal, at full speed or as a slow line does, and counts."""

    def __init__(self, master: int, bytes_s: int | None) -> None:
        self.count = 0
        self._master, self._bytes_s = master, bytes_s
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        began = time.perf_counter()
        with contextlib.suppress(OSError):
            while data := os.read(self._master, 65536 if self._bytes_s is None else 1000):
                self.count += len(data)
                if self._bytes_s is not None:
                    began = max(began, time.perf_counter() - 0.1)  # a line does not save up what it did not carry
                    began += len(data) / self._bytes_s
                    time.sleep(max(0.0, began - time.perf_counter()))


@contextlib.contextmanager
def terminal(command: Sequence[str], size: tuple[int, int] = SIZE, **environment: str) -> Iterator[
    tuple["subprocess.Popen[bytes]", int]
]:  # fmt: skip
    """Run a command on a terminal of its own until the block ends; give the process and the terminal's other side."""
    import fcntl
    import pty
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment}
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                               env=environment)  # fmt: skip
    os.close(slave)
    try:
        yield process, master
    finally:
        process.kill()
        process.wait(10)
        os.close(master)


@contextlib.contextmanager
def _screen(client: Client, bytes_s: int | None, account: Path) -> Iterator[tuple[int, _Reader]]:
    """Run the screen, left by its own key at the end; give its process id and who reads it."""
    command = (sys.executable, "-c", _SCREEN, client.address, client.token)
    with terminal(command, HIL_TIMES=str(account)) as (process, master):
        reader = _Reader(master, bytes_s)
        yield process.pid, reader
        os.write(master, LEAVE)
        process.wait(60)
        reader.thread.join(10)


def measure(stretches: int, seconds: float, blocks: int = BLOCKS) -> Measured:
    """Run everything.

    Args:
        stretches: Stretches a block.
        seconds: Length of each.
        blocks: How often each kind has its turn.
    """
    found = Measured({name: Kind() for name in ("alone", "fast", "slow")})
    with tempfile.TemporaryDirectory() as folder, terminals(BOARDS) as source:
        path = Path(folder) / "bench.mcap"
        ports = tuple(PortConfig(port=port, role=f"imu{at}", dialect="native") for at, port in enumerate(source.paths))
        client = spawn_engine(EngineConfig(ports=ports, record=RecordConfig(path=str(path))))
        offset_ns = min((time.time_ns() - time.perf_counter_ns() for _ in range(9)), key=abs)
        try:
            ask(source.process, f"hello 0 {BOARDS}")
            _await_boards(client)
            for block in range(blocks):
                for name, kind in found.kinds.items():
                    account = Path(folder) / f"{name}{block}.json"
                    _block(kind, source, client, name, account, stretches, seconds)
        finally:
            client.close()
        _arrivals(found, path, offset_ns)
        count(found, client, path)
    return found


def _block(
    kind: Kind, source: Terminals, client: Client, name: str, account: Path, stretches: int, seconds: float
) -> None:
    if name == "alone":
        for _ in range(stretches):
            kind.sent.append(ask(source.process, f"ticks {round(1000 * seconds)} 0 {BOARDS}"))
        return
    with _screen(client, SLOW_BYTES if name == "slow" else None, account) as (pid, reader):
        ask(source.process, f"ticks 3000 0 {BOARDS}")  # it starts, and fills its plots
        for _ in range(stretches):
            began, used, read = time.perf_counter(), cpu_seconds(pid), reader.count
            kind.sent.append(ask(source.process, f"ticks {round(1000 * seconds)} 0 {BOARDS}"))
            took = time.perf_counter() - began
            kind.cpu.append(100 * (cpu_seconds(pid) - used) / took)
            kind.bytes_s.append((reader.count - read) / took)
        time.sleep(12.0)  # until the last readings have left the plots: their time base is ten seconds
        began, used = time.perf_counter(), cpu_seconds(pid)
        time.sleep(3.0)
        kind.idle.append(100 * (cpu_seconds(pid) - used) / (time.perf_counter() - began))
    kind.accounts.append(json.loads(account.read_text()))


def _await_boards(client: Client) -> Snapshot:
    for _ in range(300):
        snapshot = client.snapshot(_FIGURES)
        if sum(board.state == "live" for board in snapshot.boards) == BOARDS:
            return snapshot
        time.sleep(0.1)
    raise RuntimeError(f"the boards never came: {'; '.join(board.reason for board in snapshot.boards)}")


def _arrivals(found: Measured, path: Path, offset_ns: int) -> None:
    """Fill in how long messages were under way, from the stamps of the recorded bytes."""
    from hil.recording.reader import Recording

    ends: dict[str, list[int]] = {}
    with Recording(path) as recording:
        for arrival in recording.arrivals():
            if arrival.data and arrival.kind == "rx":
                ends.setdefault(arrival.board, []).extend([arrival.t_ns - offset_ns] * arrival.data.count(0))
    for kind in found.kinds.values():
        for tables in kind.sent:
            waits: list[int] = []
            for at, written in enumerate(tables):
                stamps = ends[f"imu{at}"]
                first = next(place for place, stamp in enumerate(stamps) if stamp >= written[0])
                waits += [stamp - then for stamp, then in zip(stamps[first:], written, strict=False)]
            kind.arrival_s.append(statistics.median(waits) / 1e9)


def run(quick: bool = False) -> list[Row]:
    """Measure; `quick` takes shorter stretches."""
    return rows(measure(3, 1.5 if quick else 4.0))


def rows(found: Measured) -> list[Row]:
    """Return the figures of a run, held against what the screen promises."""
    fast, slow, alone = (found.kinds[name] for name in ("fast", "slow", "alone"))
    what = f"screen of {SIZE[0]}x{SIZE[1]}, {BOARDS} boards x 1 kHz x 6 axes, 10 fps"
    table = [
        _most(f"{what}: its CPU", fast.cpu, "% of a core", SHARE_BAR),
        _most(f"{what}: its CPU while nothing comes", fast.idle, "% of a core", IDLE_BAR),
        _most(f"{what}: a picture, p99", [_told(one, "wall_ms") for one in fast.accounts], "ms", FRAME_BAR),
        _most(f"{what}: a picture, CPU time, p99", [_told(one, "cpu_ms") for one in fast.accounts], "ms", FRAME_BAR),
    ]
    for name, kind in (("with that screen", fast), (f"with one on a line of {SLOW_BYTES // 1000} kB/s", slow)):
        ratios = [with_it / without for with_it, without in zip(kind.arrival_s, alone.arrival_s, strict=True)]
        low, high = interval(ratios) if len(ratios) >= 9 else (min(ratios), max(ratios))
        value = statistics.median(ratios)
        table.append(Row(f"arrival of a message {name}, p50", statistics.median(kind.arrival_s) * 1e6, "us",
                         "capture alone (with the screen over without)", value, low, high, ARRIVAL_BAR,
                         high <= ARRIVAL_BAR))  # fmt: skip
    left_out = sum(int(str(one["late"])) for one in slow.accounts)
    drawn = sum(int(str(one["drawn"])) for one in slow.accounts)
    table.append(Row(f"pictures left out on the slow line ({drawn} drawn)", left_out, "pictures", "at least one", None,
                     left_out, left_out, 1.0, left_out >= 1 and drawn >= 1))  # fmt: skip
    missing = -1 if found.lost is None else found.lost + abs(found.samples - found.recorded)
    table.append(Row(f"samples lost or not recorded, of {found.samples}", missing, "samples", "none", None, missing,
                     missing, 0.0, missing == 0))  # fmt: skip
    return table


def _most(name: str, values: list[float], unit: str, bar: float) -> Row:
    """One figure that may be at most so much; fewer than nine are judged by their middle, with their whole range."""
    low, high = interval(values) if len(values) >= 9 else (min(values), max(values))
    middle = statistics.median(values)
    return Row(name, middle, unit, f"at most {bar:g} {unit}", None, low, high, bar, middle <= bar)


def _told(account: dict[str, object], what: str) -> float:
    told = account[what]
    assert isinstance(told, dict)
    return float(told["p99"])


if __name__ == "__main__":
    print(json.dumps([row.as_dict() for row in run("--quick" in sys.argv)], indent=1))
