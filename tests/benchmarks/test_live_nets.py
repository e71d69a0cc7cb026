"""A live tick of a GRU costs a fraction of whole windows, and one of a TCN a fraction of another streaming library."""

import pytest

from hil.bench import live_nets


@pytest.mark.benchmark
def test_a_tick_of_a_gru_is_25_times_cheaper_than_windows_one_by_one() -> None:
    rows = live_nets.gru()
    assert all(row.ok for row in rows), "\n".join(map(str, rows))


@pytest.mark.benchmark
def test_a_tick_is_20_times_cheaper_than_with_continual_inference() -> None:
    pytest.importorskip("continual", reason="continual-inference, the peer, is not installed")
    rows = live_nets.continual()
    assert all(row.ok for row in rows), "\n".join(map(str, rows))
