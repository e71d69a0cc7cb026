"""How scenarios are run, and the command that says so once more.

Rule of this room: what changes a result stands in the command; what only changes how one waits for it, or what is
kept of it, does not.
"""

import shlex
from dataclasses import dataclass

from hil.scenario.grammar.load import Loaded

__all__ = ["KEEP_BYTES", "RunOptions", "again"]

KEEP_BYTES = 64_000_000
"""The largest recording of a failure that is kept whole, unless one says otherwise."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How scenarios are run.

    Attributes:
        on: Target: `recording`, `virtual`, `firmware`, `PORT` or `ROLE=PORT`; None: as each scenario says.
        seed: Added to every seed of a scenario, of virtual boards and faults.
        fault_seed: Seed of the faults alone; None: as of everything.
        twice: Run a second time in another way and compare everything that is no timing.
        repeat: How often to run; more than once gives a pass rate, with seeds that follow each other.
        retry_trouble: How often to run again after TROUBLE.
        bench: Port of each role, from a bench file.
        bench_file: That file, for the command that does the same; empty: none was named.
        update_baselines: Propose what is found as the baseline, see `hil.scenario.afterwards.accept`.
        keep: Folder for the recordings of runs that do not pass; empty: none is kept.
        keep_all: Keep those of passing runs too.
        keep_bytes: The largest recording that is kept whole; of a larger one the seconds around the failure are kept.
        exhibit: Take along what a page shows.
        stimulus: Push recorded readings into virtual boards too; into live ones they are pushed anyway.
        against: Another target to run on too, for the gap between both.
        wait_s: How long to wait for a port that somebody else holds.
        so_far: Folder in which checks are told while a scenario runs (`hil.scenario.execution.sofar`); empty: they are
            not.
    """

    on: str | None = None
    seed: int = 0
    fault_seed: int | None = None
    twice: bool = False
    repeat: int = 1
    retry_trouble: int = 0
    bench: tuple[tuple[str, str], ...] = ()
    bench_file: str = ""
    update_baselines: bool = False
    stimulus: bool = False
    against: str | None = None
    keep: str = ""
    keep_all: bool = False
    keep_bytes: int = KEEP_BYTES
    exhibit: bool = False
    wait_s: float = 0.0
    so_far: str = ""


def again(loaded: Loaded, options: RunOptions) -> str:
    """Return the command that does the same once more."""
    asks = bool(loaded.scenario.needs) or any(table.port == "bench" for table in loaded.scenario.board.values())
    words = ["hil", "run", str(loaded.path)]
    words += ["--on", options.on] if options.on else []
    words += ["--stimulus"] if options.stimulus else []
    words += ["--against", options.against] if options.against else []
    words += ["--seed", str(options.seed)] if options.seed else []
    words += ["--twice"] if options.twice else []
    words += ["--bench", options.bench_file] if options.bench_file and asks else []
    return shlex.join(words)
