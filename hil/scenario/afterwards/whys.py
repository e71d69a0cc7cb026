"""Why a model said what failed a check: the decision of that moment is made again, and explained.

Rule of this room: no verdict depends on it, and where no decision failed it costs nothing. Only the seconds that one
decision looks back are read once more. Where captum is not installed, or a network is none of ours, there is no reason;
where one should be and is not, a remark says so.
"""

from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from firmware_bridge.errors import BridgeError
from hil.scenario.afterwards.scope import Probe, Trigger
from hil.scenario.execution.execute import model_path
from hil.scenario.grammar.load import Loaded

if TYPE_CHECKING:
    from hil.models.model import Model

__all__ = ["Whys"]


class Whys:
    """Explains decisions of one scenario's models.

    Args:
        loaded: The scenario.
    """

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._models: dict[str, Model] = {}
        self.remarks: list[str] = []

    def asked(self, trigger: Trigger) -> Trigger:
        """Return a trigger that keeps what its decision looked back on, where it can be explained."""
        if not trigger.model or find_spec("captum") is None:
            return trigger
        from hil.models.seen import look_back_s

        contract = self._model(trigger.model).contract
        if contract.architecture is None:
            return trigger
        return replace(trigger, before_ns=round(look_back_s(contract) * 1e9))

    def answer(self, probe: Probe, start_ns: int) -> dict[str, Any] | None:
        """Return what carried the decision of a probe, as `hil.models.carried.carried` says; None: nothing is known."""
        decision = probe.trigger.decision
        if decision is None or not probe.before:
            return None
        from hil.models.carried import carried
        from hil.models.explain import explain
        from hil.models.seen import seen_in

        model = self._model(probe.trigger.model)
        try:
            made = seen_in(model, probe.before, decision.t_ns, decision.board)
            again = next((one for one in made if one.decision.sample == decision.sample), None)
            if again is None:
                self.remarks.append(f"{probe.trigger.metric}: its decision could not be made again to be explained")
                return None
            # What was told, even where it was held from before what is read here.
            found = carried(explain(model, replace(again, decision=decision)), model.contract, start_ns)
        except BridgeError as error:
            self.remarks.append(f"{probe.trigger.metric}: its decision could not be explained: {error}")
            return None
        del found["readings"]  # the signal stands there already
        return found

    def _model(self, name: str) -> "Model":
        if name not in self._models:
            from hil.models.model import load_model

            self._models[name] = load_model(model_path(self._loaded, self._loaded.scenario.model[name]))
        return self._models[name]
