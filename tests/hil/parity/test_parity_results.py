"""RESULT messages of a board that runs the network on its own samples, recorded along with them."""

from pathlib import Path

import numpy as np
import pytest
from parity_board import SMALL, WATCH

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival, Connected, Event, Reply
from firmware_bridge.streams import BoardInfo
from hil.models import load_model
from hil.models.int8.deploy import deploy
from hil.models.int8.reference import run
from hil.models.model import Model
from hil.parity.run import parity_of_scores, windows_in
from hil.recording.header import BoardSetup, Header
from hil.recording.reader import Recording
from hil.recording.writer import RecordingWriter

START = 10**18


@pytest.fixture(scope="module")
def opened() -> Model:
    return load_model(SMALL)


def recorded(path: Path, opened: Model, order: tuple[int, ...] = (0, 1, 2, 3, 4, 5), keyed_by: int = 1) -> Path:
    """A recording of a board that samples, and says what its 8-bit network makes of them, its columns in an order."""
    with Recording(WATCH) as recording:
        arrays = recording["watch/imu"]
    stream, raw = arrays.stream, np.ascontiguousarray(arrays.raw[:6000])
    oplist = deploy(opened, windows_in(opened, [WATCH])).oplist
    ends = np.arange(249, len(raw) - 4, 50)
    windows = raw[ends[:, None] + np.arange(-199, 1)][..., list(order)]
    outputs = run(oplist, windows)[-1].reshape(len(ends), -1)
    numbers = np.arange(len(raw))
    raw.flags.writeable = False
    batch = Batch("watch", stream, 0, 0, numbers * 20_000, START + numbers * 20_000_000, raw)
    events: list[Event] = [
        Reply("watch", START + (end + 1) * 20_000_000, "RESULT",
              {"keyed_by": keyed_by, "stream": 0, "key": end, "tick": 0, "elapsed": 1, "instructions": 0,
               "layer": 255, "dtype": 0, "n": 7}, row.tobytes())
        for end, row in zip(ends.tolist(), outputs, strict=True)
    ]  # fmt: skip
    writer = RecordingWriter(path, Header(START, (BoardSetup("watch"),)))
    info = BoardInfo("hil-imu6", "1", "", (stream,), "native")
    writer.write(Arrival("watch", 0, START, "note", b"", (Connected("watch", START, info, 0), batch, *events)))
    writer.close()
    return path


def test_the_results_of_a_board_that_is_right_differ_by_quantisation_only(tmp_path: Path, opened: Model) -> None:
    found = parity_of_scores(opened, recorded(tmp_path / "a.mcap", opened), "RESULT")
    assert (found.verdict, found.form, found.join.rule) == ("quantisation", "integers", "sample number"), found.why
    assert len(found.join.rows) == 115
    assert found.agreement.share is not None
    assert found.agreement.share > 0.95


def test_columns_in_another_order_show_through_8_bits(tmp_path: Path, opened: Model) -> None:
    found = parity_of_scores(opened, recorded(tmp_path / "a.mcap", opened, (1, 0, 2, 3, 4, 5)), "RESULT")
    assert found.verdict == "preprocessing", found.why
    assert "in the order ay, ax, az, wx, wy, wz" in found.why


def test_results_about_windows_of_the_host_are_no_scores_of_the_readings(tmp_path: Path, opened: Model) -> None:
    with pytest.raises(UsageError, match="no RESULT about its own samples"):
        parity_of_scores(opened, recorded(tmp_path / "a.mcap", opened, keyed_by=0), "RESULT")
