"""What the drift watch beside a model saw in a run, as metrics.

Rule of this room: a model that says nothing of its training has none (NA, with what to do about it); before the first
whole window nothing is known (UNSET).
"""

from collections.abc import Iterator, Sequence

from hil.measure.make import slug
from hil.scenario.evidence.evidence import BoardEvidence
from hil.scenario.metrics.decisions import ModelEvidence
from hil.scenario.metrics.metrics import reading
from hil.scenario.results.outcome import Reading

__all__ = ["drift_readings"]


def drift_readings(model: ModelEvidence, boards: Sequence[BoardEvidence]) -> Iterator[Reading]:
    """Yield the drift metrics of a model; of several boards together, distances those of the farthest."""
    from hil.drift.verdict import MODEL, SENSOR

    place = f"model.{model.name}.drift"
    watches = list(model.drift.values())
    looks = sum(sum(one.counts.values()) for one in watches)
    why = model.failed or (f"NA: {model.undrifted}" if model.undrifted else "there was no whole window")
    yield reading(f"{place}.looks", float(looks) if watches else None, why)
    for key, verdict in (("sensor", SENSOR), ("model", MODEL)):
        began = [change for one in watches for change in one.changes if change.verdict == verdict]
        here = sum(one.counts[verdict] for one in watches)
        yield reading(f"{place}.{key}_alarms", float(len(began)) if looks else None, why)
        yield reading(f"{place}.{key}_share", 100.0 * here / looks if looks else None, why)
        starts = {board.role: board.start_ns for board in boards}
        after = [
            (change.t_ns - start) / 1e9
            for (role, _), one in model.drift.items()
            if (start := starts.get(role)) is not None
            for change in one.changes
            if change.verdict == verdict
        ]
        never = "there was no such alarm" if looks else why
        yield reading(f"{place}.first_{key}_alarm", min(after, default=None), never)
    states = [one.state() for one in watches]
    far = [one.embedding for one in states if one.embedding is not None]
    unknown = next((one.scores_known for one in states if one.scores_known), "no decision was made in a whole window")
    yield reading(f"{place}.embedding", max(far, default=None), why if not looks else f"NA: {unknown}")
    for channel in states[0].distances if looks else ():
        yield reading(f"{place}.distance.{slug(channel)}", max(one.distances[channel] for one in states), why)
