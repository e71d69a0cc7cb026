"""What is put off beside a model says what would be said at once: counts that are only shown, hops that wait."""

from pathlib import Path

import numpy as np
import pytest
from drift_people import LOOK, session
from hypothesis import example, given, settings
from hypothesis import strategies as st

import hil.models
from hil.drift.aside import LATER, Aside
from hil.drift.distances import Distances
from hil.drift.reference import Reference
from hil.drift.scores import Labels
from hil.drift.watch import Watch
from hil.models.drifting import DriftTap, network_digest
from hil.models.model import Model, load_model
from hil.models.segments import Block

SHIPPED = Path(hil.models.__file__).parent / "exercise-small.hilmodel"
LABELS = Labels(np.array([[4.0, 0.0], [0.0, 4.0]]), np.eye(2))


@pytest.fixture(scope="module")
def shipped() -> Model:
    return load_model(SHIPPED)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sets(st.integers(0, 2), min_size=1), st.booleans()), min_size=1, max_size=2 * LATER + 3))
@example([({0, 1, 2}, False)] * (2 * LATER + 3))
def test_what_is_shown_does_not_depend_on_when_it_is_asked(
    reference: Reference, course: list[tuple[set[int], bool]]
) -> None:
    """Three streams in any company, against each counted look by look."""
    aside, distances = Aside(reference, LABELS), Distances(reference)
    for _ in range(3):
        aside.grow()
    counts = distances.none(3)
    far: dict[int, list[float]] = {0: [], 1: [], 2: []}

    def alone(row: int) -> tuple[list[float], float | None]:
        return distances.values(counts[row]), sum(far[row]) / len(far[row]) if far[row] else None

    for turn, (rows, asked) in enumerate(course):
        some = sorted(rows)
        readings = np.stack([session(20 + row, 2, seed=turn)[:LOOK] for row in some])
        # A stream may have no decision in a look, and how many there are may differ.
        scores = [[np.array([4.0 - row, turn % 5]) for _ in range((turn + row) % 3)] for row in some]
        aside.add(some, readings, scores)
        for row, own, rows_of in zip(some, readings, scores, strict=True):
            counts[row] = distances.after(counts[row], distances.counted(distances.some(own[None]))[0])
            if rows_of:
                far[row].append(float(LABELS.of([rows_of])[0, 0]))
        if asked:
            assert [aside.of(row) for row in some] == [alone(row) for row in some]
    np.testing.assert_equal([aside.of(row) for row in range(3)], [alone(row) for row in range(3)])


@settings(max_examples=3, deadline=None)
@given(
    st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=8),
    st.sets(st.tuples(st.integers(0, 35), st.integers(0, 2)), max_size=4),
)
@example([[True, True, True], [True, False, True], [True, True, False]], {(9, 0), (20, 2)})
def test_boards_that_come_and_go_are_told_what_each_alone_is_told(
    shipped: Model, present: list[list[bool]], resets: set[tuple[int, int]]
) -> None:
    contract, tap = shipped.contract, DriftTap(shipped.package)
    assert contract.reference is not None
    hop, chance = contract.hop, np.random.default_rng(0)
    spread, mean = (np.array([getattr(one, name) for one in contract.inputs], np.float32) for name in ("std", "mean"))
    alone: dict[str, Watch] = {}
    for turn in range(36):
        here = [at for at in range(3) if present[turn % len(present)][at]]
        if not here:
            continue
        readings = chance.standard_normal((3, hop, len(spread)), np.float32)
        readings[1, :, 0] += 6.0
        outputs = chance.standard_normal((3, len(contract.labels)), np.float32)
        shown = [(str(at), "imu", Block(readings[at], (turn, at) in resets, True, 0, 0, turn), at) for at in here]
        tap(shown, readings, outputs)
        for at in here:
            own = alone.setdefault(str(at), Watch(contract.reference, network_digest(shipped.package)))
            own.take(readings[at] * spread + mean, turn, outputs[at].copy(), (turn, at) in resets)
        looks = {who: watch.looks for who, watch in alone.items()}
        assert {who: watch.looks for (who, _), watch in tap.watches.items()} == looks  # at once, and not a hop later
        readings[:], outputs[:] = np.nan, np.nan  # the network fills them again
    assert {who: watch.changes for (who, _), watch in tap.watches.items()} == {
        who: watch.changes for who, watch in alone.items()
    }
    np.testing.assert_equal(
        {who: vars_of(watch) for (who, _), watch in tap.watches.items()},
        {who: vars_of(watch) for who, watch in alone.items()},
    )


def vars_of(watch: Watch) -> tuple[object, ...]:
    state = watch.state()
    return state.verdict, state.finding, state.looks, state.sensor, state.model, state.distances, state.embedding
