"""Two revisions of a virtual sensor are told apart at the length the tool predicts, and alike ones are not.

The readings come from the noise of the virtual board itself, through its bytes, the session and a recording; the
revisions differ by 10 % in noise density. The full counts are slow; what the normal suite runs is a small part of them.
"""

from collections import Counter
from pathlib import Path

import pytest
from benchsim import record, simulate

from hil.measure import measure
from hil.measure.compare import compare
from hil.measure.comparison import BETTER, REFUSED, SAME, WORSE, Comparison
from hil.measure.sides import open_sides

RATE_HZ = 50
SEE = 0.10


def recorded(folder: Path, seed: int, seconds: float, more: float = 0.0) -> Path:
    """A still inertial board, its noise `more` above that of revision A."""
    noise = f"noise_ug={100 * (1 + more)}&noise_mdps={20 * (1 + more)}"
    boards = {"imu": f"virtual://imu?seed={seed}&rate={RATE_HZ}&{noise}"}
    return record(folder / f"{seed}-{seconds:.0f}-{more}.mcap", boards, simulate(boards, seconds))


def judged(a: Path, b: Path, see: float | None = None) -> Comparison:
    found = compare(*open_sides([str(a), str(b)], measure), see)
    a.unlink()
    b.unlink()
    return found


def predicted(folder: Path) -> float:
    """How long to record, as the tool says after a short look at two boards of revision A."""
    pilot = judged(recorded(folder, 1, 40), recorded(folder, 2, 40), SEE)
    needs = [row.needs_s for row in pilot if row.metric == "noise_density"]
    assert len(needs) == 6
    assert None not in needs
    return max(need for need in needs if need is not None)


def apart(folder: Path, seconds: float, pairs: int) -> float:
    """The share of noise densities of a revision 10 % noisier that are called worse."""
    verdicts: Counter[str] = Counter()
    for seed in range(pairs):
        found = judged(recorded(folder, 1000 + seed, seconds), recorded(folder, 5000 + seed, seconds, SEE))
        verdicts.update(row.verdict for row in found if row.metric == "noise_density")
    assert verdicts[BETTER] == 0
    return verdicts[WORSE] / verdicts.total()


def false_verdicts(folder: Path, seconds: float, pairs: int) -> Counter[str]:
    """How many pairs of alike boards have any figure that is called better, or worse."""
    found: Counter[str] = Counter()
    for seed in range(pairs):
        rows = judged(recorded(folder, 20_000 + seed, seconds), recorded(folder, 40_000 + seed, seconds)).rows
        found.update({verdict for verdict in (BETTER, WORSE) if any(row.verdict == verdict for row in rows)})
    return found


def test_revisions_are_told_apart_at_the_predicted_length_and_alike_boards_are_not(tmp_path: Path) -> None:
    seconds = predicted(tmp_path)
    assert 35 < seconds < 110
    assert apart(tmp_path, seconds, 2) >= 0.75
    assert false_verdicts(tmp_path, seconds, 2)[BETTER] == 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_of_two_hundred_alike_pairs_at_most_one_in_twenty_has_a_false_better(tmp_path: Path) -> None:
    seconds = predicted(tmp_path)
    share = apart(tmp_path, seconds, 40)
    false = false_verdicts(tmp_path, seconds, 200)
    print(f"\nlength {seconds:.1f} s: {share:.1%} told apart; of 200 alike pairs {dict(false)}")
    assert share >= 0.85
    assert false[BETTER] <= 10
    assert false[WORSE] <= 10


def test_another_rate_or_range_is_refused_before_anything_is_judged(tmp_path: Path) -> None:
    paths = []
    for name, options in (("a", "rate=50"), ("fast", "rate=100"), ("wide", "rate=50&range_g=16")):
        boards = {"imu": f"virtual://imu?seed=3&{options}"}
        paths.append(record(tmp_path / f"{name}.mcap", boards, simulate(boards, 5)))
    for other, words in ((paths[1], "both at 50 Hz"), (paths[2], "same range")):
        found = compare(*open_sides([str(paths[0]), str(other)], measure))
        assert words in str(found.refused[0])
        assert {row.verdict for row in found if row.stream == "imu"} == {REFUSED}


def test_two_boards_of_one_recording_are_compared(tmp_path: Path) -> None:
    boards = {"left": "virtual://imu?seed=1&rate=50", "right": "virtual://imu?seed=2&rate=50&noise_ug=300"}
    path = record(tmp_path / "two.mcap", boards, simulate(boards, 40))
    found = compare(*open_sides([f"{path}#left", f"{path}#right"], measure))
    by_channel = {row.channel: row.verdict for row in found if row.metric == "noise_density"}
    assert by_channel == {"ax": WORSE, "ay": WORSE, "az": WORSE, "wx": SAME, "wy": SAME, "wz": SAME}
