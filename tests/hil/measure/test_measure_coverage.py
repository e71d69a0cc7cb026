"""The intervals of a whole measurement hold: over many virtual sensors of known noise, 95 % cover the truth."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from measured import measure, of_board

SEEDS = 300
TRUTH = {
    ("a", "noise_density"): 400e-6,
    ("a", "rate_random_walk"): 50e-6,
    ("w", "noise_density"): np.radians(20e-3),
    ("w", "rate_random_walk"): np.radians(2.5e-3),
}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_parameter_is_covered_in_95_percent_of_300_seeds(tmp_path: Path) -> None:
    noise = {"noise_ug": 400, "walk_ug": 50, "noise_mdps": 20, "walk_mdps": 2.5}
    seen: Counter[tuple[str, str]] = Counter()
    held: Counter[tuple[str, str]] = Counter()
    for seed in range(SEEDS):
        path = of_board(tmp_path / "a.mcap", "imu", 600, step_ns=250_000_000, seed=seed, rate=50, **noise)
        for figure in measure(path):
            key = figure.channel[:1], figure.metric
            if key in TRUTH and figure.low is not None and figure.high is not None:
                seen[key] += 1
                held[key] += figure.low <= TRUTH[key] <= figure.high
        path.unlink()
    shares = {key: held[key] / seen[key] for key in TRUTH}
    print(shares, dict(seen))
    assert all(seen[key] >= 0.9 * 3 * SEEDS for key in TRUTH)
    assert all(0.92 <= share <= 0.98 for share in shares.values()), shares
