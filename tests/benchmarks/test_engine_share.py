"""The whole bench within its share of a core, and without loss for as long as somebody watches."""

import sys

import pytest

from hil.bench.engine import BAR, measure, run

pytestmark = [
    pytest.mark.pty,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="CPU times are read from /proc"),
]


@pytest.mark.benchmark
def test_engine_and_screen_stay_within_their_share_of_a_core() -> None:
    rows = run(quick=True)
    assert all(row.ok for row in rows), "\n".join(map(str, rows))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_minutes_of_eight_boards_lose_nothing() -> None:
    found = measure(60, 10.0)
    assert found.lost == 0
    assert found.recorded == found.samples
    assert found.samples >= 8 * 1000 * 600
    assert found.behind_s is not None
    assert found.behind_s < 1.0
    together = sorted(one + other for one, other in zip(found.engine, found.screen, strict=True))
    assert together[len(together) // 2] <= BAR
