"""A picture of many plots costs a fraction of the usual plotting widget, and the whole screen a part of a core."""

import pytest

from hil.bench import screen


@pytest.mark.benchmark
def test_the_screen_is_four_times_cheaper_than_textual_plot() -> None:
    rows = screen.run()
    assert all(row.ok for row in rows), "\n".join(map(str, rows))
