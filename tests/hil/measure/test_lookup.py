"""A check finds its figure by name, and a name that means nothing is told with those that do."""

import pytest

from firmware_bridge.errors import UsageError
from hil.measure.figure import Figure, Measurement
from hil.measure.lookup import value_of


def figure(name: str, value: float | None = 1.0) -> Figure:
    return Figure(name, "arm/imu", value, "g", None, None, "unknown: too short" if value is None else "")


MEASURED = Measurement((figure("stream.arm.imu.ax.noise_density"), figure("clock.arm.drift", None)))


def test_a_figure_is_found_by_its_dotted_name() -> None:
    assert value_of(MEASURED, "stream.arm.imu.ax.noise_density").value == 1.0


def test_an_unknown_figure_is_given_with_its_reason() -> None:
    found = value_of(MEASURED, "clock.arm.drift")
    assert found.value is None
    assert "too short" in found.condition


@pytest.mark.parametrize(
    ("name", "words"),
    [("stream.arm.imu.ax.noise_densty", "did you mean noise_density"),
     ("stream.leg.imu.ax.noise_density", "there is stream.arm.imu.ax.noise_density"),
     ("stream.arm.imu.perfusion", "no such figure"), ("zzz", "hil metrics")],
)  # fmt: skip
def test_a_name_that_means_nothing_is_told_with_those_that_do(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        value_of(MEASURED, name)
