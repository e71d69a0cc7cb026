"""Figures and plots of what `common` has added up: values, codes, runs, correlation.

Rule of this room: no reading is seen here, only sums. Intervals of means are by batch means, because readings depend on
their neighbours; extremes have none.
"""

from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy import stats

from hil.measure.codes import Codes
from hil.measure.common import Common
from hil.measure.figure import Figure, PlotData
from hil.measure.intervals import NONE, Interval, batch_interval, count_interval, of_batches, share_interval
from hil.measure.make import Maker

__all__ = ["correlation_figures", "value_figures", "value_plots"]

Float = npt.NDArray[np.float64]

_MOST_PAIRS = 45


def value_figures(make: Maker, common: Common) -> list[Figure]:
    """Return the figures of the values of every channel."""
    figures = []
    for place, channel in enumerate(common.channels):
        figures += _distribution(make, common, place, channel)
        figures += _codes(make, common, place, channel)
        if common.runs:
            figures += _runs(make, common, place, channel)
    return figures


def _distribution(make: Maker, common: Common, place: int, channel: str) -> list[Figure]:
    moments = common.moments
    if not moments.n:
        return [make.unknown("mean", "there are no readings", channel)]
    _, means, variances, _ = common.blocks.arrays()
    mean = float(moments.mean[place])
    two, three, four = (float(each[place]) for each in moments.central())
    sd = float(np.sqrt(two))
    ends: Interval = NONE
    wide: Interval = NONE
    if len(means):
        ends = batch_interval(mean, of_batches(lambda part: float(means[part, place].mean()), len(means)))
        if not common.stream.is_image:
            total = of_batches(
                lambda part: float((variances[part, place] + (means[part, place] - mean) ** 2).mean()), len(means)
            )
            low, high = batch_interval(two, total)
            if low is not None and high is not None and two > 0:
                # In the logarithm: a variance is skewed, and its interval never reaches 0.
                factor = float(np.exp((high - low) / 4 / two))
                wide = sd / factor, sd * factor
    told = "all readings, whatever happened meanwhile"
    n = moments.n
    figures = [
        make("mean", mean, *ends, channel=channel, condition=told, n=n, method="mean, batch means"),
        make("sd", sd, *wide, channel=channel, condition=told, n=n, method="standard deviation, batch means"),
        make("minimum", float(moments.least[place]), channel=channel, condition=told, n=n, method="extreme"),
        make("maximum", float(moments.greatest[place]), channel=channel, condition=told, n=n, method="extreme"),
    ]
    if sd <= 0:
        flat = "every reading is the same"
        return [*figures, make.unknown("skewness", flat, channel), make.unknown("kurtosis", flat, channel)]
    return [
        *figures,
        make("skewness", three / sd**3, channel=channel, condition=told, n=n, method="third moment"),
        make("kurtosis", four / two**2 - 3, channel=channel, condition=told, n=n, method="fourth moment less 3"),
    ]


def _codes(make: Maker, common: Common, place: int, channel: str) -> list[Figure]:
    spread = common.spreads[place]
    codes = Codes(spread)
    scale = _at(common.stream.scale, place)
    step, why = codes.step()
    n = codes.total
    used = (
        make("codes_used", len(codes.codes), channel=channel, condition="different readings", n=n, method="count")
        if spread.exact
        else make.unknown("codes_used", "there are too many different readings", channel)
    )
    odd = f"{spread.not_finite} readings are no numbers" if spread.not_finite else ""
    hits, how = codes.saturated()
    saturation = make("saturation", 100 * hits / n if n else None, *share_interval(hits, n), channel=channel,
                      condition=how, n=n, method="share, Clopper-Pearson", note=odd)  # fmt: skip
    if step is None:
        missing = make.unknown("missing_codes", why, channel)
        return [make.unknown("quantisation_step", why, channel), used, missing, saturation]
    found, judged, reason = codes.missing(step)
    size = make("quantisation_step", step * abs(scale), channel=channel, n=n, method="greatest common step",
                condition="smallest step that occurs; the board may round more finely than it prints"
                if spread.dtype.kind == "f" else "greatest common divisor of the codes, times the scale")  # fmt: skip
    if found is None:
        return [size, used, make.unknown("missing_codes", reason, channel), saturation]
    missing = make("missing_codes", found, *count_interval(found), channel=channel, n=judged,
                   condition=f"of {judged} codes whose neighbours are frequent enough to tell",
                   method="absent where neighbours promise 20 or more")  # fmt: skip
    return [size, used, missing, saturation]


