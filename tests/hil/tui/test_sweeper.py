"""Garbage of a screen is looked for while nobody waits, and once in a while where somebody never rests."""

import gc

import pytest

from hil.tui.terminal.sweeper import FULL, QUIET_S, WORTH, Sweeper, importing


class Heap:
    """A collector that says what was asked of it."""

    def __init__(self) -> None:
        self.come_together, self.collected, self.threshold = 0, 0, (700, 10, 10)

    def collect(self) -> int:
        self.collected += 1
        self.come_together = 0
        return 0

    def disable(self) -> None: ...

    def enable(self) -> None: ...

    def freeze(self) -> None: ...

    def unfreeze(self) -> None: ...

    def get_count(self) -> tuple[int, int, int]:
        return 0, 0, self.come_together

    def get_threshold(self) -> tuple[int, int, int]:
        return self.threshold

    def set_threshold(self, threshold0: int, threshold1: int = 10, threshold2: int = 10, /) -> None:
        self.threshold = (threshold0, threshold1, threshold2)


@pytest.fixture
def heap() -> Heap:
    return Heap()


def test_garbage_waits_while_keys_are_pressed_and_is_collected_once_they_rest(heap) -> None:
    sweeper = Sweeper(heap)
    with sweeper.at_work():
        heap.come_together = WORTH
        for _ in range(10):
            sweeper.pressed()
            sweeper.strike()
        assert heap.collected == 0
        for _ in range(QUIET_S):
            sweeper.strike()
        assert heap.collected == 1
        for _ in range(10):
            sweeper.strike()
        assert heap.collected == 1, "nothing new came together"


def test_somebody_who_never_rests_is_interrupted_only_when_memory_would_run_away(heap) -> None:
    sweeper = Sweeper(heap)
    with sweeper.at_work():
        for heap.come_together in range(FULL + 1):
            sweeper.pressed()
            sweeper.strike()
    assert heap.collected == 1


def test_python_collects_as_before_when_the_screen_has_ended() -> None:
    usual = gc.get_threshold()
    with Sweeper().at_work():
        assert gc.get_threshold()[:2] == usual[:2]
        assert gc.get_threshold()[2] > 1_000_000
    assert gc.get_threshold() == usual


def test_a_screen_of_which_nobody_decides_leaves_collecting_to_python(heap) -> None:
    sweeper = Sweeper(heap)
    heap.come_together = FULL
    for _ in range(QUIET_S + 1):
        sweeper.strike()
    assert heap.collected == 0


def test_nothing_is_collected_while_modules_are_imported_and_python_collects_again_after_it() -> None:
    kept = gc.get_freeze_count()
    try:
        with importing():
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > kept, "what modules are made of is walked through no more"
    finally:
        gc.unfreeze()
