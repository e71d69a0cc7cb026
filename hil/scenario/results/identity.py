"""Whether two runs came to the same: what of their results must not differ, as one text.

Rule of this room: everything counts but the wall clock and what depends on which process ran it. Timing metrics and
checks on them keep their names and lose their values; where kept files lie, how long it took and how often a process
died are left out.
"""

import json
from collections.abc import Iterable
from typing import Any

from hil.scenario.results.outcome import ScenarioResult, worst

__all__ = ["identity_of"]

_CIRCUMSTANCES = ("seconds", "files", "retries")


def identity_of(results: Iterable[ScenarioResult]) -> str:
    """Return the text that is equal, byte for byte, for runs that came to the same, in whatever order they came.

    Args:
        results: Of one run.
    """
    plain = sorted((_timeless(result.as_dict()) for result in results), key=lambda one: (one["path"], one["name"]))
    return json.dumps(plain, sort_keys=True, indent=1, default=lambda number: number.item())


def _timeless(plain: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in plain.items() if key not in _CIRCUMSTANCES}
    timing = {name for name, metric in plain["metrics"].items() if metric["kind"] == "timing"}
    if any(check["kind"] == "timing" for check in plain["checks"]):
        kept["outcome"] = worst(check["outcome"] for check in plain["checks"] if check["kind"] != "timing")
    kept["metrics"] = {name: None if name in timing else metric for name, metric in plain["metrics"].items()}
    kept["checks"] = [
        check if check["kind"] != "timing" else {"metric": check["metric"], "limit": check["limit"]}
        for check in plain["checks"]
    ]
    return kept
