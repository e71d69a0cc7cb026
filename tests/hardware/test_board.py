"""A real board on a real cable: set HIL_HARDWARE_PORT to its port."""

import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.hardware


@pytest.fixture
def port() -> str:
    if found := os.environ.get("HIL_HARDWARE_PORT"):
        return found
    pytest.skip("no board is named in HIL_HARDWARE_PORT")


def test_ten_seconds_of_it_are_recorded_and_the_books_close(port: str, tmp_path: Path) -> None:
    import hil

    with hil.connect(port) as bench:
        for _ in bench.listen(seconds=10):
            pass
        states = bench.boards()
    assert states
    for state in states:
        assert state.books is not None
        assert state.books.bytes_received > 0
        assert state.books.closes() == []
