"""An explanation in seconds, channels and shares: plain values for a person, a script and a page.

Rule of this room: it only sums attributions up; nothing is asked of the model. Shares are of all that was attributed,
for and against; a stretch is one of the fewest pieces of the window that together hold half of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hil.models.contract import Contract
from hil.models.explain import PIECES, Explanation

__all__ = ["carried", "channel_names"]

Plain = dict[str, Any]

_BAND = 48
"""Pieces of a band, at most."""
_STRETCH = 24
"""Pieces of time among which stretches are chosen, at most."""
_DRAWN = 9
"""Channels with a band, at most: those with the largest shares."""
_LEADING = 0.25
"""Share of a stretch that makes a channel worth its name there."""


def channel_names(contract: Contract) -> list[str]:
    """Return the names of what a sample holds: channels, or the pixels of a frame as `name[row,column]`."""
    if contract.frame is None:
        return [item.channel for item in contract.inputs]
    rows, columns = contract.frame
    return [f"{contract.inputs[0].channel}[{row},{column}]" for row in range(rows) for column in range(columns)]


def carried(found: Explanation, contract: Contract, start_ns: int) -> Plain:
    """Return what carried a decision as plain JSON values.

    Args:
        found: The explanation.
        contract: Of the model that decided.
        start_ns: UTC of second 0.

    Returns:
        Besides the decision: `channels` (`share` of all, `net` for the label, largest share first), `stretches` (in
        seconds, with the channels that lead there), `completeness`, and for pictures `band` (`edges_s`, and by channel
        what each piece added to the score) and `readings` of the same channels, in their units.
    """
    decision, values = found.seen.decision, found.attributions
    names, size = channel_names(contract), np.abs(values)
    whole = float(size.sum()) or 1.0
    t_s = (found.seen.t_ns - start_ns) / 1e9
    shares, net = size.sum(axis=0) / whole, values.sum(axis=0)
    order = np.argsort(-shares, kind="stable")
    drawn = sorted(order[:_DRAWN].tolist())
    step = 1.0 / contract.rate_hz
    promised = found.method != "occlusion"
    return {
        "model": contract.name, "board": decision.board, "stream": decision.stream, "boot": decision.boot,
        "sample": decision.sample, "t_s": (decision.t_ns - start_ns) / 1e9, "label": decision.label,
        "confidence": decision.confidence, "first_of_network": contract.labels[int(found.seen.outputs.argmax())],
        "from_s": float(t_s[0]), "to_s": float(t_s[-1]), "method": found.method, "steps": found.steps,
        "completeness": {
            "attributed": float(values.sum()), "difference": found.difference, "error": found.error,
            "relative": abs(found.error / found.difference) if promised and found.difference else None,
        },
        "channels": [
            {"channel": names[at], "share": float(shares[at]), "net": float(net[at])} for at in order.tolist()
        ],
        "stretches": _stretches(size / whole, t_s, step, names),
        "band": _band(values, t_s, step, [(at, names[at]) for at in drawn], _BAND if promised else PIECES),
        "readings": _readings(found, contract, t_s, [(at, names[at]) for at in drawn]),
    }  # fmt: skip


def _pieces(count: int, most: int) -> npt.NDArray[np.int64]:
    """Return the first sample of each of up to `most` pieces of equal length, and the end of the last.

    Sample i lies in piece `i * pieces // count`, as where a program is occluded.
    """
    pieces = min(most, count)
    return -(-np.arange(pieces + 1) * count // pieces)


def _stretches(shares: npt.NDArray[np.float64], t_s: npt.NDArray[np.float64], step: float, names: list[str]) -> Any:
    edges = _pieces(len(shares), _STRETCH)
    held = np.add.reduceat(shares.sum(axis=1), edges[:-1])
    order = np.argsort(-held, kind="stable")
    enough = int(np.searchsorted(np.cumsum(held[order]), 0.5 * held.sum())) + 1
    chosen = np.zeros(len(held) + 2, bool)
    chosen[1 + order[:enough]] = True
    turns = np.flatnonzero(np.diff(chosen.astype(np.int8)))
    found = []
    for first, last in zip(turns[::2], turns[1::2], strict=True):
        low, high = int(edges[first]), int(edges[last])
        by_channel = shares[low:high].sum(axis=0)
        share = float(by_channel.sum())
        leading = [at for at in np.argsort(-by_channel, kind="stable")[:3].tolist()
                   if by_channel[at] >= _LEADING * share]  # fmt: skip
        found.append({
            "from_s": float(t_s[low] - step / 2), "to_s": float(t_s[high - 1] + step / 2), "share": share,
            "channels": [names[at] for at in leading or [int(by_channel.argmax())]],
        })  # fmt: skip
    return sorted(found, key=lambda one: -one["share"])


def _band(
    values: npt.NDArray[np.float64], t_s: npt.NDArray[np.float64], step: float, drawn: list[tuple[int, str]], most: int
) -> Plain:
    edges = _pieces(len(values), most)
    sums = np.add.reduceat(values, edges[:-1], axis=0)
    places = np.append(t_s[edges[:-1]] - step / 2, t_s[-1] + step / 2)
    return {"edges_s": places.tolist(), "added": {name: sums[:, at].tolist() for at, name in drawn}}


def _readings(
    found: Explanation, contract: Contract, t_s: npt.NDArray[np.float64], drawn: list[tuple[int, str]]
) -> Plain:
    mean, std = (np.array([getattr(item, key) for item in contract.inputs]) for key in ("mean", "std"))
    values = np.broadcast_to(found.seen.window * std + mean, found.seen.window.shape)
    units = [item.unit for item in contract.inputs] if contract.frame is None else None
    return {
        "t_s": t_s.tolist(),
        "units": {name: contract.inputs[0].unit if units is None else units[at] for at, name in drawn},
        "values": {name: values[:, at].tolist() for at, name in drawn},
    }  # fmt: skip
