"""Our transport costs little over the bare system calls."""

import sys

import pytest

from hil.bench import transport


@pytest.mark.benchmark
@pytest.mark.pty
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="compares with epoll on terminals")
def test_reading_a_port_and_the_way_of_a_message_cost_little_over_bare_system_calls() -> None:
    rows = transport.run(quick=True)
    assert all(row.ok for row in rows), "\n".join(map(str, rows))
