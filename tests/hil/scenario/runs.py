"""Parts that tests of many scenarios share: small scenarios in a folder, and a board on a pseudo terminal."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hil.scenario.grammar.load import Loaded, parse_scenario

IMU = '{head}name = "{name}"\n[board.imu]\nvirtual = "imu?rate={rate}"\nseed = {seed}\n[readings]\nto_s = {length}\n'
LIVE = '{head}name = "{name}"\n[board.imu]\nport = "{port}"\n[readings]\nto_s = 0.3\n'
LOST = '[[check]]\nmetric = "link.imu.samples_lost"\nequals = 0\n'
DIES = "[setup]\nflash = ['sh', '-c', '[ -e {flag} ] || {{ : > {flag}; kill -9 $PPID; }}']\n"
ALWAYS_DIES = "[setup]\nflash = ['sh', '-c', 'kill -9 $PPID']\n"

TALKER = """
import pathlib, sys, threading, time
def talk():
    while True:
        print("ax:1", flush=True)
        time.sleep(0.02)
threading.Thread(target=talk, daemon=True).start()
sys.stdin.readline()
pathlib.Path(sys.argv[1]).touch()
sys.stdin.read()
"""


def endless(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a scenario that waits for a board for a minute; return the files by which it shows its begin and its end.

    The board is a process that prints a reading until its set-up writes to it, and then for ever.
    """
    talker, began, undone = folder / "talker.py", folder / f"{name}.began", folder / f"{name}.undone"
    talker.write_text(TALKER)
    setup = "[setup]\nsend = ['go']\nwait_for = 'never'\nwait_s = 60\n"
    live(folder, name, f"exec:{sys.executable} {talker} {began}",
         setup=f"{setup}[teardown]\ncommand = ['touch', '{undone}']\n")  # fmt: skip
    return began, undone


def virtual(folder: Path, name: str, *, seed: int = 0, rate: int = 100, length: float = 1.0, head: str = "") -> Loaded:
    """A scenario on a virtual board, without waiting."""
    text = IMU.format(name=name, seed=seed, rate=rate, length=length, head=head)
    return written(folder / f"{name}.toml", text + LOST)


def live(folder: Path, name: str, port: str, *, setup: str = "", head: str = "") -> Loaded:
    """A scenario on a live board."""
    return written(folder / f"{name}.toml", LIVE.format(name=name, port=port, head=head) + setup + LOST)


def written(path: Path, text: str) -> Loaded:
    """A scenario as a file."""
    path.write_text(text)
    return Loaded(path, text, parse_scenario(text, str(path)))


@contextmanager
def pty_board(board: str = "imu?rate=100") -> Iterator[str]:
    """A board that answers on a pseudo terminal; gives its device."""
    command = (sys.executable, "-m", "firmware_bridge.virtual.serve", board)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[0]
    finally:
        process.communicate(input="", timeout=150)
