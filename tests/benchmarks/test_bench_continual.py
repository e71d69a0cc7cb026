"""A live tick costs a fraction of the same network in another library that carries state."""

import pytest

from hil.bench import continual


@pytest.mark.benchmark
def test_a_tick_is_20_times_cheaper_than_with_continual_inference() -> None:
    pytest.importorskip("continual", reason="continual-inference, the peer, is not installed")
    rows = continual.run()
    assert all(row.ok for row in rows), "\n".join(map(str, rows))
