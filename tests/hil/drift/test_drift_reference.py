"""What the watch learns of a training set: kept in JSON, refused with a sentence, and how far a data set is from it."""

import json

import numpy as np
import pytest
from drift_people import LOOK, NAMES, RATE, UNITS, session, shown

from hil.drift.distances import Distances
from hil.drift.learn import learn
from hil.drift.looks import Layout
from hil.drift.reference import Reference
from hil.drift.watch import Watch


def test_a_reference_survives_its_json_and_gives_the_same_verdicts(reference: Reference) -> None:
    again = Reference.model_validate(json.loads(reference.model_dump_json(by_alias=True)))
    assert again == reference
    one, other = Watch(reference), Watch(again)
    readings = session(20, 60)[:, [1, 0, 2, 3]]
    shown(one, readings)
    shown(other, readings)
    assert one.changes == other.changes
    assert len(reference.model_dump_json()) < 20_000


def test_a_newer_or_incomplete_reference_is_refused_in_a_sentence(reference: Reference) -> None:
    plain = reference.plain()
    with pytest.raises(ValueError, match="update this program"):
        Reference.model_validate({**plain, "schema": 3})
    with pytest.raises(ValueError, match="need"):
        Reference.model_validate({**plain, "limits": plain["limits"][:-1]})


def test_two_people_are_too_few_to_say_how_people_differ() -> None:
    people = {str(person): [session(person, 30)] for person in range(2)}
    assert learn(Layout(NAMES, UNITS, (1.0,) * 4), people, LOOK, RATE) is None


def test_distances_are_nil_on_training_and_as_large_as_a_shift(reference: Reference) -> None:
    same, moved = Distances(reference), Distances(reference)
    for person in range(6):
        same.add(session(person, 90))
        moved.add(session(person, 90) + np.float32(3.0))
    assert max(same.values()) < 0.05
    for distance, scale in zip(moved.values(), reference.scales, strict=True):
        assert distance == pytest.approx(3.0 / scale, rel=0.1)
