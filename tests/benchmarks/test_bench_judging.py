"""A recorded hour is judged a thousand times faster than real time."""

import pytest

from hil.bench import judging


@pytest.mark.benchmark
def test_an_hour_with_the_model_is_judged_a_thousand_times_faster_than_it_lasted() -> None:
    rows = judging.run()
    assert all(row.ok for row in rows), "\n".join(map(str, rows))
