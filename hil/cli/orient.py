"""`hil orient`: how a board was turned, and how sure that is."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from firmware_bridge.errors import UsageError
from hil.cli.common import File, Json, Output, Quiet, fresh, print_json, print_table, talk, tell_lost

__all__ = ["VERBS", "orient"]


def orient(
    file: File,
    board: Annotated[str | None, typer.Option("--board", help="Role of the one board to read.")] = None,
    every: Annotated[float, typer.Option("--every", min=0.0, help="Seconds between two rows of the table.")] = 1.0,
    output: Output = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Derive orientation and its uncertainty from gyroscope and accelerometer, by vqf.

    Example: hil orient session.mcap -o session.npz

    Without a magnetometer: heading counts from the beginning of each segment, and what it may be off grows.
    """
    import numpy as np

    import hil
    from firmware_bridge.batch import Batch
    from hil.orientation import CHANNELS, UNITS, derived_name, with_orientation

    fresh(output, suffix=".npz")
    found: dict[str, list[Any]] = {}
    with hil.open(file) as recording:
        tell_lost(recording)
        start_ns = recording.start_ns
        for known in recording.streams():
            if board is not None and known.board != board:
                continue
            batches = (part for arrays in recording.chunks(known.board, known.stream.name) for part in arrays.batches())
            for item in with_orientation(batches):
                if isinstance(item, Batch) and item.stream.name == derived_name(known.stream.name):
                    found.setdefault(f"{known.board}/{item.stream.name}", []).append(
                        ((item.t_ns - start_ns) / 1e9, item.raw)
                    )
    if not found:
        raise UsageError(
            "no stream has a gyroscope, an accelerometer and a known rate", str(file), "name another recording or board"
        )
    whole = {name: (np.concatenate([t for t, _ in parts]), np.concatenate([q for _, q in parts])) for name, parts in
             found.items()}  # fmt: skip
    if output is not None:
        arrays: dict[str, Any] = {}
        for name, (t_s, values) in whole.items():
            arrays |= {f"{name}/t_s": t_s, f"{name}/values": values}
        with output.open("xb") as handle:
            np.savez(handle, channels=np.array(CHANNELS), **arrays)
    rows = [
        {"stream": name, "t_s": float(t_s[at]), **dict(zip(CHANNELS, map(float, values[at]), strict=True))}
        for name, (t_s, values) in whole.items()
        for at in np.unique(np.searchsorted(t_s, np.arange(t_s[0], t_s[-1], every or 1e9))).tolist()
    ]
    if json:
        print_json({"schema": 1, "orientations": rows})
    else:
        units = ("" if unit == "1" else f" ({unit})" for unit in UNITS)
        heads = (f"{name}{unit}" for name, unit in zip(CHANNELS, units, strict=True))
        print_table(("stream", "t_s", *heads), [
            (row["stream"], f"{row['t_s']:.2f}", *(f"{row[name]:.4g}" for name in CHANNELS)) for row in rows
        ])  # fmt: skip
    talk(f"{sum(len(t_s) for t_s, _ in whole.values())} samples", quiet)


VERBS = (orient,)
