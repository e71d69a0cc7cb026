"""Readings kept in a file teach the same model, and a training needs no more memory where there are more of them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_model_window_data import folder as recorded
from test_net_training import waves

from firmware_bridge.errors import FileError
from hil.models.datasets import Dataset, digest, load_dataset
from hil.models.spool import Spool
from hil.models.train import train
from hil.models.training_config import load_config

MIB = 1 << 20


def same(one: Dataset, other: Dataset) -> bool:
    return digest(one.series) == digest(other.series) and one.labels == other.labels and one.people == other.people


def test_what_is_kept_is_the_same_numbers_and_lies_in_files(tmp_path: Path) -> None:
    spool, chance = Spool(tmp_path, segment=1000), np.random.default_rng(0)
    given = [chance.standard_normal((count, 3)).astype(np.float32) for count in (5, 50, 400, 0, 1)]
    kept = [spool.keep(one) for one in given]
    whole = spool.keep(np.arange(7))
    assert all(np.array_equal(one, other) for one, other in zip(given, kept, strict=True))
    assert whole.tolist() == list(range(7))
    for one in (*kept[:3], whole):
        base = one
        while base.base is not None and not isinstance(base, np.memmap):
            base = base.base
        assert isinstance(base, np.memmap)
    assert not list(tmp_path.iterdir())  # nothing is left behind, however the process ends


def test_recordings_kept_in_a_file_are_those_of_memory(tmp_path: Path) -> None:
    config = recorded(tmp_path)
    assert same(load_dataset(config, tmp_path), load_dataset(config, tmp_path, Spool(tmp_path)))


def test_a_folder_without_room_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="64 MiB cannot be kept there"):
        Spool(tmp_path / "none").keep(np.zeros(3))


@pytest.mark.training
def test_a_model_learnt_from_a_file_is_the_model_learnt_from_memory(tmp_path: Path) -> None:
    config = load_config(waves(tmp_path))
    kept = load_dataset(config.data, tmp_path, Spool(tmp_path))
    models = [train(config, one, ["4"]) for one in (load_dataset(config.data, tmp_path), kept)]
    assert models[0].sha256 == models[1].sha256


@pytest.mark.training
def test_the_verb_trains_from_a_file_for_as_many_epochs_as_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from hil.cli import app

    config = waves(tmp_path)
    for name, more in (("memory", []), ("file", ["--spool", str(tmp_path)])):
        output = str(tmp_path / f"{name}.hilmodel")
        app(["train", str(config), "-o", output, "--epochs", "2", "--json", "-q", *more], standalone_mode=False)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert (tmp_path / "memory.hilmodel").read_bytes() == (tmp_path / "file.hilmodel").read_bytes()
    assert told[0]["metrics"] == told[1]["metrics"]
    curves = json.loads((tmp_path / "file.training.json").read_text())
    assert [len(one["epochs"]) for one in curves["stages"]] == [2]
    with pytest.raises(FileError, match="cannot be kept there"):
        app(["train", str(config), "-o", str(tmp_path / "x.hilmodel"), "--spool", str(tmp_path / "no")],
            standalone_mode=False)  # fmt: skip


CHILD = """
import resource, sys
from pathlib import Path
import numpy as np, torch
from hil.models.datasets import Dataset, Series
from hil.models.spool import Spool
from hil.models.train import train
from hil.models.training_config import load_config
folder, each, people, spooled = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "file"
torch.set_num_threads(1)
config = load_config(folder / "waves.toml")
config = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 1, "crop": 20000})})
spool, series = Spool(folder), []
held = int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmData"))) << 10
resource.setrlimit(resource.RLIMIT_DATA, (held + int(sys.argv[5]), resource.RLIM_INFINITY))
for who in range(people):
    values = np.random.default_rng(who).standard_normal((each, 3), np.float32)
    labels = np.arange(each) // 1000 % 2
    if spooled:
        values, labels = spool.keep(values), spool.keep(labels)
    series.append(Series(str(who), values, labels, str(who)))
dataset = Dataset(tuple(series), ("x", "y", "z"), ("g", "g", "g"), 50.0, ("fast", "slow"))
print(train(config, dataset, ["0"]).sha256)
"""


def child(tmp_path: Path, each: int, people: int, where: str, room: int) -> subprocess.CompletedProcess[str]:
    """Train in a process that may take `room` bytes of memory beyond what the program itself took."""
    command = [sys.executable, "-c", CHILD, str(tmp_path), str(each), str(people), where, str(room)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit of a process is one of Linux")
def test_readings_larger_than_the_memory_that_a_process_may_take_are_learnt_from(tmp_path: Path) -> None:
    """687 MiB of readings and labels with 512 MiB of room; from memory it ends for want of it (negative control)."""
    waves(tmp_path)
    each, people, room = 2_000_000, 18, 512 * MIB
    assert each * people * (3 * 4 + 8) > 1.3 * room
    made = child(tmp_path, each, people, "file", room)
    assert made.returncode == 0, made.stderr[-2000:]
    assert len(made.stdout.strip()) == 64
    refused = child(tmp_path, each, people, "memory", room)
    assert refused.returncode != 0
    assert "MemoryError" in refused.stderr or "allocate" in refused.stderr
