"""Opens what `hil parity` compares: models, recordings and boards.

Rule of this room: files and ports are opened here and nowhere else in these rooms; what is in them is judged elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from firmware_bridge.oplist.reference import Int8
from firmware_bridge.streams import BoardInfo, Stream
from hil.dialogue.onboard import Deployed, OnBoard
from hil.models.int8.deploy import columns_of, deploy
from hil.models.int8.placed import as_sent_by, meant
from hil.models.model import Model
from hil.models.windows import Windows, joined, windows_of
from hil.parity.boards import BoardParity, judge_board, some_of
from hil.parity.cost import Cost, cost_of
from hil.parity.printed import printed_in
from hil.parity.readings import readings_in
from hil.parity.scores import ScoreParity, judge_scores
from hil.recording.reader import Recording

__all__ = [
    "COUNTING", "TAKES_NETWORKS", "BoardRun", "cost_on", "parity_of_board", "parity_of_scores", "windows_in",
]  # fmt: skip

COUNTING = "firmware://qemu?icount=5"
"""The emulated board that counts its instructions."""

TAKES_NETWORKS = ("qemu", "unicorn", "native")
"""Kinds of emulated boards with memory for a network, the nearest to real hardware first."""

_COSTED = 20
"""Windows whose cost is asked, besides the one that is repeated."""


@dataclass(frozen=True, slots=True)
class BoardRun:
    """A comparison with a board, and what it was made on.

    Attributes:
        found: What became of it.
        cost: What the network costs there; None where it was not asked.
        port: Where the board was.
        info: Who it was.
        stream: Stream of it that the network reads.
        calibrated_on: Windows that the ranges in 8 bits come from.
    """

    found: BoardParity
    cost: Cost | None
    port: str
    info: BoardInfo
    stream: str
    calibrated_on: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        who = {"model": self.info.model, "serial": self.info.serial, "firmware": self.info.firmware}
        cost = None if self.cost is None else self.cost.as_dict()
        rest = {"port": self.port, "board": who, "stream": self.stream, "calibrated_on": self.calibrated_on}
        return self.found.as_dict() | rest | {"cost": cost}


def parity_of_scores(
    model: Model, path: str | Path, stream: str, board: str | None = None, key: str | None = None
) -> ScoreParity:
    """Compare the scores that a board said itself with a model on its recorded readings.

    Args:
        model: The model.
        path: A recording of both.
        stream: Stream of scores, or `RESULT` for the board's own messages.
        board: Role of the board; None: the first with the readings that the model reads.
        key: Channel of the scores that holds the number of the window's last sample; None: `sample`, if there is one.

    Raises:
        UsageError: No stream fits, or no score belongs to a whole window.
        FileError: The recording cannot be read.
    """
    role = board if board is not None or "/" not in stream else stream.partition("/")[0]
    with Recording(path) as recording:
        readings = readings_in(recording, model.contract, role)
        printed = printed_in(recording, model.contract, readings.board, stream, key)
    return judge_scores(model, readings, printed)


def windows_in(model: Model, paths: Sequence[str | Path], board: str | None = None) -> Windows:
    """Return the windows that a model decides on in recordings of one kind of board.

    Raises:
        UsageError: No stream fits, or the recordings are of several kinds of board.
        FileError: A recording cannot be read.
    """
    parts = []
    for path in paths:
        with Recording(path) as recording:
            parts.append(windows_of(recording, model.contract, board))
    return joined(parts, str(paths[-1]))


def parity_of_board(
    model: Model, windows: Windows, port: str, *, calibration: Windows | None = None, repeat: int = 0, seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> BoardRun:  # fmt: skip
    """Put a model on a board and compare its answers to windows with the reference's and the model's.

    Args:
        model: The model.
        windows: What is asked.
        port: Where the board is.
        calibration: Windows that the ranges in 8 bits come from; None: those that are asked.
        repeat: How often the first window is run again for its cost; 0: its cost is not asked.
        seed: Where the ids of windows begin.
        progress: Called with the share that is done, 0 to 1.

    Raises:
        UsageError: The board has no stream that the model reads, or refuses model or windows.
        NoAnswer: It does not answer.
        TransportError: It cannot be opened, or went away.
    """
    with OnBoard.open(port, seed=seed) as board:
        stream = meant(model.contract, board.info)
        made = deploy(model, windows if calibration is None else calibration, onto=stream)
        # What the board can hold of a reading is what all three are asked about.
        asked = _as_sent(windows, stream, model)
        held = board.deploy(made.blob)
        count = len(asked)
        answers = board.infer(asked.raw, stream.name, None if progress is None else lambda done: progress(done / count))

        def tap(window: int, layer: int) -> Int8 | None:
            return board.tap(asked.raw[window], layer, stream.name)

        found = judge_board(model, made.oplist, asked, answers, tap)
        cost = _cost(board, asked, held, repeat) if repeat else None
        return BoardRun(found, cost, port, board.info, stream.name, made.calibrated_on)


def cost_on(model: Model, windows: Windows, port: str, repeat: int = 0, count: int = _COSTED) -> Cost:
    """Put a model on a board and say what it costs there.

    Args:
        model: The model.
        windows: What its ranges come from, and what some windows are asked of.
        port: Where the board is.
        repeat: How often the first window is run again.
        count: Windows that are asked, spread evenly.

    Raises:
        UsageError: The board has no stream that the model reads, or refuses model or windows.
        NoAnswer: It does not answer.
        TransportError: It cannot be opened, or went away.
    """
    with OnBoard.open(port) as board:
        stream = meant(model.contract, board.info)
        made = deploy(model, windows, onto=stream)
        return _cost(board, _as_sent(windows, stream, model), board.deploy(made.blob), repeat, count)


def _as_sent(windows: Windows, stream: Stream, model: Model) -> Windows:
    """Return windows as a board's stream holds them."""
    raw = as_sent_by(stream, windows.stream.values(windows.raw)).reshape(*windows.raw.shape[:2], -1)
    return replace(windows, stream=stream, picked=columns_of(model.contract, stream), raw=raw)


def _cost(board: OnBoard, windows: Windows, held: Deployed, repeat: int, count: int = _COSTED) -> Cost:
    """Ask windows one after the other, so that none comes in while another is computed."""
    name = windows.stream.name
    few = some_of(windows, count)
    began = time.perf_counter()
    each = [board.infer(one[None], name)[0] for one in few.raw]
    same = [board.infer(few.raw[:1], name)[0] for _ in range(repeat)]
    seconds = time.perf_counter() - began
    return cost_of(each, same, ram_bytes=held.arena_bytes, flash_bytes=held.blob_bytes, seconds=seconds,
                   tick_hz=windows.stream.tick_hz)  # fmt: skip
