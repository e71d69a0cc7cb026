"""A runner that stands still: a library with a past, and verdicts that are always the same."""

import math
from typing import Any

from screen_fakes import FakeClient

from hil.scenario.results.outcome import CheckResult, ScenarioResult

FAILS, PASSES, FRESH, BROKEN = (f"scenarios/{name}.toml" for name in ("drops", "gate", "fresh", "broken"))
RECORDING = "hil-runs/20231114T221320Z/scenarios-drops.mcap"
DIFFERENCE = '--- accepted\n+++ found\n@@ -12 +12 @@\n-  "value": 0.0\n+  "value": 98.0'

ENTRIES = (
    {"path": FAILS, "name": "A watch on which frames are dropped loses nothing", "why": "The link is to be trusted",
     "tags": ["smoke", "faults"], "baseline": True, "outcomes": ["PASS"] * 8 + ["MARGINAL", "FAIL"],
     "at": "2023-11-14T22:13:20Z", "target": "recording", "seconds": 40.0,
     "since": "2023-11-14T22:13:20Z; before that it passed 9 times in a row", "files": {},
     "checks": [["link.watch.samples_lost", 98.0, "FAIL", [0.0] * 9 + [98.0]],
                ["model.exercise.macro_f1", 0.9274, "FAIL", [0.99, 0.99, None, 0.98, 0.99, 0.9274]]]},
    {"path": PASSES, "name": "Exercises of a person whom the model has never seen are told apart", "why": "",
     "tags": ["models"], "baseline": True, "outcomes": ["PASS"] * 3, "at": "2023-11-14T22:13:20Z",
     "target": "recording", "seconds": 11.0, "since": "", "files": {},
     "checks": [["model.exercise.macro_f1", 0.84424, "PASS", [0.84, 0.84424, 0.84424]]]},
    {"path": FRESH, "name": "Jitter of the board's clock shows in its steps", "why": "", "tags": ["faults", "clock"],
     "baseline": False},
    {"path": BROKEN, "name": "broken", "trouble": f"{BROKEN}:3: board: it says not where the board is"},
)  # fmt: skip

SO_FAR = (
    CheckResult("link.watch.samples_lost", 20.0, "1", "= 0", "FAIL"),
    CheckResult("model.exercise.macro_f1", 0.9651, "1", ">= 0.95", "MARGINAL"),
    CheckResult("stream.watch.imu.ax.maximum", 3.9, "g", "<= 8 g", "PASS"),
)  # fmt: skip


def window(metric: str, at_s: float, why: str) -> dict[str, Any]:
    """Six seconds of two channels at 50 Hz with 20 samples missing, and a decision a second."""
    times: list[float | None] = [at_s - 3 + at / 50 for at in range(300)]
    rows: list[list[float | None]] = [[math.sin(3 * t) for t in times], [2 * math.cos(2 * t) for t in times]]  # type: ignore[operator]
    for row in (times, *rows):
        row[150:170] = [None]
    said = [{"model": "exercise", "t_s": at_s - 2.5 + at, "label": "row" if at == 3 else "squat", "confidence": 0.9}
            for at in range(6)]  # fmt: skip
    return {"metric": metric, "why": why, "board": "watch", "stream": "imu", "channel": "", "at_s": at_s,
            "from_s": at_s - 3, "to_s": at_s + 3, "channels": ["ax", "wz"], "units": ["g", "rad/s"], "t_s": times,
            "values": rows, "decisions": said}  # fmt: skip


EXHIBIT = {
    "seconds": 60.0,
    "faults": [{"kind": "frame.drop", "on": "watch", "level": "frame", "from_s": 20.0, "to_s": 22.5, "parameters": {}}],
    "labels": {"watch": [["squat", 10.0, 40.0]]},
    "windows": [window("link.watch.samples_lost", 20.7, "the first of them: 20 samples of imu are missing (lost)"),
                window("model.exercise.macro_f1", 30.0, "the first wrong decision: row in place of squat")],
}  # fmt: skip


def failed() -> ScenarioResult:
    checks = (
        CheckResult("link.watch.samples_lost", 98.0, "1", "= 0", "FAIL"),
        CheckResult("model.exercise.macro_f1", 0.9274, "1", ">= 0.99", "FAIL"),
        CheckResult("clock.watch.drift", None, "ppm", "<= 50 ppm", "UNSET", "the board was heard for 2 s only"),
        CheckResult("baseline", 1.0, "1", "= 0 differences", "FAIL"),
    )
    rows = ({"name": "link.watch.samples_lost", "verdict": "worse", "accepted": 0.0, "found": 98.0},
            {"name": "model.exercise.ece", "verdict": "new", "accepted": None, "found": 0.04})  # fmt: skip
    return ScenarioResult("A watch", FAILS, "recording", "FAIL", checks=checks, seconds=39.0, readings_s=531.0,
                          files={"recording": RECORDING}, baseline=rows, again=f"hil run {FAILS}",
                          exhibit=EXHIBIT)  # fmt: skip


def passed(path: str) -> ScenarioResult:
    checks = (CheckResult("model.exercise.macro_f1", 0.84424, "1", ">= 0.8", "PASS"),)
    return ScenarioResult(path, path, "recording", "PASS", checks=checks, seconds=11.4, again=f"hil run {path}")


class FakeRunner(FakeClient):
    """Judges a scenario a question, unless it is held; what was broken off has no verdict."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[str] = []
        self.held = False

    def command(self, verb: str, **args: Any) -> dict[str, Any]:
        super().command(verb, **args)
        if verb == "library":
            return {"folder": args["folder"], "entries": list(ENTRIES)}
        if verb == "run":
            self.paths = list(args["paths"])
            return {"total": len(self.paths), "paths": self.paths}
        if verb == "progress":
            return self._progress(args["told"])
        if verb == "cancel":
            self.paths = []
            return {"sentence": "the run is ended"}
        if verb == "difference":
            return {"path": args["path"], "file": "scenarios/expected/drops.json", "difference": DIFFERENCE}
        if verb == "accept":
            return {"sentence": "accepted in scenarios/expected/drops.json", "results": []}
        return {}

    def _progress(self, told: int) -> dict[str, Any]:
        fresh = [] if self.held else self.paths[told : told + 1]
        left = self.paths[told + len(fresh) :]
        results = [(failed() if path == FAILS else passed(path)).as_dict(whole=True) for path in fresh]
        so_far = {path: [one.as_dict() for one in SO_FAR] for path in left[:1]}
        return {"running": dict.fromkeys(left[:1], 3.25), "so_far": so_far, "results": results,
                "total": len(self.paths), "finished": not left, "sentence": "", "trouble": ""}  # fmt: skip
