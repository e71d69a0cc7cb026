"""Recording as viewable messages keeps the speed of arrays."""

import pytest

from hil.bench import recording


@pytest.mark.benchmark
def test_recording_and_reading_back_against_the_mcap_package() -> None:
    rows = recording.run()
    assert all(row.ok for row in rows), "\n".join(map(str, rows))
