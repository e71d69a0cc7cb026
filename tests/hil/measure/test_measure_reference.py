"""A stream against a reference stream: a known delay, gain and offset are found."""

from pathlib import Path

import numpy as np
import pytest
from measured import known, measure, of_arrays, stream, why


def streams(path: Path, unit: str = "V", unrelated: bool = False) -> Path:
    """Record a 100 Hz stream that follows a 50 Hz reference 30 ms later, 1.1 times as strong and 0.2 higher."""
    rng = np.random.default_rng(1)
    fine = np.convolve(rng.normal(size=240_000 + 300), np.hanning(120), "same")[:240_300] / 5
    t = np.arange(240_300) / 1000
    own = np.interp(np.arange(24_000) / 100 + 0.1 - 0.03, t, fine)
    if unrelated:
        own = rng.permutation(own)
    reference = np.interp(np.arange(12_000) / 50 + 0.1, t, fine)
    return of_arrays(
        path,
        {
            stream("s", ["a"], ["V"], 100.0): (0.2 + 1.1 * own + rng.normal(0, 0.05, 24_000))[:, None],
            stream("r", ["ref"], [unit], 50.0): reference[:, None],
        },
    )


def test_delay_gain_offset_and_agreement(tmp_path: Path) -> None:
    made = measure(streams(tmp_path / "a.mcap"), reference="b/r")
    delay, low, high = known(made, "stream.b.s.a.delay")
    assert delay == pytest.approx(30, abs=1)
    assert high - low < 5
    gain, low, high = known(made, "stream.b.s.a.gain")
    assert gain == pytest.approx(1.1, abs=0.01)
    _, low, high = known(made, "stream.b.s.a.offset")
    assert low - 0.005 <= 0.2 <= high + 0.005
    assert known(made, "stream.b.s.a.agreement_bias")[0] == pytest.approx(0.2, abs=0.02)
    assert known(made, "stream.b.s.a.rmse")[0] > 0.2
    low_limit, high_limit = (made[f"stream.b.s.a.agreement_{end}"].value for end in ("low", "high"))
    assert low_limit is not None
    assert high_limit is not None
    assert low_limit < 0.2 < high_limit
    assert (made["stream.b.s.a.coherence"].value or 0) > 0.9
    assert "against b/r/ref" in made["stream.b.s.a.delay"].condition
    assert set(made.plots["overlay.b.s.a"].arrays) == {"x", "y", "reference"}
    assert not made.find("delay", "b/r")


def test_unrelated_streams_have_no_delay_and_other_units_no_difference(tmp_path: Path) -> None:
    made = measure(streams(tmp_path / "a.mcap", unit="A", unrelated=True), reference="r/ref")
    assert "no signal beyond chance" in why(made, "stream.b.s.a.delay")
    assert "its unit is another" in why(made, "stream.b.s.a.rmse")
    assert abs(known(made, "stream.b.s.a.gain")[0]) < 0.1
