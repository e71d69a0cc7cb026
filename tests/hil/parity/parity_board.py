"""A text board that prints its readings and its own scores, and what may be wrong with it.

Rule of this room: the board is written apart from what judges it: it cuts its own windows out of its own readings, and
only asks the model for scores as firmware would ask its network.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

import hil.models
from hil.models import load_model
from hil.models.model import Model
from hil.models.whole import probabilities
from hil.recording.decode import decode
from hil.recording.reader import Recording

SMALL = Path(hil.models.__file__).parent / "exercise-small.hilmodel"
WATCH = Path(__file__).resolve().parents[3] / "scenarios" / "recordings" / "watch-unseen-10.mcap"
SAMPLES = 3000
"""One minute."""

Change = Callable[[np.ndarray], np.ndarray]

HEAD = """
schema = 1
[board]
model = "printer"
[lines]
format = "csv"
tag = 1
"""
READINGS = """
[[stream]]
name = "imu"
tag = "R"
line = ["n", "us", "ax", "ay", "az", "wx", "wy", "wz"]
columns = ["ax", "ay", "az", "wx", "wy", "wz"]
dtype = "i16"
unit = ["g", "g", "g", "rad/s", "rad/s", "rad/s"]
scale = [0.000244140625, 0.000244140625, 0.000244140625, 0.0009765625, 0.0009765625, 0.0009765625]
rate = 50.0
tick = { column = "us", unit = "us" }
"""
COUNTED = 'counter = { column = "n", bits = 32 }\n'
LABELS = ("PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW")


def scores_table(columns: tuple[str, ...], tick: bool = True) -> str:
    """The board file's table of the score lines."""
    line = ", ".join(f'"{name}"' for name in ("sample", "us", *columns))
    used = ", ".join(f'"{name}"' for name in ("sample", *columns))
    clock = 'tick = { column = "us", unit = "us" }\n' if tick else ""
    return f'[[stream]]\nname = "scores"\ntag = "S"\nline = [{line}]\ncolumns = [{used}]\n{clock}'


def model() -> Model:
    """The model that the board runs."""
    return load_model(SMALL)


def watch() -> np.ndarray:
    """A minute of raw readings `(SAMPLES, 6)` of somebody the model never met."""
    with Recording(WATCH) as recording:
        return recording["watch/imu"].raw[4000 : 4000 + SAMPLES]


def spoken(
    raw: np.ndarray,
    opened: Model,
    change: Change = lambda windows: windows,
    scores: Callable[[np.ndarray], list[str]] = lambda found: [f"{value:.4f}" for value in found],
    late: int = 0,
    printed_late: int = 0,
    key: Callable[[int], int] = lambda number: number,
) -> list[bytes]:
    """Return the lines that a board prints.

    Args:
        raw: Its readings.
        opened: The model that it runs.
        change: What it does to windows `(N, memory, 6)` in g and rad/s before its network sees them.
        scores: How it writes the probabilities of one window.
        late: Samples by which its window ends late.
        printed_late: Samples that pass before it has printed its scores.
        key: What it prints as the number of the window's last sample.
    """
    contract = opened.contract
    scale = np.array([1 / 4096] * 3 + [1 / 1024] * 3)
    values = (raw * scale).astype(np.float32)
    ends = np.arange(contract.memory_samples + 50, len(raw) - 4, contract.hop)
    windows = np.stack([values[end + late + 1 - contract.memory_samples : end + late + 1] for end in ends])
    found = dict(zip(ends.tolist(), probabilities(opened, change(windows)), strict=True))
    lines = []
    for number, row in enumerate(raw):
        us = 20_000 * number
        lines.append(f"R,{number},{us},{','.join(map(str, row))}\r\n")
        end = number - printed_late
        if end in found:
            lines.append(f"S,{key(end)},{us + 700},{','.join(scores(found[end]))}\r\n")
    return [line.encode() for line in lines]


def recorded(
    folder: Path, lines: list[bytes], counted: bool = True, columns: tuple[str, ...] = LABELS, tick: bool = True
) -> Path:
    """Return a recording of what was printed, read by a board file."""
    text = HEAD + READINGS + (COUNTED if counted else "") + scores_table(columns, tick)
    (folder / "printer.toml").write_text(text)
    (folder / "printer.txt").write_bytes(b"".join(lines))
    decode(folder / "printer.txt", folder / "printer.mcap", board_file=folder / "printer.toml", start_ns=10**18)
    return folder / "printer.mcap"
