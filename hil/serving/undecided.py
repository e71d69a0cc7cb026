"""How many decisions are missing where readings were left undecided.

Rule of this room: pure, and counted as the model would have counted: decisions end at multiples of the hop. What a
model would not have decided after all (a window that a gap breaks) cannot be told from here, so the count is a bound.
"""

from collections.abc import Iterable, Sequence
from math import ceil
from typing import TYPE_CHECKING

from firmware_bridge.batch import Batch
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival

if TYPE_CHECKING:
    from hil.models.contract import Contract

__all__ = ["undecided"]


def undecided(
    name: str, contract: "Contract | None", boards: Sequence[str] | None, held: Iterable[Arrival]
) -> str:  # fmt: skip
    """Return what a model did not decide on, one sentence; empty where it would have decided nothing.

    Args:
        name: The model.
        contract: Its contract; None where nobody could read it.
        boards: Roles that it reads; None: every board with a stream that fits.
        held: Arrivals that it has not seen.
    """
    batches = [
        item for arrival in held for item in arrival.items
        if isinstance(item, Batch) and (boards is None or item.board in boards)
    ]  # fmt: skip
    if contract is None:
        count = sum(map(len, batches))
        return f"{name} did not see {count:,} readings, and how many decisions are missing is unknown" if count else ""
    batches = [one for one in batches if _fits(contract, one)]
    count, missing = sum(map(len, batches)), sum(_decisions(contract, one) for one in batches)
    if not count:
        return ""
    of = ", ".join(sorted({one.board for one in batches}))
    return f"{name} did not see {count:,} readings of {of}: up to {missing:,} of its decisions are missing"


def _fits(contract: "Contract", batch: Batch) -> bool:
    from hil.models.matching import has_channels, match

    try:
        return has_channels(contract, batch.stream) and bool(match(contract, batch.stream, batch.board))
    except UsageError:
        return False


def _decisions(contract: "Contract", batch: Batch) -> int:
    if contract.conditioning is None:
        return batch.end // contract.hop - batch.first // contract.hop
    rate = batch.stream.rate_hz or contract.rate_hz
    return ceil(len(batch) * contract.rate_hz / rate / contract.hop)
