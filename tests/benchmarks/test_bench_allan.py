"""The Allan deviation of a million readings clears its bar against `allantools` in the same run."""

import pytest

from hil.bench.allan import run


@pytest.mark.benchmark
def test_allan_deviation_is_fast():
    pytest.importorskip("allantools")
    rows = run(quick=True)
    assert len(rows) == 2
    for row in rows:
        assert row.ok, str(row)
