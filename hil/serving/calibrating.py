"""A model becomes an op list for a board of a running bench, calibrated on what that board sent just now.

The windows go into a recording of their own in a temporary folder, and a process of its own makes the op list of it
(`hil.models.int8.calibrated`): capture neither waits for it nor shares an interpreter with torch.

Rule of this room: too little to calibrate on is refused before anything is begun; where the process gives no answer
that is said, and it never outlives the bench that asked.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firmware_bridge.batch import Batch
from firmware_bridge.errors import BridgeError, FileError, NoAnswer, UsageError
from firmware_bridge.events import Arrival
from firmware_bridge.streams import Stream
from hil.recording.header import Header
from hil.recording.writer import RecordingWriter
from hil.serving.shelf import read_oplist

if TYPE_CHECKING:
    from firmware_bridge.oplist.ops import OpList
    from hil.models.contract import Contract

__all__ = ["Calibrated", "Calibration", "calibration", "contract_of", "whole_windows"]

_LOOK_S = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """What came of it.

    Attributes:
        blob: The op list, as it travels.
        oplist: The same, read.
        hop: Samples between two windows, as the model has it.
        windows: Windows that its ranges come from.
        words: The same for a person.
    """

    blob: bytes
    oplist: "OpList"
    hop: int
    windows: int
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """A model that is to be calibrated.

    Attributes:
        model: Its file.
        role: Of the board that it is for.
        stream: What it will read there.
        batches: What came of it just now; none where recordings are given.
        data: Recordings to calibrate on instead.
        percentile: Share of the values inside a range, in percent; None: the usual one.
        source: What the windows come from, for a person.
    """

    model: Path
    role: str
    stream: Stream
    batches: tuple[Batch, ...]
    data: tuple[str, ...]
    percentile: float | None
    source: str

    def made(self, gone: Callable[[], bool]) -> Calibrated:
        """Make the op list; takes seconds.

        Args:
            gone: Whether nobody waits for it any more.

        Raises:
            BridgeError: It cannot be made, or `gone`.
        """
        with tempfile.TemporaryDirectory(prefix="hil-calibrated-") as folder:
            data, output = list(self.data), Path(folder, "made.hiln")
            if self.batches:
                data = [str(_recorded(Path(folder, "captured.mcap"), self.role, self.batches))]
            request = {"model": str(self.model), "data": data, "stream": self.stream.as_dict(),
                       "percentile": self.percentile, "output": str(output)}  # fmt: skip
            said = _asked(request, str(self.model), gone)
            blob, oplist = read_oplist(output)
        words = (
            "with the ranges that it brings along" if said["brought"]
            else f"calibrated on {said['windows']} windows of {self.source}"
        )  # fmt: skip
        return Calibrated(blob, oplist, int(said["hop"]), int(said["windows"]), words)


def contract_of(path: Path) -> "Contract":
    """Return the contract of a model file, without its network.

    Raises:
        FileError: It is none, or damaged.
    """
    from hil.models.contract import parse_contract
    from hil.models.package import read_package

    if path.suffix != ".onnx":
        return read_package(path).contract
    beside = path.with_suffix(".contract.json")
    try:
        return parse_contract(beside.read_bytes(), str(beside))
    except OSError as error:
        raise FileError(f"it cannot be read ({error.strerror})", str(beside), "put the contract beside it") from None


def calibration(
    model: Path, contract: "Contract", role: str, stream: Stream, batches: Sequence[Batch], data: Sequence[str] = (),
    percentile: float | None = None,
) -> Calibration:  # fmt: skip
    """Return how a model will be calibrated.

    Args:
        model: Its file.
        contract: What it reads.
        role: Of the board that it is for.
        stream: The stream of the board that it will read.
        batches: What came of that stream just now, in order.
        data: Recordings to calibrate on instead.
        percentile: Share of the values inside a range, in percent; None: the usual one.

    Raises:
        UsageError: There are too few windows in what came, or a file is not there.
    """
    from hil.models.int8.calibrated import LEAST, too_few

    if missing := next((file for file in data if not Path(file).is_file()), None):
        raise UsageError("there is no such recording", missing, "name one that is there")
    if data:
        source = ", ".join(Path(file).name for file in data)
        return Calibration(model, role, stream, (), tuple(data), percentile, source)
    same = tuple(one for one in batches if one.stream == stream)
    lasts_s = (int(same[-1].t_ns[-1]) - int(same[0].t_ns[0])) / 1e9 if same else 0.0
    source = f"the last {lasts_s:.1f} s of {role}/{stream.name}"
    if contract.int8 is None:
        count = whole_windows(same, contract.memory_samples, contract.hop)
        if count < LEAST:
            raise too_few(count, source, f"wait until more is there, or give --data FILE ({contract.name} looks "
                          f"at {contract.memory_samples} samples without a gap every {contract.hop})")  # fmt: skip
    return Calibration(model, role, stream, same if contract.int8 is None else (), (), percentile, source)


def whole_windows(batches: Sequence[Batch], memory: int, hop: int) -> int:
    """Return how many windows lie whole in batches: they end at multiples of the hop, none reaches over a gap."""
    count, begin = 0, 0
    for at, one in enumerate(batches):
        before = batches[at - 1] if at else None
        if before is None or (before.boot, before.first + len(before)) != (one.boot, one.first):
            begin = one.first
        first, last = max(one.first, begin + memory - 1) + 1, one.first + len(one)
        count += max(0, last // hop - (first - 1) // hop)
    return count


def _recorded(path: Path, role: str, batches: Sequence[Batch]) -> Path:
    """Write what came as a recording without bytes: imported readings."""
    writer = RecordingWriter(path, Header(int(batches[0].t_ns[0]), origin="capture"))
    try:
        for seq, one in enumerate(batches):
            writer.write(Arrival(role, seq, int(one.t_ns[-1]), "note", b"", (one,)))
    finally:
        writer.close()
    return path


def _asked(request: dict[str, Any], where: str, gone: Callable[[], bool]) -> dict[str, Any]:
    """Have the process answer; see `hil.models.int8.calibrated`."""
    command = [sys.executable, "-m", "hil.models.int8.calibrated"]
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}  # one core is left to capture
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=alone
    ) as process:
        words: str | None = json.dumps(request)
        while True:
            try:
                out, told = process.communicate(words, timeout=_LOOK_S)
                break
            except subprocess.TimeoutExpired:
                words = None
                if gone():
                    process.kill()
                    raise NoAnswer("nobody waits for it any more", where, "deploy it again") from None
    try:
        said: dict[str, Any] = json.loads(out)
    except ValueError:
        last = told.strip().splitlines()[-1:] or [f"exit status {process.returncode}"]
        what = f"the process that calibrates it ended without an answer ({last[0]})"
        raise FileError(
            what, where, "`hil model deploy MODEL --dry-run --data FILE` shows the same by itself"
        ) from None
    if error := said.get("error"):
        kind: type[BridgeError] = UsageError if process.returncode == UsageError.exit_code else FileError
        raise kind(error["what"], error["where"], error["next"])
    return said
