"""Asking for help is quick, and so is the first picture."""

import pytest

from hil.bench import startup


@pytest.mark.benchmark
def test_help_costs_little_over_bare_python_and_a_picture_little_over_its_imports() -> None:
    rows = startup.run()
    assert all(row.ok for row in rows), "\n".join(map(str, rows))
