"""A board counts samples in 32 bits and the bench in 64: a model's decisions stand where they stood past the wrap."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from model_boards import HOP, batch, readings, small_model, split

from firmware_bridge.events import Prediction
from firmware_bridge.wire.counting import Numbering

SIZE = 90
MODEL = small_model()
WRAP = 2**32


def decided(first: int, cuts: list[int]) -> list[Prediction]:
    """Decisions on readings whose first number is `first`, as a board sends it."""
    numbering, runner = Numbering(32), MODEL.runner(boards=["a"])
    made = []
    for piece in split(batch(readings(SIZE), first), cuts):
        sent = (np.arange(piece.first, piece.end) % WRAP).astype(np.uint64)
        (run,) = numbering.take(sent, 1e9, restarts=True).runs
        made += runner.push([replace(piece, first=run.first)])
    return made


@settings(max_examples=60)
@given(st.integers(1, SIZE - 1), st.lists(st.integers(1, SIZE - 1), max_size=12))
def test_decisions_before_and_after_the_wrap_are_those_of_a_stream_that_does_not_wrap(
    before: int, cuts: list[int]
) -> None:
    assert WRAP % HOP  # else no place could shift
    first = WRAP - before
    plain = first % (1000 * HOP)
    found, wanted = decided(first, cuts), decided(plain, [])
    assert [one.sample - first for one in found] == [one.sample - plain for one in wanted]
    assert [(one.label, one.scores) for one in found] == [(one.label, one.scores) for one in wanted]
    assert any(one.sample >= WRAP for one in found) or before > SIZE - HOP
