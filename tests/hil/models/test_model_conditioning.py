"""A stream of other units, axes or rate: the same numbers live, offline and however it comes in pieces."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_boards import SHAPE, STREAM, contract, gap, network, readings, split

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival, Connected, Item
from firmware_bridge.streams import BoardInfo, Stream
from hil.models.conditioning import Conditioned, ratio_of, source_of
from hil.models.contract import Contract, parse_contract
from hil.models.data_config import Conditioning, DataConfig, RecordingEntry
from hil.models.labelled import load_recordings
from hil.models.model import Model
from hil.models.package import pack, unpack
from hil.models.windows import windows_of
from hil.recording.header import BoardSetup, Header
from hil.recording.marks import Label
from hil.recording.reader import Recording
from hil.recording.writer import RecordingWriter
from hil.scenario.evidence.evidence import BoardEvidence
from hil.scenario.metrics.decisions import ModelEvidence, verdicts

FAST = Stream("imu", ("x", "y", "w"), ("m/s2", "m/s2", "deg/s"), "<i2", (3,), 100.0, scale=(1 / 500, 1 / 500, 1 / 16))
HOW = Conditioning(units="convert", rate="resample", axes={"ax": "-y", "ay": "x", "wz": "w"})
WANTED = [("ax", "g"), ("ay", "g"), ("wz", "rad/s")]


def intake(rate_hz: float = 50.0, stream: Stream = FAST) -> Conditioned:
    return Conditioned(stream, WANTED, rate_hz, HOW, "a/imu")


def sent(raw: np.ndarray, first: int = 0, stream: Stream = FAST) -> Batch:
    period = round(1e9 / (stream.rate_hz or 1.0))
    ticks = np.arange(first, first + len(raw), dtype=np.int64)
    return Batch("a", stream, 0, first, ticks, ticks * period, raw)


def model(**changes: object) -> Model:
    weights = {name: value.numpy() for name, value in network().state_dict().items()}
    return Model(unpack(pack(contract(conditioning=HOW, **changes), weights), "small"))


@settings(max_examples=40)
@given(
    cuts=st.lists(st.integers(1, 399), max_size=8), first=st.integers(0, 50), rate=st.sampled_from([50, 40, 75, 150])
)
def test_resampled_readings_do_not_depend_on_how_they_came(cuts: list[int], first: int, rate: int) -> None:
    whole = sent(readings(400), first)
    expected = intake(rate).batch(whole)
    assert expected is not None
    one = intake(rate)
    made = [part for piece in split(whole, cuts) if (part := one.batch(piece)) is not None]
    assert [part.first for part in made[1:]] == [part.end for part in made[:-1]]
    assert np.concatenate([part.raw for part in made]).tobytes() == expected.raw.tobytes()
    assert np.array_equal(np.concatenate([part.t_ns for part in made]), expected.t_ns)
    numbers = [source_of(number, ratio_of(100.0, rate)) for number in range(expected.first, expected.end)]  # type: ignore[arg-type]
    assert np.array_equal(expected.ticks, numbers)  # a resampled sample is dated by the one that completed it


def test_what_rests_stays_what_it_is_and_what_the_slower_rate_cannot_hold_is_gone() -> None:
    t = np.arange(1000) / 100
    still = np.full(1000, 4903)
    for hertz, least, most in ((3.0, 0.9, 1.05), (40.0, 0.0, 0.01)):
        raw = np.stack((still, 4000 * np.sin(2 * np.pi * hertz * t), still), 1).astype(np.int16)
        made = intake().batch(sent(raw))
        assert made is not None
        assert np.allclose(made.raw[:, 1], 4903 / 500 / 9.80665, rtol=1e-6)
        assert np.allclose(made.raw[:, 2], np.radians(4903 / 16), rtol=1e-6)
        assert least <= np.abs(made.raw[100:, 0]).max() * 9.80665 / 8 <= most


def test_units_and_axes_alone_keep_the_raw_readings() -> None:
    raw = readings(20)
    made = Conditioned(FAST, WANTED, 100.0, HOW, "a").batch(sent(raw))
    assert made is not None
    assert made.raw.dtype == np.int16
    assert (made.stream.channels, made.stream.units) == (("ax", "ay", "wz"), ("g", "g", "rad/s"))
    assert np.allclose(made.values[:, 0], -raw[:, 1] / 500 / 9.80665)
    assert np.allclose(made.values[:, 2], np.radians(raw[:, 2] / 16))


def record(path: Path, items: list[Item], stream: Stream = FAST) -> Path:
    info = BoardInfo("m", "1", "f", (stream,), "native")
    writer = RecordingWriter(path, Header(0, (BoardSetup("a", "", None, 1, info),), about={"person": "Ada"}))
    writer.write(Arrival("a", 0, 0, "open", b"virtual://a", (Connected("a", 0, info, 0),)))
    for seq, item in enumerate(items, 1):
        writer.write(Arrival("a", seq, seq, "rx", b"x", (item,)))
    writer.close()
    return path


def test_a_conditioned_board_decides_alike_live_and_from_its_recording_and_numbers_its_own_samples(
    tmp_path: Path,
) -> None:
    raw = readings(700)
    lost = replace(gap(300, 7), stream="imu")
    items: list[Item] = [sent(raw[:300]), lost, sent(raw[307:], 307)]
    one = model()
    live = one.runner().push([Connected("a", 0, BoardInfo("m", "", "", (FAST,), "native"), 0), *items])
    pieces: list[Item] = [*split(sent(raw[:300]), [1, 2, 57, 133]), lost, *split(sent(raw[307:], 307), [100, 101])]
    runner = one.runner(boards=["a"])
    made = [decision for piece in pieces for decision in runner.push([piece])]
    assert made == live
    assert live
    assert {(decision.sample + 1) % (2 * one.contract.hop) for decision in live} == {0}
    assert not any(300 <= decision.sample < 307 + 2 * SHAPE.memory for decision in live)
    assert runner.coverage["a", "imu"].missed > 0
    path = record(tmp_path / "a.mcap", items)
    assert one.predict(path) == live
    with Recording(path) as recording, pytest.raises(UsageError, match="conditioned"):
        windows_of(recording, one.contract)


def test_training_reads_what_the_executor_will_read(tmp_path: Path) -> None:
    raw = readings(500)
    record(tmp_path / "a.mcap", [sent(raw[:200]), replace(gap(200, None), stream="imu"), sent(raw[200:], 200)])
    slow = readings(300, seed=1)
    record(tmp_path / "b.mcap", [sent(slow, stream=replace(STREAM, channels=("x", "y", "w")))], STREAM)
    config = DataConfig(
        recordings=(
            RecordingEntry(file="a.mcap", person="Ada", label="A"),
            RecordingEntry(file="b.mcap", person="Bob", label="B"),
        ),
        channels=("ax", "ay", "wz"), units=("g", "g", "rad/s"), rate_hz=50.0, conditioning=HOW,
    )  # fmt: skip
    dataset = load_recordings(config, tmp_path)
    expected = [intake().batch(sent(raw[:200])), intake().batch(sent(raw[200:], 200))]
    assert [item.values.tobytes() for item in dataset.series[:2]] == [one.raw.tobytes() for one in expected if one]
    assert (dataset.rate_hz, dataset.people) == (50.0, ("Ada", "Bob"))
    assert np.array_equal(dataset.series[2].values[:, 0], -dataset_values(slow)[:, 1])
    with pytest.raises(UsageError, match=r"conditioning"):
        load_recordings(config.model_copy(update={"conditioning": Conditioning(axes=HOW.axes)}), tmp_path)


def dataset_values(raw: np.ndarray) -> np.ndarray:
    return STREAM.values(raw)


def test_what_is_not_declared_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be made"):
        intake(50.0, replace(FAST, rate_hz=47.3123))
    with pytest.raises(UsageError, match="no one channel y"):
        intake(50.0, replace(FAST, channels=("x", "z", "w")))
    with pytest.raises(UsageError, match="'g'"):
        intake(50.0, replace(FAST, units=("uT", "m/s2", "deg/s")))
    plain = Model(unpack(pack(contract(), {n: v.numpy() for n, v in network().state_dict().items()}), "small"))
    assert plain.runner().push([sent(readings(400))]) == []
    with pytest.raises(UsageError):
        plain.runner(boards=["a"]).push([sent(readings(400), stream=replace(FAST, channels=("ax", "ay", "wz")))])


def test_a_contract_without_conditioning_is_written_as_ever_and_one_with_it_comes_back_equal() -> None:
    assert '"conditioning"' not in contract().to_json()
    declared = contract(conditioning=HOW)
    assert parse_contract(declared.to_json(), "x") == declared
    with pytest.raises(ValueError, match="no input"):
        Contract.model_validate({**contract().model_dump(by_alias=True), "conditioning": {"axes": {"q": "x"}}})


def test_a_scenario_judges_a_resampled_model_at_the_samples_at_which_it_decides(tmp_path: Path) -> None:
    one = model()
    runner = one.runner()
    made = runner.push([sent(readings(600))])
    promised = one.contract
    evidence = ModelEvidence(
        "small", promised.labels, promised.window, promised.hop, promised.memory_samples, identity=runner.identity()
    )
    evidence.made += made
    board = BoardEvidence("a")
    board.take(sent(readings(600)))
    found = verdicts(evidence, [board], {"a": [Label("A", 0, None)]})
    assert found.last == tuple(decision.sample for decision in made)
    assert [promised.labels[said] for said in found.said] == [decision.label for decision in made]
