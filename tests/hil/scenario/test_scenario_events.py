"""Events as a person would count them, and a row of the catalogue for every figure that is told."""

import pytest
from metrics_parts import HOP, T0, said

from hil.scenario.evidence.events import appearances
from hil.scenario.grammar.catalogue import find_row

TIMED = {"latency_p50", "latency_p99", "latency_p999", "age_p50", "age_p99", "age_p999", "deadline_misses",
         "arrival_jitter_p99"}  # fmt: skip


def stretch(begin: int, end: int) -> tuple[str, int, int]:
    return "b", T0 + begin * HOP, T0 + end * HOP


def test_events_are_met_late_missed_or_false_as_a_person_would_count_them() -> None:
    #            0123456789...
    decisions = said(*"..TT......TT.........T...TT..")
    found = appearances(decisions, "T", [stretch(1, 4), stretch(8, 9), stretch(15, 18), stretch(24, 28)], 3 * HOP, HOP)
    # Met at 2 (1 s late); the run at 10 comes after its stretch but within its delay; nobody saw 15 to 18 in time; met
    # at 25. The run at 21 touches the third stretch's delay only at its very end.
    assert (found.true_positives, found.false_negatives) == (2, 2)
    assert found.delay_s == 1.0
    assert found.false_positives == 0
    alone = appearances(decisions, "T", [stretch(1, 4)], 3 * HOP, HOP)
    assert (alone.true_positives, alone.false_negatives, alone.false_positives) == (1, 0, 3)
    assert appearances(decisions, "T", [], 0, HOP).false_positives == 4


def test_decisions_two_hops_apart_are_one_false_alarm_and_three_hops_apart_are_two() -> None:
    assert appearances(said(*"T.T.T"), "T", [], 0, HOP).false_positives == 1
    assert appearances(said(*"T..T"), "T", [], 0, HOP).false_positives == 2


@pytest.mark.parametrize(
    "name",
    [
        *(f"stream.imu.accelerometer.{key}" for key in ("rate", "jitter_p99", "gaps", "samples")),
        *(f"stream.imu.accelerometer.ax.{key}" for key in ("minimum", "maximum", "mean", "noise", "saturation")),
        *(f"link.imu.{key}" for key in (
            "gaps", "crc_failures", "bytes_unaccounted", "samples_unaccounted", "samples_lost", "arrival_jitter_p99")),
        *(f"clock.imu.{key}" for key in ("drift", "uncertainty")),
        *(f"model.exercise.{key}" for key in (
            "accuracy", "macro_f1", "recall.squat", "ece", "coverage", "latency_p50", "latency_p99",
            "latency_p999", "deadline_misses", "age_p50", "age_p99", "age_p999")),
        *(f"event.fall.{key}" for key in (
            "true_positives", "false_positives", "false_negatives", "delay", "false_alarms_per_h")),
    ],
)  # fmt: skip
def test_what_is_told_of_links_streams_models_and_events_has_a_row_with_unit_meaning_and_source(name: str) -> None:
    row = find_row(name)
    assert row is not None
    assert row.kind == ("timing" if set(name.split(".")) & TIMED else "data")
    assert all((row.unit, row.meaning, row.source))
