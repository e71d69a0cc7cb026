"""A drift watch beside a model costs a part of the tick, and not several ticks, however many boards there are."""

import pytest

from hil.bench import drift


@pytest.mark.benchmark
def test_the_watch_of_eight_boards_does_not_double_the_tick() -> None:
    rows = drift.run()
    assert all(row.ok for row in rows), "\n".join(map(str, rows))
