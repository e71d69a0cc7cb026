"""A model file made ready to run on live boards, with all that looks at what it reads.

Rule of this room: it says who is shown every hop, and nothing of what they make of it. What is slow to import or build
is so inside the loader, which a stage calls on a thread of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

    from hil.models.drifting import DriftTap
    from hil.models.kshot.shown import Shown
    from hil.models.seen import Tape
    from hil.models.segments import Block
    from hil.models.streaming import Runner

__all__ = ["MakeRunner", "Taps", "load_runner"]

KEPT_S = 180.0
"""How long a decision can be asked why."""

MakeRunner = Callable[[Mapping[str, int] | None], "Runner"]
"""Makes a runner whose boards have these slots; None: as they come."""


def load_runner(
    path: str, boards: Sequence[str] | None, *, slots: int = 8, backend: str | None = None
) -> Callable[[], MakeRunner]:
    """Return a loader for a model file: called on the stage's own thread, it imports and builds all that is slow.

    Args:
        path: A model file.
        boards: Roles it reads; None: every stream that fits.
        slots: Boards computed in one call.
        backend: See `hil.models.model.BACKENDS`; None: the contract's.
    """

    def load() -> MakeRunner:
        from hil.models.model import load_model
        from hil.models.seen import Tape

        model = load_model(path)

        def make(slot_map: Mapping[str, int] | None) -> "Runner":
            runner = model.runner(boards=boards, slots=slots, backend=backend, slot_map=slot_map)
            drift = shown = None
            if model.contract.reference is not None:
                from hil.models.drifting import DriftTap

                drift = DriftTap(model.package)
            architecture = model.contract.architecture
            if architecture is not None and architecture.name == "shots":
                from hil.models.kshot.shown import Shown

                shown = Shown(model.contract)
            runner.tap = Taps(Tape(model.contract, spare_s=KEPT_S), drift, shown)
            return runner

        return make

    return load


@dataclass(frozen=True, slots=True, eq=False)
class Taps:
    """What looks at every hop that a model reads.

    Attributes:
        tape: Keeps it for whoever asks why a decision was made.
        drift: The drift watch; None where the model brings no reference along.
        shown: Keeps it for teaching; None: the model is not taught by showing.
    """

    tape: "Tape"
    drift: "DriftTap | None" = None
    shown: "Shown | None" = None

    def __call__(
        self, shown: "Sequence[tuple[str, str, Block, int]]", readings: "npt.NDArray[Any]", outputs: "npt.NDArray[Any]"
    ) -> None:
        """Show hops; see `hil.models.streaming.Tap`."""
        for tap in (self.tape, self.drift, self.shown):
            if tap is not None:
                tap(shown, readings, outputs)
