"""Models come to a running bench and go, and what one decided on can be explained in another process."""

from pathlib import Path

import numpy as np
import pytest
from model_boards import batch, contract, network, readings, split

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.events import Arrival, Prediction
from hil.config import ModelConfig
from hil.models.explained import explained
from hil.models.model import load_model
from hil.models.package import write_package
from hil.models.seen import seen_in
from hil.pipeline.pipeline import Pipeline
from hil.serving.bench import ModelBench
from hil.serving.boardsaid import BoardSaid
from hil.serving.shelf import models_in
from hil.serving.stage import ModelStage
from hil.views.message import pack, unpack

OPLIST = Path(__file__).resolve().parents[2] / "firmware_bridge" / "firmware" / "exercise-small.hiln"


class Nothing:
    """A source from which nothing comes."""

    jumps = 0
    ended = False

    def take(self, max_wait_s: float = 0.0) -> list[Arrival]:
        return []

    def close(self) -> None:
        pass


def saved(path: Path, **changes: object) -> Path:
    weights = {name: value.numpy() for name, value in network().state_dict().items()}
    write_package(path, contract(**changes), weights)
    return path


class Place:
    """A bench without boards, whose recordings are counted by hand."""

    def __init__(self) -> None:
        self.models: list[ModelStage] = []
        self.pipeline = Pipeline(Nothing())
        self.recorded = (0, False)
        self.bench = ModelBench(self.models, self.pipeline, None, BoardSaid(self.models), lambda: self.recorded)

    def load(self, path: Path) -> ModelStage:
        self.bench.load(ModelConfig(path=str(path)), wait=True)
        return self.models[-1]


def test_a_model_is_loaded_beside_another_and_unloaded_again(tmp_path: Path) -> None:
    place = Place()
    stage = place.load(saved(tmp_path / "one.hilmodel", name="one"))
    place.load(saved(tmp_path / "two.hilmodel", name="two"))
    assert [one.name for one in place.models] == ["one", "two"]
    assert place.pipeline.stages == place.models
    with pytest.raises(UsageError, match="a model called one runs already; unload that one first"):
        place.load(tmp_path / "one.hilmodel")
    assert place.bench.unload("one")["sentence"].startswith("one is unloaded")
    assert stage not in place.pipeline.stages
    assert place.bench.memory("two") == place.models[0].memory
    with pytest.raises(UsageError, match="there is no model 'one'; name one that runs: two"):
        place.bench.unload("one")


def test_a_recording_never_holds_decisions_of_a_model_with_a_hole(tmp_path: Path) -> None:
    place = Place()
    path = saved(tmp_path / "one.hilmodel", name="one")
    place.recorded = (1, True)
    place.load(path)
    place.bench.unload("one")
    with pytest.raises(UsageError, match="its decisions would have a hole; stop the recording first"):
        place.load(path)
    place.recorded = (2, True)
    assert place.load(path).state == "ready"


def test_what_is_no_model_is_refused_in_a_sentence_and_nothing_is_loaded(tmp_path: Path) -> None:
    place = Place()
    (tmp_path / "odd.hilmodel").write_bytes(b"PK nothing of the kind")
    for name in ("odd", "absent"):
        with pytest.raises(FileError, match="choose another file"):
            place.bench.load(ModelConfig(path=str(tmp_path / f"{name}.hilmodel")))
    assert place.models == []


def test_what_a_live_decision_saw_is_explained_as_if_it_had_been_recorded(tmp_path: Path) -> None:
    place, path = Place(), saved(tmp_path / "one.hilmodel", name="one")
    stage, given = place.load(path), batch(readings(600))
    said: list[Prediction] = []
    for part in split(given, [50] * 11):
        arrival = Arrival(part.board, 0, int(part.t_ns[-1]), "rx", b"", (part,))
        said += [one for made in stage.process([arrival]) for one in made.items if isinstance(one, Prediction)]
    chosen = said[-3]
    made_on = unpack(pack(place.bench.seen("one", chosen.board, chosen.t_ns)))  # as it goes to another process
    (seen,) = seen_in(load_model(path), split(given, [50] * 11), chosen.t_ns)
    np.testing.assert_array_equal(made_on["window"], seen.window)
    np.testing.assert_array_equal(made_on["t_ns"], seen.t_ns)
    found = unpack(pack(explained(made_on)))
    assert (found["label"], found["decided_ns"], found["to_s"]) == (chosen.label, chosen.t_ns, 0.0)
    assert found["completeness"]["relative"] < 0.01
    newest = place.bench.seen("one", chosen.board)
    assert newest["decided_ns"] == said[-1].t_ns
    for board, t_ns in (("nobody", None), (chosen.board, chosen.t_ns + 1)):
        with pytest.raises(UsageError, match="is not kept any more, or it has decided nothing there yet"):
            place.bench.seen("one", board, t_ns)


def test_model_files_are_found_two_folders_deep_and_say_what_they_are(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    (deep / "c").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    saved(deep / "one.hilmodel", name="one")
    saved(deep / "c" / "too-deep.hilmodel", name="deep")
    saved(tmp_path / ".hidden" / "hidden.hilmodel", name="hidden")
    (tmp_path / "alone.onnx").write_bytes(b"")
    (tmp_path / "odd.hilmodel").write_bytes(b"")
    (tmp_path / "board.hiln").write_bytes(OPLIST.read_bytes())
    (tmp_path / "none.hiln").write_bytes(b"HILN")
    found = {one.name: one for one in models_in([tmp_path, tmp_path])}
    assert sorted(found) == ["board", "none", "odd", "one"]
    assert found["board"].network == "200 x 6 i2, 7 outputs"
    assert "a board would refuse it" in found["none"].trouble
    assert found["one"].labels == tuple(contract().labels)
    assert found["one"].trouble == ""
    assert "no .hilmodel file" in found["odd"].trouble
