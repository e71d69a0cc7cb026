"""What is generated is used: as a recording, as a board, in a training; and never taken for what somebody did."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from generate_toy import LABELS, RATE, learnt, toy

import hil
from firmware_bridge.batch import Batch
from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.events import Arrival, Connected, Item, Log
from firmware_bridge.virtual.board import VirtualBoard
from firmware_bridge.wire.dialect import DialectSpec
from firmware_bridge.wire.dialects import make_dialect
from firmware_bridge.wire.protocol import Session
from hil.models.data_config import DataConfig, NpzLayout
from hil.models.datasets import Dataset, Series
from hil.models.evaluate import judge
from hil.models.generate.file import write_generator
from hil.models.generate.generator import Generator, Wish, load_generator
from hil.models.generate.mixing import PERSON, generated_for
from hil.models.generate.record import generated_recording
from hil.models.generate.style import style_in
from hil.models.nets.choice import TcnChoice
from hil.models.package import read_package
from hil.models.train import trained
from hil.models.training_config import GeneratedShare, TrainConfig, Training
from hil.virtual.generated import SHIPPED, make

pytestmark = pytest.mark.training
T0 = 1_700_000_000_000_000_000


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("generator") / "toy.hilmodel"
    write_generator(path, learnt())
    return path


# ---- a recording -----------------------------------------------------------------------------------------------------


def test_a_recording_says_that_it_is_generated_by_what_and_how_to_make_it_again(tmp_path: Path) -> None:
    generator = Generator(learnt())
    wishes = [Wish("fast"), Wish("slow", "3", 0.2)]
    made = generated_recording(generator, wishes, 2.0, 11, tmp_path / "a.mcap", start_ns=T0)
    assert made.samples == 200
    with hil.open(tmp_path / "a.mcap") as recording:
        assert recording.header.origin == "generated"
        assert recording.header.about["person"] == "generated"
        (setup,) = recording.header.boards
        assert setup.info is not None
        assert setup.info.extra == {"generated": True}
        assert recording.header.seeds == {"generate": 11}
        told = recording.header.extra["generated"]
        assert told["sha256"] == generator.package.sha256
        again = [Wish(one["label"], one["person"], one["noise"]) for one in told["wishes"]]
        arrays = recording.read("watch", "imu")
        values = generator.draw(again, told["samples"], told["seed"]).reshape(-1, 2)
        assert arrays.values.tobytes() == values.tobytes()
        assert [piece.stop - piece.start for piece in arrays.segments] == [100, 100]  # no window straddles two
        assert [(one.text, one.stop_ns - one.start_ns) for one in recording.labels] == [
            ("fast", 2 * 10**9), ("slow", 2 * 10**9),
        ]  # fmt: skip
    with pytest.raises(FileError, match="exists"):
        generated_recording(generator, wishes, 2.0, 11, tmp_path / "a.mcap")


def test_a_style_is_read_off_a_recording_or_the_recording_is_refused(tmp_path: Path) -> None:
    generator = Generator(learnt())
    for name, seconds in (("long", 4.0), ("short", 1.0)):
        generated_recording(generator, [Wish("fast", "3")], seconds, 0, tmp_path / f"{name}.mcap")
    with hil.open(tmp_path / "long.mcap") as recording:
        values = recording.read("watch", "imu").values
        assert np.array_equal(style_in(generator, recording), generator.style_of(values))
    with hil.open(tmp_path / "short.mcap") as recording, pytest.raises(UsageError, match="for 64 samples"):
        style_in(generator, recording)


# ---- a board ---------------------------------------------------------------------------------------------------------


def heard(board: VirtualBoard, seconds: float) -> list[Item]:
    """Everything that a host makes of a board's bytes."""
    session = Session("watch", make_dialect(DialectSpec("native")), nonce=5)
    board.receive(b"", T0)
    items = list(session.apply(Arrival("watch", 0, T0, "open", b"virtual://")).items)
    for number in range(1, round(seconds * 20)):
        now = T0 + number * 50_000_000
        say, _ = session.due(now)
        board.receive(say, now)
        items += session.apply(Arrival("watch", number, now, "rx", board.poll(now))).items
    return items


