"""What it costs to begin: to ask for help, over starting Python at all; and to see the first picture of a bench.

The first picture is that of `hil ui PORT` on a real terminal, held against a program that only imports Textual and
NumPy. Both sides are the CPU time of the whole process, which a busy machine stretches alike. The engine starts after
it in a process of its own (and loads a model there); the screen says so until it answers.
"""

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from hil.bench.row import Row, judge, paired

__all__ = ["run"]

HELP = (sys.executable, "-c", "import sys; sys.argv = ['hil', '--help']; import hil.cli; hil.cli.main()")
BARE = (sys.executable, "-c", "pass")
SCREEN = (sys.executable, "-m", "hil", "ui", "virtual://imu")
IMPORTS = (
    sys.executable, "-c",
    "import numpy; from textual.app import App; from textual.widgets import Input; from textual.screen import Screen",
)  # fmt: skip
FIRST_BAR = 1.5
_SHOWN = b"starting"
"""A word of the first picture, which is drawn before there is an engine."""


def _seconds(command: tuple[str, ...]) -> float:
    began = perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return perf_counter() - began


def _imports() -> float:
    """CPU seconds of a program that imports what a screen stands on."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(IMPORTS, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _first_picture() -> float:
    """CPU seconds of the screen until its first picture was handed to the terminal, as it says itself."""
    from hil.bench.onscreen import LEAVE, terminal

    with tempfile.TemporaryDirectory() as folder:
        account = Path(folder) / "times.json"
        with terminal(SCREEN, HIL_TIMES=str(account)) as (process, master):
            seen = b""
            while _SHOWN not in seen:
                seen += os.read(master, 65536)
            os.write(master, LEAVE)
            with contextlib.suppress(OSError):
                while os.read(master, 65536):
                    pass
            process.wait(60)
        return float(json.loads(account.read_text())["first_cpu_ms"]) / 1e3


def run(quick: bool = False) -> list[Row]:
    """Measure `hil --help` beside `python -c pass`, and a first picture beside bare imports, pair by pair.

    Args:
        quick: Take the fewest pairs that make an interval.
    """
    rounds = 9 if quick else 15
    pairs = paired(lambda: _seconds(HELP), lambda: _seconds(BARE), rounds=rounds, self_timed=True)
    extra = [1e3 * (ours - theirs) for ours, theirs in zip(pairs.ours, pairs.theirs, strict=True)]
    value = sorted(extra)[len(extra) // 2]
    first = paired(_first_picture, _imports, rounds=rounds, self_timed=True)
    over = [ours / theirs for ours, theirs in zip(first.ours, first.theirs, strict=True)]
    what = "importing Textual and NumPy (ours over theirs)"
    return [
        judge("hil --help", value, "ms", "bare python", extra, 120.0, at_most=True, ratio=False),
        judge("first picture of hil ui PORT, CPU", first.ours_s * 1e3, "ms", what, over, FIRST_BAR, at_most=True),
    ]