def _runs(make: Maker, common: Common, place: int, channel: str) -> list[Figure]:
    judged = common.runs[place].judge()
    usual = common.look.usual_s
    n = common.timing.samples
    longest = make(
        "longest_stuck",
        judged.longest * usual if usual else None,
        channel=channel,
        n=judged.longest,
        condition="equal readings in a row, chance included",
        method="longest run times the usual step",
    )
    if judged.readings is None:
        stuck = make.unknown("stuck", judged.why, channel, n=n)
    else:
        stuck = make("stuck", 100 * judged.readings / n, *share_interval(judged.readings, n), channel=channel, n=n,
                     condition=f"runs of {judged.shortest} equal readings or more: chance makes none so long",
                     method="share, Clopper-Pearson, as if independent")  # fmt: skip
    spikes, hits = common.spikes, int(common.spikes.hits[place])
    if not spikes.judged:
        return [stuck, longest, make.unknown("outliers", "there are not 64 readings without a gap", channel)]
    worst = f"the worst is {spikes.worst[place]:.4g} {make.unit_of(channel)} off" if hits else ""
    outliers = make("outliers", 100 * hits / spikes.judged, *share_interval(hits, spikes.judged), channel=channel,
                    condition="single readings that go away and come back; motion and steps are none", note=worst,
                    n=spikes.judged, method="second difference over 8 robust standard deviations")  # fmt: skip
    return [stuck, longest, outliers]


def correlation_figures(make: Maker, common: Common) -> tuple[list[Figure], dict[str, PlotData]]:
    """Return the correlation of each pair of channels, and all of them as a map."""
    wide = len(common.channels)
    if wide < 2:
        return [], {}
    matrix, parts = common.together.correlation(), common.together.leave_out()
    n = common.together.n
    pairs = list(combinations(range(wide), 2))
    pairs.sort(key=lambda pair: -abs(np.nan_to_num(matrix[pair])))
    figures = []
    for one, other in pairs[:_MOST_PAIRS]:
        name = f"{common.channels[one]}~{common.channels[other]}"
        value = float(matrix[one, other])
        if not np.isfinite(value):
            figures.append(make.unknown("correlation", "one of the channels never changes", name))
            continue
        ends: Interval = NONE
        if len(parts) >= 6 and np.isfinite(parts[:, one, other]).all():
            left = np.arctanh(np.clip(parts[:, one, other], -0.999999, 0.999999))
            error = float(np.sqrt((len(parts) - 1) / len(parts) * ((left - left.mean()) ** 2).sum()))
            half = float(stats.t.ppf(0.975, len(parts) - 1)) * error
            middle = float(np.arctanh(np.clip(value, -0.999999, 0.999999)))
            ends = float(np.tanh(middle - half)), float(np.tanh(middle + half))
        figures.append(make("correlation", value, *ends, channel=name, n=n,
                            condition="of the steps from sample to sample: shared noise or shared motion",
                            method="Pearson; block jackknife of Fisher's z"))  # fmt: skip
    plot = PlotData("correlation", "correlation of the channels", make.place, "", "", "1", {"z": matrix},
                    names=common.channels)  # fmt: skip
    return figures, {f"correlation.{make.board}.{common.stream.name}": plot}


def value_plots(make: Maker, common: Common) -> dict[str, PlotData]:
    """Return the histogram of every channel, in units."""
    plots = {}
    for place, channel in enumerate(common.channels):
        edges, counts = Codes(common.spreads[place]).histogram()
        x = edges * _at(common.stream.scale, place) + _at(common.stream.offset, place)
        if x[0] > x[-1]:
            x, counts = x[::-1], counts[::-1]
        plots[f"histogram.{make.board}.{common.stream.name}.{channel}"] = PlotData(
            "histogram", "distribution of readings", make.place, channel, f"reading, {make.unit_of(channel)}",
            "readings", {"x": x, "y": counts},
        )  # fmt: skip
    return plots


def _at(numbers: tuple[float, ...], place: int) -> float:
    return numbers[place] if len(numbers) > 1 else numbers[0]
