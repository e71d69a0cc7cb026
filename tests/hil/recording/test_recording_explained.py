"""Why a decision in a recording was made, by the model on the bench or the one that the recording names."""

from pathlib import Path

import pytest
from recording_live import header, live, record

from firmware_bridge.errors import UsageError
from hil.librarian.explaining import explained_in
from hil.librarian.librarian import Librarian
from hil.recording.reader import Recording

MODELS = Path(__file__).resolve().parents[3] / "hil" / "models"
EXERCISE, OTHER = str(MODELS / "exercise.hilmodel"), str(MODELS / "exercise-small.hilmodel")

pytestmark = pytest.mark.training  # torch and captum are loaded


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A recording that says which model ran, and where its file was."""
    head = header(models={"exercise": {"file": EXERCISE}})
    made = record(tmp_path_factory.mktemp("why") / "a.mcap", live("watch", 8.0, {"pause_s": "0"}), head)
    return str(made)


def test_the_model_that_the_recording_names_explains_and_one_on_the_bench_comes_first(named: str) -> None:
    pytest.importorskip("captum")
    told = Librarian(author="ada").command("explain_in", path=named, at_s=7.0)
    assert (told["model"], told["board"], told["path"]) == ("exercise", "watch", named)
    assert 6.0 < told["t_s"] <= 7.0
    assert explained_in(named, 7.0, [OTHER])["model"] == "exercise-small"


def test_what_is_said_is_what_the_verb_says(named: str) -> None:
    pytest.importorskip("captum")
    from hil.models.carried import carried
    from hil.models.explain import explain
    from hil.models.model import load_model
    from hil.models.seen import seen_at

    model = load_model(EXERCISE)
    with Recording(named) as recording:
        found = carried(explain(model, seen_at(model, recording, 7.0)), model.contract, recording.start_ns)
    told = explained_in(named, 7.0)
    assert {key: told[key] for key in found} == found


def test_without_a_model_and_where_none_decides_a_sentence_says_so(named: str, tmp_path: Path) -> None:
    pytest.importorskip("captum")
    nobody = str(record(tmp_path / "b.mcap", live("imu", 2.0)))
    with pytest.raises(UsageError, match="no model runs on the bench, and the recording names none; load one"):
        explained_in(nobody, 1.0)
    with pytest.raises(UsageError, match="decided nothing"):
        explained_in(named, 0.5)
    with pytest.raises(UsageError, match=r"(?s)exercise-small decided nothing.*exercise decided nothing"):
        explained_in(named, 0.5, [OTHER])
