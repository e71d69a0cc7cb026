"""Decoding clears its bars against the C extension into tuples and against naive Python, side by side."""

import pytest

from hil.bench.decode import cross_over, decode_naive, decode_tuples, run, stream


def test_the_peers_find_every_frame():
    buffer = stream(50)
    assert len(decode_naive(buffer)) == 50
    assert decode_naive(buffer) == decode_tuples(buffer)
    damaged = buffer[:100] + b"\x55" + buffer[101:]
    assert decode_naive(damaged) == decode_tuples(damaged)
    assert len(decode_naive(damaged)) == 49


@pytest.mark.benchmark
def test_both_decoders_clear_their_bars():
    rows = run(quick=True)
    assert len(rows) == 4
    for row in rows:
        assert row.ok, str(row)


@pytest.mark.benchmark
def test_the_bulk_decoder_takes_over_where_it_is_faster():
    ratios = cross_over((160, 7280))
    assert ratios[160] < 1 < ratios[7280]
