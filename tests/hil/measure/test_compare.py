"""Two sets of figures are judged with one control over all verdicts; what cannot be compared is refused in words."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.streams import Stream
from hil.measure.compare import Member, Side, compare
from hil.measure.comparison import BETTER, DIFFERENT, REFUSED, SAME, WORSE
from hil.measure.effect import ALPHA, difference, estimate_of, holm, length_needed, on_ratio
from hil.measure.figure import Figure, Measurement

IMU = Stream("imu", ("ax", "ay"), ("g", "g"), "<i2", (2,), 1000.0, (0.001,))


def figure(metric: str, value: float | None, half: float | None = None, *, channel: str = "", unit: str = "g",
           better: str = "lower", condition: str = "at rest") -> Figure:  # fmt: skip
    ends = (None, None) if value is None or half is None else (value - half, value + half)
    name = ".".join(["stream", "arm", "imu", *([channel] if channel else []), metric])
    return Figure(name, "arm/imu", value, unit, *ends, condition, "data", better, channel=channel, metric=metric)


def side(*figures: Figure, stream: Stream = IMU, duration: float = 60.0, board: str = "arm", name: str = "A") -> Side:
    member = Member(f"{name}.mcap", board, Measurement(figures), {stream.name: stream}, duration)
    return Side(name, (member,))


def noise(value: float, half: float, channel: str = "ax") -> Figure:
    return figure("noise_density", value, half, channel=channel, unit="g/sqrt(Hz)")


def test_a_quieter_sensor_is_better_and_the_effect_is_a_percentage_with_its_interval() -> None:
    found = compare(side(noise(100e-6, 2e-6)), side(noise(90e-6, 2e-6)))
    row = found["stream.arm.imu.ax.noise_density"]
    assert row.verdict == BETTER
    assert row.effect == pytest.approx(-10.0)
    assert row.effect_unit == "%"
    assert row.low is not None
    assert row.high is not None
    assert row.low < -10 < row.high < -6
    assert compare(side(noise(90e-6, 2e-6)), side(noise(100e-6, 2e-6))).rows[0].verdict == WORSE


def test_a_difference_inside_the_noise_is_no_difference_and_what_would_have_been_seen_is_told() -> None:
    row = compare(side(noise(100e-6, 5e-6)), side(noise(103e-6, 5e-6))).rows[0]
    assert row.verdict == SAME
    assert row.seen is not None
    assert 10 < row.seen < 15


def test_where_neither_direction_is_better_figures_are_different() -> None:
    rows = compare(side(figure("mean", 1.0, 0.01, better="none")), side(figure("mean", 2.0, 0.01, better="none")))
    assert rows.rows[0].verdict == DIFFERENT
    assert rows.rows[0].effect == pytest.approx(1.0)
    assert rows.rows[0].effect_unit == "g"


def test_a_loss_that_was_none_is_seen_although_zero_has_no_ratio() -> None:
    a = replace(figure("loss", 0.0, unit="%"), low=0.0, high=0.004)
    b = replace(figure("loss", 0.5, unit="%"), low=0.4, high=0.6)
    row = compare(side(a), side(b)).rows[0]
    assert (row.verdict, row.effect, row.effect_unit) == (WORSE, 0.5, "%")


def test_of_a_signed_figure_the_size_counts() -> None:
    a, b = figure("drift", -20.0, 1.0, unit="ppm"), figure("drift", 5.0, 1.0, unit="ppm")
    row = compare(side(a), side(b)).rows[0]
    assert row.verdict == BETTER
    assert row.effect == pytest.approx(-15.0)


def test_one_lucky_figure_among_many_is_no_verdict() -> None:
    many = [figure(f"m{index}", 100.0, 2.0) for index in range(40)]
    lucky = [replace(many[0], value=103.6, low=101.6, high=105.6), *many[1:]]
    assert compare(side(many[0]), side(lucky[0])).rows[0].verdict == WORSE
    assert compare(side(*many), side(*lucky)).counts[WORSE] == 0


def test_what_has_no_interval_is_shown_and_not_judged_unless_it_is_the_same() -> None:
    found = compare(side(figure("step", 1.0), figure("other", 2.0)), side(figure("step", 1.0), figure("other", 3.0)))
    assert [row.verdict for row in found] == [SAME, REFUSED]
    assert "no interval" in found.rows[1].reason


OTHER = {
    "rate": (replace(IMU, rate_hz=100.0), "both at 100 Hz"),
    "range": (replace(IMU, scale=(0.002,)), "same range"),
    "unit": (replace(IMU, units=("m/s2", "m/s2")), "unit"),
    "channels": (replace(IMU, channels=("x", "y")), "same channels"),
    "name": (replace(IMU, name="accel"), "same streams"),
}


@pytest.mark.parametrize("what", OTHER)
def test_streams_that_mean_something_else_are_refused_and_what_to_record_is_said(what: str) -> None:
    other, instead = OTHER[what]
    b = replace(noise(100e-6, 2e-6), stream=f"arm/{other.name}")
    found = compare(side(noise(100e-6, 2e-6)), side(b, stream=other))
    assert not found.compared
    assert {row.verdict for row in found} == {REFUSED}
    assert instead in " ".join(map(str, found.refused))
    assert all(row.reason for row in found)


def test_rest_and_motion_are_not_compared_but_their_timing_is() -> None:
    jitter = figure("jitter", 10.0, 1.0, unit="us")
    still = side(figure("rest", 100.0, unit="%", better="none"), figure("sd", 0.1, 0.001), jitter)
    moved = side(figure("rest", 5.0, unit="%", better="none"), figure("sd", 5.0, 0.001), jitter)
    found = compare(still, moved)
    assert "motion is no noise" in found["stream.arm.imu.sd"].reason
    assert found["stream.arm.imu.jitter"].verdict == SAME


def test_too_short_a_recording_is_refused_with_the_reason_of_the_figure() -> None:
    short = figure("bias_instability", None, condition="unknown: 10 s at rest are too short; record 10 min")
    found = compare(side(figure("bias_instability", 1.0, 0.1)), side(short))
    assert found.rows[0].verdict == REFUSED
    assert "B is unknown: 10 s at rest are too short; record 10 min" in found.rows[0].reason


def test_what_grows_with_time_is_compared_at_equal_lengths_only() -> None:
    gaps = figure("gaps", 5.0, 2.0, unit="1")
    assert compare(side(gaps), side(gaps, duration=62.0)).rows[0].verdict == SAME
    assert "record both for 600 s" in compare(side(gaps), side(gaps, duration=600.0)).rows[0].reason


def test_a_set_of_boards_counts_what_they_differ_by_as_noise() -> None:
    def several(values: list[float], name: str) -> Side:
        members = tuple(side(noise(value, 0.1e-6), name=f"{name}{at}").members[0] for at, value in enumerate(values))
        return Side(name, members)

    a, b = several([95e-6, 100e-6, 105e-6], "A"), several([97e-6, 103e-6, 109e-6], "B")
    assert compare(a, b).rows[0].verdict == SAME
    assert compare(side(noise(100e-6, 0.1e-6)), side(noise(103e-6, 0.1e-6))).rows[0].verdict == WORSE
    far = several([195e-6, 200e-6, 205e-6], "B")
    assert compare(a, far).rows[0].verdict == WORSE


def test_a_longer_recording_is_asked_for_where_the_difference_would_not_be_seen() -> None:
    found = compare(side(noise(100e-6, 5e-6)), side(noise(101e-6, 5e-6)), see=0.1)
    needs = found.rows[0].needs_s
    assert needs is not None
    assert 60 < needs < 200
    assert compare(side(noise(100e-6, 5e-6)), side(noise(101e-6, 5e-6)), see=0.02).rows[0].needs_s > 20 * needs


@given(st.floats(0.01, 1.0), st.floats(0.001, 0.2), st.integers(1, 200))
def test_at_the_length_that_was_predicted_nine_of_ten_are_seen(apart: float, error: float, tests: int) -> None:
    """The prediction and the verdict are one calculation: at that length the difference stands at its 90 % point."""
    one = noise(100e-6, 100e-6 * error)
    needs = length_needed(one, apart, 60.0, tests)
    assert needs is not None
    shrink = math.sqrt(60.0 / needs)
    ends = [math.log(end) for end in (one.low or 0, one.value or 0, one.high or 0)]
    scaled = replace(one, low=math.exp(ends[1] - shrink * (ends[1] - ends[0])),
                     high=math.exp(ends[1] + shrink * (ends[2] - ends[1])))  # fmt: skip
    factor = 1 + apart
    other = replace(scaled, value=factor * (scaled.value or 0), low=factor * (scaled.low or 0),
                    high=factor * (scaled.high or 0))  # fmt: skip
    assert on_ratio(scaled, other)
    estimates = [one for one in (estimate_of(scaled, True), estimate_of(other, True)) if one is not None]
    found = difference(*estimates)
    worst = max(max(one.below, one.above) for one in estimates)
    assert found.value / (math.sqrt(2) * worst) >= 1.2815 + 1.9599
    assert found.p * tests <= ALPHA


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_never_makes_a_chance_smaller_and_keeps_their_order(chances: list[float]) -> None:
    adjusted = holm(chances)
    assert all(after >= before for before, after in zip(chances, adjusted, strict=True))
    assert max(adjusted) <= 1.0
    order = sorted(range(len(chances)), key=chances.__getitem__)
    assert [adjusted[at] for at in order] == sorted(adjusted)


def test_alike_sides_are_called_better_or_worse_in_at_most_one_of_twenty_comparisons() -> None:
    generator = random.Random(5)

    def drawn() -> Side:
        return side(*(figure(f"m{at}", 100.0 + generator.gauss(0, 1), 1.96) for at in range(20)))

    false = sum(any(row.verdict in (BETTER, WORSE) for row in compare(drawn(), drawn())) for _ in range(400))
    assert false <= 400 * 0.05 + 2.6 * math.sqrt(400 * 0.05 * 0.95)
    assert false > 2
