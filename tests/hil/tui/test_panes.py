"""The panes of words say what is so, and nothing that only looks so."""

import pytest

from hil.snapshot import PredictionView
from hil.tui.panes import label_title

SECOND = 1_000_000_000


@pytest.mark.parametrize(("behind_s", "words"), [(0.9, ""), (1.4, ""), (2.0, " · 2 s behind"), (None, "")])
def test_a_model_is_only_behind_by_more_than_the_step_between_its_decisions(behind_s: float | None, words: str) -> None:
    history = tuple((at * SECOND, "squat", 0.9) for at in range(3))
    one = PredictionView("exercise", "watch", "ready", label="squat", behind_s=behind_s, history=history)
    ((text, _),) = label_title((one,))
    assert text == f"exercise on watch{words}"
