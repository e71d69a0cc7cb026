"""Many hops of one board in one call give the bits of one call a hop."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.batch import Batch
from firmware_bridge.events import Prediction
from firmware_bridge.streams import Stream
from hil.demo import MODEL as SHIPPED
from hil.models.model import load_model
from hil.models.step import EagerStep

MODEL = load_model(SHIPPED)
HOP = MODEL.contract.hop
SIZE = 24 * HOP + 17
CHANNELS = tuple(item.channel for item in MODEL.contract.inputs)
STREAM = Stream("imu", CHANNELS, tuple(item.unit for item in MODEL.contract.inputs), "<i2", (6,), 50.0, (0.001,))
RAW = {board: np.random.default_rng(seed).integers(-3000, 3000, (SIZE, 6)).astype("<i2") for seed, board in
       enumerate("abc")}  # fmt: skip
NUMBERS = np.arange(SIZE, dtype=np.int64)


def part(board: str, start: int, stop: int) -> Batch:
    ticks = NUMBERS[start:stop]
    return Batch(board, STREAM, 0, start, ticks, ticks * 20_000_000, RAW[board][start:stop])


def one_by_one(board: str) -> list[Prediction]:
    runner = MODEL.runner(boards=list(RAW))
    return [one for at in range(0, SIZE, HOP) for one in runner.push([part(board, at, min(at + HOP, SIZE))])]


EXPECTED = {board: one_by_one(board) for board in RAW}


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 20 * HOP)), max_size=30))
def test_decisions_do_not_depend_on_how_many_hops_wait_at_once(pushes: list[tuple[str, int]]) -> None:
    runner = MODEL.runner(boards=list(RAW))
    at, made = dict.fromkeys(RAW, 0), []
    for board, size in [*pushes, *((board, SIZE) for board in RAW)]:
        stop = min(at[board] + size, SIZE)
        if stop > at[board]:
            made += runner.push([part(board, at[board], stop)])
            at[board] = stop
    assert {board: [one for one in made if one.board == board] for board in RAW} == EXPECTED


def test_decisions_of_many_boards_come_in_turn_however_they_are_computed() -> None:
    runner = MODEL.runner(boards=list(RAW))
    made = runner.push([part(board, 0, SIZE) for board in RAW])
    assert made == [one for turn in zip(*EXPECTED.values(), strict=True) for one in turn]


def test_waiting_hops_take_a_fraction_of_the_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = MODEL.runner(boards=["a"], slots=8)
    calls: list[str] = []
    for name in ("run", "scan"):
        original = getattr(EagerStep, name)
        monkeypatch.setattr(EagerStep, name, lambda *given, n=name, o=original: (calls.append(n), o(*given))[1])
    runner.push([part("a", 0, SIZE)])
    assert calls == ["scan"] * 3


def forgetting(self: EagerStep, slot: int, hops: int, reset: bool, original: Any = EagerStep.scan) -> Any:
    """A scan that begins anew each time."""
    return original(self, slot, hops, True)


def rounding(self: EagerStep, slot: int, hops: int, reset: bool, original: Any = EagerStep.scan) -> Any:
    """A scan whose last row differs by the last bit, as where products round a row by its place."""
    rows = original(self, slot, hops, reset)
    rows[hops - 1] = np.nextafter(rows[hops - 1], np.float32(np.inf))
    return rows


def test_the_comparison_notices_state_that_is_not_carried_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a scan that goes wrong after it was tried must show."""
    runner = MODEL.runner(boards=["a"])
    monkeypatch.setattr(EagerStep, "scan", forgetting)
    assert runner.push([part("a", 0, SIZE)]) != EXPECTED["a"]


@pytest.mark.parametrize("wrong", [forgetting, rounding])
def test_where_a_scan_would_give_other_bits_there_is_none(monkeypatch: pytest.MonkeyPatch, wrong: Any) -> None:
    monkeypatch.setattr(EagerStep, "scan", wrong)
    runner = MODEL.runner(boards=["a"])
    assert runner.push([part("a", 0, SIZE)]) == EXPECTED["a"]
    assert runner.calls == SIZE // HOP
