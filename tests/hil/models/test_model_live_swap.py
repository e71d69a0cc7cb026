"""A model is loaded and unloaded while a board is recorded: both sides of the file still follow from its bytes."""

from pathlib import Path

import pytest

import hil.models
from firmware_bridge.errors import UsageError
from hil.config import EngineConfig, PortConfig
from hil.engine.engine import Engine
from hil.models.verify import verify
from hil.recording.reader import Recording
from hil.views.view import View

SMALL = Path(hil.models.__file__).parent / "exercise-small.hilmodel"
WATCH = "virtual://watch"
FIGURES = View(envelopes=False, images=False, history=50)


def until(wanted, seconds: float = 150.0) -> None:
    """Wait for what a real board brings about, not for how long."""
    import threading

    tick = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if wanted():
            return
        tick.wait(0.05)
    pytest.fail(f"did not come within {seconds:g} s")


@pytest.mark.slow  # seconds of a real board at 50 Hz
def test_what_was_decided_between_loading_and_unloading_is_reproduced_from_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "swap.mcap"
    with Engine(EngineConfig(ports=(PortConfig(port=WATCH, role="watch"),))) as engine:
        engine.command("record", path=str(path))
        until(lambda: engine.snapshot(FIGURES).boards[0].samples > 100)
        assert engine.command("load_model", path=str(SMALL))["model"] == "exercise-small"
        until(lambda: sum(len(one.history) for one in engine.snapshot(FIGURES).predictions) >= 2)
        engine.command("unload_model", model="exercise-small")
        assert engine.snapshot(FIGURES).predictions == ()
        count = engine.snapshot(FIGURES).boards[0].samples
        until(lambda: engine.snapshot(FIGURES).boards[0].samples > count + 75)
        with pytest.raises(UsageError, match="its decisions would have a hole"):
            engine.command("load_model", path=str(SMALL))
        assert "would have a hole" in engine.snapshot(View()).log[-1].text
    with Recording(path) as recording:
        made = list(recording.predictions("exercise-small"))
    assert len(made) >= 2
    found = verify(path)
    assert found.verdict == "reproduced", found
