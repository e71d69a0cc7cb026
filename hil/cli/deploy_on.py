"""`hil model deploy MODEL --on PORT`: the network is sent, checked, and let run on the board's own samples."""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import typer

from firmware_bridge.errors import MissingPart, UsageError
from hil.cli.common import print_json, print_table, talk

if TYPE_CHECKING:
    from firmware_bridge.oplist.ops import OpList
    from firmware_bridge.streams import Stream
    from hil.dialogue.onboard import OnBoard
    from hil.models.int8.deploy import Deployment
    from hil.models.int8.placed import Placed
    from hil.models.windows import Windows

__all__ = ["Streamed", "deploy_blob", "deploy_made", "opened_board"]


@dataclass(frozen=True, slots=True)
class Streamed:
    """What `--stream` asks for: samples between decisions (None: the model's own hop), how long to listen, the seed."""

    hop: int | None
    seconds: float | None
    seed: int


def opened_board(on: str, seed: int, quiet: bool) -> "OnBoard":
    """Open the board that `--on` means; `firmware` is the nearest to real hardware that can be started here.

    Raises:
        BridgeError: It cannot be opened, or nobody answers.
    """
    from firmware_bridge.firmware import can_start, startable
    from hil.dialogue.onboard import OnBoard

    if on == "firmware":
        there = startable()
        if not there:
            raise MissingPart(f"no firmware can be started here: {can_start('native')}", "--on firmware")
        on = f"firmware://{there[0]}"
    talk(f"{on}: asked who it is", quiet)
    return OnBoard.open(on, seed=seed)


def deploy_made(
    board: "OnBoard", made: "Deployment", windows: "Windows", streamed: Streamed | None, plain: dict[str, Any] | None,
    quiet: bool,
) -> None:  # fmt: skip
    """Put a model on a board and check it with the window in the middle of what it was calibrated on.

    Args:
        board: The board.
        made: The model.
        windows: Recorded, of the same channels.
        streamed: Whether it is to run on the board's own samples.
        plain: What is to be printed as JSON at the end, together with what the board said; None: a table is printed.
        quiet: Say nothing on stderr.
    """
    from hil.models.int8.placed import as_sent_by, meant
    from hil.models.matching import match

    stream = meant(made.contract, board.info)
    if streamed is not None:
        match(made.contract, stream, f"{board.info.model}/{stream.name}")  # at its own rate now
    window = as_sent_by(stream, windows.stream.values(windows.raw[len(windows) // 2]))
    hop = made.contract.hop
    _deploy(board, made.blob, made.oplist, stream, window, streamed, hop, made.contract.labels, plain, quiet)


def deploy_blob(path: Path, on: str, seed: int, streamed: Streamed | None, *, json: bool, quiet: bool) -> None:
    """Put an op list on a board and check it with a window of random readings.

    Raises:
        FileError: The file cannot be read, or holds no op list.
        UsageError: The board has no stream that it reads, or refuses it.
    """
    from firmware_bridge.oplist.table import RAW_DTYPES
    from hil.models.int8.placed import fitting
    from hil.serving.shelf import read_oplist

    blob, oplist = read_oplist(path)
    with opened_board(on, seed, quiet) as board:
        stream = fitting(oplist, board.info)
        range_of = np.iinfo(RAW_DTYPES[oplist.raw])
        chance = np.random.default_rng(seed)
        shape = (oplist.window, *stream.shape)
        window = chance.integers(range_of.min, range_of.max, shape, endpoint=True).astype(stream.dtype)
        need = {"schema": 1, "flash_bytes": len(blob), "ram_bytes": oplist.arena, "window": oplist.window}
        if not json:
            print_table(("what", "value"), [("flash", f"{len(blob)} bytes"), ("ram", f"{oplist.arena} bytes")])
        _deploy(board, blob, oplist, stream, window, streamed, oplist.window, (), need if json else None, quiet)


def _deploy(
    board: "OnBoard", blob: bytes, oplist: "OpList", stream: "Stream", window: npt.NDArray[Any],
    streamed: Streamed | None, hop: int, labels: Sequence[str], plain: Mapping[str, Any] | None, quiet: bool,
) -> None:  # fmt: skip
    from hil.models.int8.placed import place

    where = f"{board.info.model} {board.info.serial}".strip()
    talk(f"{where}: {len(blob)} bytes are sent, and one window", quiet)
    began = time.monotonic()
    placed = place(board, blob, oplist, stream, window)
    took_s = time.monotonic() - began
    if plain is None:
        print()
        _print(placed, took_s)
    results = [] if streamed is None else _let_run(board, stream, streamed, hop, labels, plain is None, quiet)
    if plain is not None:
        who = {"model": board.info.model, "serial": board.info.serial, "firmware": board.info.firmware}
        print_json({**plain, "board": {**who, **placed.as_dict()}, "results": results})
    if placed.verdict.verdict != "identical":
        raise typer.Exit(3 if placed.verdict.verdict == "transport" else 1)


def _print(placed: "Placed", took_s: float) -> None:
    held, verdict = placed.deployed, placed.verdict

    def of(limit: int | None) -> str:
        return "the board does not say of how many" if limit is None else f"of {limit} that the board has"

    rows = [
        ("flash", f"{held.blob_bytes} bytes", of(held.model_limit)),
        ("ram", f"{held.arena_bytes} bytes", of(held.arena_limit)),
        ("sent", f"{took_s:.2f} s", f"{held.resent} bytes more than once"),
        ("check", verdict.verdict, verdict.why),
    ]
    if placed.elapsed_ms is not None:
        counted = "instructions not counted" if placed.instructions is None else f"{placed.instructions} instructions"
        rows.append(("window", f"{placed.elapsed_ms:.2f} ms", f"by the board's own clock; {counted}"))
    print_table(("on the board", "value", "what"), rows)


def _let_run(
    board: "OnBoard", stream: "Stream", asked: Streamed, hop: int, labels: Sequence[str], shown: bool, quiet: bool
) -> list[dict[str, Any]]:
    """Let the network run on the board's own samples, and listen for as long as was asked; then it stops."""
    hop = asked.hop or hop
    board.start_stream(stream.name, hop)
    if asked.seconds is None:
        talk("it runs on its own samples from now on, and its RESULTs come with every capture; a reset or "
             "`hil model stop --on PORT` ends that", quiet)  # fmt: skip
        return []
    results = []
    try:
        with closing(board.listen(asked.seconds, nonce=asked.seed or 1)) as heard:
            for one in heard:
                best = int(one.outputs.argmax()) if len(one.outputs) else None
                label = "" if best is None else labels[best] if best < len(labels) else str(best)
                results.append({"sample": one.sample, "label": label, "outputs": one.outputs.tolist(),
                                "elapsed_ticks": one.elapsed_ticks, "instructions": one.instructions})  # fmt: skip
                if shown:
                    print(f"{one.sample}  {label}  {' '.join(map(str, one.outputs.tolist()))}", flush=True)
    finally:  # Ctrl-C ends it earlier, and in the same way
        board.stop_stream()
        talk("it runs on the board's own samples no longer; the network stays on the board", quiet)
    for line in board.said:
        talk(f"the board says: {line}", quiet)
    if not results:
        raise UsageError(f"no window was complete in {asked.seconds:g} s", stream.name, "listen longer with --for")
    return results
