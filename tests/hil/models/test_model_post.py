"""Post-processing is part of the contract: the same decisions live and offline, whatever the split into batches."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_boards import HOP, MEMORY, STREAM, batch, contract, gap, network, readings, small_model, split
from pydantic import ValidationError

from firmware_bridge.batch import Batch
from firmware_bridge.events import Prediction
from firmware_bridge.streams import Stream
from hil.models.contract import parse_contract
from hil.models.datasets import Series
from hil.models.evaluate import judge
from hil.models.model import Model
from hil.models.package import pack, unpack
from hil.models.post import Decider, Post

SIZE = 300
ALL = Post(smoothing=3, hysteresis=0.05, min_duration=2 * HOP, refractory=4 * HOP)


def model_with(post: Post) -> Model:
    weights = {name: value.numpy() for name, value in network().state_dict().items()}
    return Model(unpack(pack(contract(post=post), weights), "small"))


def decided(post: Post, size: int = SIZE) -> list[Prediction]:
    return model_with(post).runner().push([batch(readings(size))])


def told(post: Post, scores: list[tuple[float, ...]], hop: int = HOP) -> list[int | None]:
    """The labels that a fresh decider tells of scores, the first of which begins a segment."""
    decider = Decider(post)
    made = [decider.take(row, (at + 1) * hop, reset=at == 0, decide=True) for at, row in enumerate(scores)]
    return [None if one is None else one[0] for one in made]


def sure(*labels: int) -> list[tuple[float, ...]]:
    return [tuple(0.8 if at == label else 0.1 for at in range(3)) for label in labels]


@settings(max_examples=25)
@given(st.lists(st.integers(1, SIZE - 1), max_size=30))
def test_any_split_into_batches_tells_the_same_decisions(cuts: list[int]) -> None:
    runner = model_with(ALL).runner()
    made = [decision for piece in split(batch(readings(SIZE)), cuts) for decision in runner.push([piece])]
    assert made == decided(ALL)


def test_the_split_would_show_if_what_is_held_were_forgotten() -> None:
    """Negative control: a gap that forgets it changes what is told later."""
    raw = readings(SIZE)
    cut = model_with(ALL).runner().push([batch(raw[:150]), gap(150, None), batch(raw[150:], 150)])
    late = {one.sample: one.label for one in decided(ALL)}
    assert any(late[one.sample] != one.label for one in cut)


def test_live_and_judged_offline_are_the_same_decisions() -> None:
    model = model_with(ALL)
    values = readings(SIZE).astype(np.float32)
    judged = judge(model.package, [Series("1", values, np.zeros(SIZE, np.int64), "s")])
    stream = Stream("series", STREAM.channels, STREAM.units, "<f4", (3,), 50.0)
    ticks = np.arange(SIZE, dtype=np.int64)
    runner, whole = model.runner(), Batch("0", stream, 0, 0, ticks, ticks, values)
    live = [one for at in range(SIZE) for one in runner.push([whole.part(at, at + 1)])]
    place = {label: at for at, label in enumerate(model.contract.labels)}
    assert judged.predicted.tolist() == [place[one.label] for one in live]
    assert judged.confidence.tolist() == [one.confidence for one in live]


def test_smoothing_is_the_mean_of_the_last_decisions_and_counts_as_memory() -> None:
    plain, smooth = decided(Post()), decided(Post(smoothing=4))
    assert smooth[0].sample == plain[3].sample
    runner = model_with(Post(smoothing=4)).runner()
    runner.push([batch(readings(SIZE))])
    coverage = runner.coverage["a", "imu"]
    assert (coverage.missed, coverage.warming) == (0, (MEMORY + 3 * HOP - 1) // HOP)
    for at, one in enumerate(smooth):
        mean = np.mean([other.scores for other in plain[at : at + 4]], axis=0)
        assert np.allclose(one.scores, mean, atol=1e-12)
        assert one.confidence == max(one.scores)


def test_a_seek_smooths_to_the_same_bits() -> None:
    post, raw = Post(smoothing=4), readings(SIZE)
    made = model_with(post).runner().push([batch(raw[40:], 40)])
    reach = model_with(post).contract.reach
    assert made == [one for one in decided(post) if one.sample + 1 - reach >= 40]


def test_hysteresis_keeps_the_label_until_another_is_clearly_ahead() -> None:
    close = [(0.5, 0.4, 0.1), (0.45, 0.5, 0.05), (0.3, 0.6, 0.1), (0.45, 0.44, 0.11)]
    assert told(Post(hysteresis=0.1), close) == [0, 0, 1, 1]
    assert told(Post(), close) == [0, 1, 1, 0]


def test_a_label_must_be_ahead_for_the_minimum_duration() -> None:
    assert told(Post(min_duration=2 * HOP), sure(0, 1, 1, 0, 1, 1, 1, 2, 1)) == [0, 0, 0, 0, 0, 0, 1, 1, 1]
    assert told(Post(min_duration=HOP), sure(0, 1, 2, 1, 2)) == [0, 0, 0, 0, 0]  # never the same one for long enough


def test_after_a_change_there_is_none_for_the_refractory_time() -> None:
    assert told(Post(refractory=3 * HOP), sure(0, 1, 0, 0, 0, 0)) == [0, 1, 1, 1, 0, 0]


@settings(max_examples=60)
@given(st.lists(st.integers(0, 2), min_size=2, max_size=60), st.integers(0, 4), st.integers(0, 6))
def test_no_two_changes_are_nearer_than_asked(labels: list[int], least: int, rest: int) -> None:
    found = told(Post(min_duration=least * HOP, refractory=rest * HOP), sure(*labels))
    changes = [at for at, (one, other) in enumerate(pairwise(found), 1) if one != other]
    assert all(after - before >= max(rest, least) for before, after in pairwise(changes))
    assert all(labels[at - least : at + 1] == [found[at]] * (least + 1) for at in changes)


def test_a_reading_that_is_no_number_gives_no_decision_until_it_is_smoothed_out() -> None:
    rows = [*sure(0, 0), (float("nan"),) * 3, *sure(1, 1, 1)]
    assert told(Post(smoothing=2), rows) == [0, 0, None, None, 1, 1]


def test_post_processing_is_written_and_read_as_schema_2_and_contracts_without_it_as_1() -> None:
    written = model_with(ALL).contract
    assert written.schema_version == 2
    assert parse_contract(written.to_json(), "here").post == ALL
    assert small_model().contract.schema_version == 1
    for wrong in ({"smoothing": 0}, {"hysteresis": 1.0}, {"min_duration": -1}, {"cool": 1}):
        with pytest.raises(ValidationError):
            Post.model_validate(wrong)
