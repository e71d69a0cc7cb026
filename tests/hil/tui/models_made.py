"""A bench with two models at one board, a shelf of model files, and an explanation, for the page that shows them."""

from dataclasses import replace
from typing import Any

import numpy as np
import screen_fakes as fakes
from screen_fakes import NOW, SECOND

from firmware_bridge.errors import UsageError
from hil.serving.shelf import FoundModel
from hil.views.drift import DriftView
from hil.views.message import to_plain
from hil.views.parity import ParityView
from hil.views.snapshot import Snapshot
from hil.views.view import View
from hil.views.work import WorkView

DRIFTED = DriftView("sensor different", "ax reads 0.21 g more than in training", "bias", ("ax",), NOW, 40, 1.6, 0.2)
CHANNELS = ("ax", "ay", "az", "wx", "wy", "wz")

FILES = (
    FoundModel("models/circle.hilmodel", "circle", (*fakes.LABELS, "circle"), 50.0, CHANNELS, "2", True, 812_000, NOW),
    FoundModel("models/exercise.hilmodel", "exercise", fakes.LABELS, 50.0, CHANNELS, "1", False, 412_000, NOW - SECOND),
    FoundModel("models/odd.hilmodel", "odd", trouble="models/odd.hilmodel: it is damaged or no .hilmodel file"),
    FoundModel("models/exercise.hiln", "exercise", size=5749, changed_ns=NOW - 2 * SECOND,
               network="200 x 6 i2, 7 outputs"),
)  # fmt: skip


def two(view: View | None = None, after_s: int = 0, **facts: Any) -> Snapshot:
    """Two models at one board; with `after_s` so many decisions later, one a second."""
    history = fakes.prediction().history
    now = NOW + after_s * SECOND
    history += tuple((NOW + at * SECOND, "row" if at % 4 else "curl", 0.8) for at in range(1, after_s + 1))
    work = WorkView(False, 40 + after_s, 1000.0, 1, (2.6, 13.2, 1021.0), 77.5, 2000)
    plain = fakes.prediction(history=history, t_ns=now, drift=DRIFTED, work=work)
    parity = ParityView(50, 48, 46, "row", "sample 7000: board curl, here row", 50, 50)
    child = replace(plain, model="exercise-circle", told="", parity=parity,
                    drift=DriftView("fine", looks=40, sensor=0.3, model=0.2),
                    work=WorkView(True, 40 + after_s, 1000.0, 0, (3.1, 9.8, 12.0)))  # fmt: skip
    return replace(fakes.live(view, predictions=(plain, child), **facts), now_ns=now)


def rivals(view: View | None = None, after_s: int = 0, **facts: Any) -> Snapshot:
    """The same, where the other model knows a curl from a row only half of the time, and is sure of it."""
    shown = two(view, after_s, active_label="row", **facts)
    one, other = shown.predictions
    history = tuple((t_ns, label if at % 8 else "lunge", 0.95 if at % 3 else 0.55)
                    for at, (t_ns, label, _) in enumerate(other.history))  # fmt: skip
    return replace(shown, predictions=(one, replace(other, history=history)))


def explanation(decided_ns: int = NOW, label: str = "row") -> dict[str, Any]:
    """What carried a decision: the middle of two channels, for and against."""
    t = np.linspace(-1.98, 0.0, 100)
    edges = np.linspace(-2.0, 0.02, 41)
    bump = np.exp(-(((edges[:-1] + 1.0) / 0.3) ** 2))
    added = {name: (bump * sign * (1 - 0.15 * at)).tolist()
             for at, (name, sign) in enumerate(zip(CHANNELS, (1, -1, 1, 0, 1, -1), strict=True))}  # fmt: skip
    values = {name: np.sin(3 * t + at).tolist() for at, name in enumerate(CHANNELS)}
    shares = (0.3, 0.25, 0.2, 0.0, 0.15, 0.1)
    return {
        "model": "exercise", "board": "watch", "stream": "samples", "boot": 0, "sample": 7000, "t_s": 0.0,
        "label": label, "confidence": 0.93, "first_of_network": label, "from_s": -1.98, "to_s": 0.0,
        "method": "integrated gradients", "steps": 64, "decided_ns": decided_ns,
        "completeness": {"attributed": 6.21, "difference": 6.2, "error": 0.01, "relative": 0.0016},
        "channels": [{"channel": name, "share": share, "net": share} for name, share in
                     sorted(zip(CHANNELS, shares, strict=True), key=lambda row: -row[1])],
        "stretches": [{"from_s": -1.25, "to_s": -0.75, "share": 0.52, "channels": ["ax", "ay"]}],
        "band": {"edges_s": edges.tolist(), "added": added},
        "readings": {"t_s": t.tolist(), "units": dict.fromkeys(CHANNELS, "g"), "values": values},
    }  # fmt: skip


class Engine(fakes.FakeClient):
    """A bench with two models that counts what it is shown and keeps what decisions saw."""

    def __init__(self, scene: Any = two) -> None:
        super().__init__(scene)
        self.running, self.count = False, 0

    def command(self, verb: str, **args: Any) -> dict[str, Any]:
        super().command(verb, **args)
        if verb == "seen":
            if args["board"] != "watch" or args["t_ns"] == NOW - 5 * SECOND:
                raise UsageError("what exercise saw then is not kept any more", "explain", "choose a newer decision")
            return {"decided_ns": args["t_ns"] or NOW, "label": "row", "window": np.zeros((4, 6), np.float32)}
        if verb in ("load_model", "unload_model"):
            name = args.get("model") or FILES[0].name
            return {"model": name, "sentence": f"{name}: {verb.replace('_', ' ')} is done"}
        if verb == "deploy":
            return {"board": args["board"], "sentence": f"{args['path']} is being sent to {args['board']}"}
        if verb == "stop_network":
            return {"board": args["board"], "sentence": f"{args['board']}'s network is told to stop"}
        if verb == "show":
            self.count += self.running
            self.running = not self.running
        elif verb == "show_drop":
            self.count, self.running = self.count - (not self.running), False
        elif verb == "teach":
            self.count = 0
            return {"model": "exercise-circle", "running": False, "shown": 0, "sentence": "exercise-circle-2 runs"}
        return {"model": "exercise-circle", "running": self.running, "shown": self.count}


class Helper(fakes.FakeClient):
    """A librarian that knows four model files and explains any decision alike."""

    def command(self, verb: str, **args: Any) -> dict[str, Any]:
        super().command(verb, **args)
        if verb == "explain":
            return explanation(args["decided_ns"], args["label"])
        if verb == "explain_in":
            if args["at_s"] < 1:
                raise UsageError("exercise decided nothing until 0.5 s", str(args["path"]), "choose a later time")
            return {**explanation(), "path": args["path"]}
        return {"folder": args["folder"], "models": [to_plain(one) for one in FILES]}
