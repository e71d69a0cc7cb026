"""What comes along is sound: the recordings of unseen people verify, and the model tells what they do."""

from collections import Counter
from pathlib import Path

import pytest

import hil
from hil.demo import MODEL
from hil.models.verify import verify

RECORDINGS = Path(__file__).resolve().parents[2] / "scenarios" / "recordings"


@pytest.mark.parametrize(("person", "floor"), [("9", 0.93), ("10", 0.78)])
def test_the_model_tells_exercises_of_people_it_never_saw(person: str, floor: float) -> None:
    model = hil.load_model(MODEL)
    assert person in model.contract.lineage["held_out"]
    with hil.open(RECORDINGS / f"watch-unseen-{person}.mcap") as recording:
        assert len(recording.labels) == 14
        window_ns = round(model.contract.window / model.contract.rate_hz * 1e9)
        right: Counter[bool] = Counter()
        for decision in model.predict(recording):
            for label in recording.labels:
                assert label.stop_ns is not None
                covered = min(decision.t_ns, label.stop_ns) - max(decision.t_ns - window_ns, label.start_ns)
                if 2 * covered >= window_ns:
                    right[decision.label == label.text] += 1
    assert right.total() > 480
    assert right[True] / right.total() >= floor


def test_a_shipped_recording_follows_from_its_raw_bytes() -> None:
    found = verify(RECORDINGS / "watch-unseen-9.mcap")
    assert (found.verdict, found.exact) == ("reproduced", True)