def test_a_board_plays_without_end_what_the_generator_makes_and_says_what_it_is(file: Path) -> None:
    seconds = 5.12  # whole half windows
    items = heard(make({"model": str(file), "class": "fast", "seed": "3", "seconds": str(seconds)}), 2.3 * seconds)
    (info,) = (item.info for item in items if isinstance(item, Connected))
    assert info.extra["generated"] == {
        "generator": "toy", "sha256": learnt().sha256, "class": "fast", "person": "", "noise": 0.0, "seed": 3,
    }  # fmt: skip
    assert info.model == "hil-generated"
    assert [item.text for item in items if isinstance(item, Log)] == ["label: fast"]
    values = np.concatenate([item.values for item in items if isinstance(item, Batch)])
    (loop,) = Generator(learnt()).draw([Wish("fast")], 256, 3, loop=True)
    assert len(values) > 2 * len(loop)
    assert np.array_equal(values, np.resize(loop, values.shape))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"class": "jump"}, "ask for slow, fast"),
        ({"person": "2"}, "nobody called '2'"),
        ({"rate": "100"}, "leave it out (50 Hz)"),
        ({"clas": "fast"}, "did you mean class?"),
        ({"noise": "3"}, "use 0 to 0.5"),
    ],
)
def test_a_board_that_cannot_be_is_refused_in_a_sentence(file: Path, given: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        make({"model": str(file), **given})
    assert words in str(caught.value)
    with pytest.raises(FileError, match="cannot be read"):
        make({"model": str(file.with_name("none.hilmodel"))})


def test_the_shipped_generator_makes_what_the_shipped_model_tells_apart() -> None:
    """Both learnt from the same eight people; neither has met the other."""
    generator = load_generator(SHIPPED)
    assert generator.contract.lineage["held_out"] == ["9", "10"]
    assert "BSD" in generator.contract.card.data_licence
    assert SHIPPED.stat().st_size < 200_000
    model = read_package(SHIPPED.with_name("exercise.hilmodel"))
    assert generator.contract.labels == model.contract.labels
    wishes = [Wish(label) for label in generator.contract.labels for _ in range(2)]
    made = generator.draw(wishes, 600, seed=1)
    series = [
        Series("generated", values, np.full(600, model.contract.labels.index(wish.label)), "generated")
        for wish, values in zip(wishes, made, strict=True)
    ]
    assert judge(model, series).score(len(model.contract.labels)).accuracy > 0.6  # by chance: 0.14


# ---- a training ------------------------------------------------------------------------------------------------------


def config(model: Path, **share: object) -> TrainConfig:
    npz = NpzLayout(file="toy.npz", units=("g", "g"), rate_hz=RATE)
    return TrainConfig(
        name="net", window=40, hop=20, data=DataConfig(npz=npz), architecture=TcnChoice(channels=8, dilations=(1, 2)),
        training=Training(epochs=2, batch=8, crop=80, every=20),
        generated=GeneratedShare(model=model.name, **share) if share else None,
    )  # fmt: skip


def test_generated_readings_change_what_is_learnt_and_nothing_else(file: Path) -> None:
    plain = trained(config(file), toy(), ["2"], folder=file.parent)
    mixed = trained(config(file, share=0.5), toy(), ["2"], folder=file.parent)
    again = trained(config(file, share=0.5), toy(), ["2"], folder=file.parent)
    assert mixed.package.sha256 == again.package.sha256
    assert not np.array_equal(mixed.package.weights["head.weight"], plain.package.weights["head.weight"])
    one, other = plain.package.contract, mixed.package.contract
    assert other.inputs == one.inputs  # normalised by real readings
    assert other.lineage["trained_on"] == ["1", "3"]
    assert other.lineage["generator_sha256"] == learnt().sha256
    assert other.training_data_sha256 == one.training_data_sha256
    assert "generator_sha256" not in one.lineage


@pytest.mark.parametrize(
    ("dataset", "held_out", "words"),
    [
        (toy(), ["1"], "has learnt from 1, whom this training holds out"),
        (replace(toy(), units=("g", "m/s2")), ["2"], "the data have others"),
        (replace(toy(), rate_hz=100.0), ["2"], "the data have others"),
        (replace(toy(), labels=(*LABELS[:1], "other")), ["2"], "does not know other"),
    ],
)
def test_a_generator_that_does_not_fit_or_has_met_who_is_held_out_is_refused(
    file: Path, dataset: Dataset, held_out: list[str], words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        trained(config(file, share=0.3), dataset, held_out, folder=file.parent)
    assert words in str(caught.value)


def test_a_share_is_that_share_and_each_class_has_as_much(file: Path) -> None:
    share = GeneratedShare(model=file.name, share=0.75)
    series, digest = generated_for(share, toy(), 2400, ["2"], 0, file.parent)
    assert digest == learnt().sha256
    assert sum(len(item.values) for item in series) == 7200
    assert [sum(item.labels[0] == kind for item in series) for kind in (0, 1)] == [3, 3]
    assert {item.person for item in series} == {PERSON}
