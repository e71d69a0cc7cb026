"""Asking for help is quick."""

import pytest

from hil.bench import startup


@pytest.mark.benchmark
def test_help_costs_little_over_bare_python() -> None:
    rows = startup.run()
    assert all(row.ok for row in rows), "\n".join(map(str, rows))
