"""A picture of many plots costs a fraction of the usual plotting widget, and capture never notices the screen."""

import pytest

from hil.bench import screen


@pytest.mark.benchmark
def test_the_screen_is_cheap_on_a_real_bench_and_on_a_slow_line_and_capture_loses_nothing() -> None:
    rows = screen.run()
    assert all(row.ok for row in rows), "\n".join(map(str, rows))
