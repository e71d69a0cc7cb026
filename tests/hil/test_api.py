"""The Python API: small, typed, and free to import."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from engines import Unhurried

import hil
from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Connected
from firmware_bridge.streams import Stream
from hil.recording.header import BoardSetup, Header
from hil.recording.writer import RecordingWriter

HEAVY = {"torch", "textual", "scipy", "numpy", "serial", "mcap", "zstandard", "pandas", "onnxruntime", "typer", "rich"}


def loaded_by(code: str) -> set[str]:
    """Return the names of all modules that a fresh Python has loaded after some code."""
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(' '.join(sys.modules))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(run.stdout.split())


def test_importing_hil_loads_nothing_heavy() -> None:
    assert not HEAVY & loaded_by("import hil; dir(hil)")


def test_opening_a_recording_loads_neither_torch_nor_textual_nor_scipy(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.mcap")
    code = f"import hil\nwith hil.open({str(path)!r}) as r: r.read('watch', 'imu').values"
    assert not {"torch", "textual", "scipy", "serial", "mcap", "pandas"} & loaded_by(code)


def recorded(path: Path) -> Path:
    stream = Stream("imu", ("ax", "ay"), ("g", "g"), "<i2", (2,), 100.0, (0.5,))
    raw = np.arange(400, dtype="<i2").reshape(200, 2)
    ticks = np.arange(200, dtype=np.int64) * 10_000
    t_ns = 1_700_000_000_000_000_000 + ticks * 1000
    writer = RecordingWriter(path, Header(int(t_ns[0]), (BoardSetup("watch"),)))
    batch = Batch("watch", stream, 0, 0, ticks, t_ns, raw)
    writer.write(Arrival("watch", 0, int(t_ns[-1]), "note", b"", (batch,)))
    writer.close()
    return path


def test_open_gives_arrays_and_frames_by_name_and_time(tmp_path: Path) -> None:
    with hil.open(recorded(tmp_path / "a.mcap")) as recording:
        arrays = recording.read("watch", "imu", 0.5, 1.0)
        assert (len(arrays), arrays.first) == (50, 50)
        assert arrays.values[0].tolist() == [50.0, 50.5]
        assert np.array_equal(recording["imu"].raw, recording["watch/imu"].raw)
        with pytest.raises(KeyError, match="it has watch/imu"):
            recording["ppg"]
        frame = recording.frame("watch", "imu", 0.5, 1.0)
        assert frame["ax"].iloc[0] == 50.0
        assert frame.index[0] == pytest.approx(0.5)
        assert (recording.marks, recording.predictions()) == ((), ())


def test_connect_iterates_batches_and_events() -> None:
    seen: list[object] = []
    with hil.connect("board=virtual://imu?seed=7&tx_buffer=100000000") as bench:  # it waits for us, however long
        for item in bench:
            seen.append(item)
            if isinstance(item, Batch) and item.end > 50:
                break
        assert [state.role for state in bench.boards()] == ["board"]
    assert isinstance(seen[0], Connected)
    batches = [item for item in seen if isinstance(item, Batch)]
    assert [batch.first for batch in batches[1:]] == [batch.end for batch in batches[:-1]]


def test_listen_ends_after_its_seconds() -> None:
    clock = Unhurried()
    items: list[object] = []
    with hil.connect("board=virtual://imu?seed=7", clock=clock) as bench:
        for _ in range(1000):
            began = clock.now_ns()
            items += bench.listen(seconds=0.1)
            assert clock.now_ns() - began >= 100_000_000
            if sum(len(item) for item in items if isinstance(item, Batch)) > 50:
                break
        else:
            pytest.fail("the board said next to nothing")
    assert isinstance(items[0], Connected)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'frobnicate'"):
        hil.frobnicate  # noqa: B018
    assert {"open", "connect", "load_model", "save_model"} <= set(dir(hil))
