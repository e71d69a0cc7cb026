"""What it costs to ask for help, over starting Python at all."""

import subprocess
import sys
from time import perf_counter

from hil.bench.row import Row, judge, paired

__all__ = ["run"]

HELP = (sys.executable, "-c", "import sys; sys.argv = ['hil', '--help']; import hil.cli; hil.cli.main()")
BARE = (sys.executable, "-c", "pass")


def _seconds(command: tuple[str, ...]) -> float:
    began = perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return perf_counter() - began


def run(quick: bool = False) -> list[Row]:
    """Measure `hil --help` beside `python -c pass`, pair by pair.

    Args:
        quick: Take the fewest pairs that make an interval.
    """
    pairs = paired(lambda: _seconds(HELP), lambda: _seconds(BARE), rounds=9 if quick else 15, self_timed=True)
    extra = [1e3 * (ours - theirs) for ours, theirs in zip(pairs.ours, pairs.theirs, strict=True)]
    value = sorted(extra)[len(extra) // 2]
    return [judge("hil --help", value, "ms", "bare python", extra, 120.0, at_most=True, ratio=False)]
