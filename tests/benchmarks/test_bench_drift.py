"""A drift watch beside a model costs a part of the tick, and not several ticks, for one board and for eight."""

import pytest

from hil.bench import drift


@pytest.mark.benchmark
def test_the_watch_costs_no_more_than_it_did_when_it_was_measured() -> None:
    rows = drift.run()
    assert all(row.ok for row in rows), "\n".join(map(str, rows))
