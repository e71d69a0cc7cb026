"""SIGKILL in the middle of back-to-back flushes: nothing that was acknowledged is lost.

A flush is one `write(2)`; that the machine itself stays up is assumed (power loss is not covered).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from recording_kills import samples

from hil.recording.reader import Recording

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="writers are forked and killed by SIGKILL")


def kill_and_check(folder: Path, kills: int, seed: int) -> tuple[int, int]:
    """Return how many kills were checked and how many of them landed inside a write."""
    script = Path(__file__).with_name("recording_kills.py")
    with subprocess.Popen(
        [sys.executable, str(script), str(folder), str(kills), str(seed)], stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        done = inside = 0
        for line in run.stdout:
            told = json.loads(line)
            path = Path(told["path"])
            with Recording(path) as recording:
                assert recording.lost
                got = 0
                for piece in recording.chunks("watch", "wave"):
                    expected = samples(got, len(piece))
                    assert np.array_equal(piece.numbers, expected.ticks)
                    assert piece.raw.tobytes() == expected.raw.tobytes()
                    got += len(piece)
                assert got >= told["acknowledged"], told
                torn = recording.file.torn
                assert torn is not None
                inside += torn.size > torn.good
            path.unlink()
            done += 1
    assert run.returncode == 0
    return done, inside


def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path) -> None:
    done, _ = kill_and_check(tmp_path, 20, seed=1)
    assert done == 20


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nothing_acknowledged_is_lost_by_kills_that_land_inside_writes(tmp_path: Path) -> None:
    done = inside = 0
    seed = 100
    while inside < 100 and done < 4000:
        more, torn = kill_and_check(tmp_path, 100, seed)
        done, inside, seed = done + more, inside + torn, seed + 1
    print(f"{done} kills, {inside} of them inside a write, 0 acknowledged samples lost")
    assert inside >= 100
