"""Every metric that measuring a sensor can give: name, unit, meaning and where it comes from, in one table.

Rule of this room: no figure without a row here. `level` says what a metric belongs to and so how it is called:
`channel` -> `stream.BOARD.STREAM.CHANNEL.METRIC`, `stream` -> `stream.BOARD.STREAM.METRIC`, `board` ->
`clock.BOARD.METRIC` or `link.BOARD.METRIC`. In `unit`, `{u}` stands for the unit of the channel.
"""

from dataclasses import dataclass

__all__ = ["METRICS", "Metric", "pattern"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One kind of figure.

    Attributes:
        key: Last part of its name.
        level: `channel`, `stream`, `clock` or `link` (of a board).
        unit: Its unit; `{u}` is the unit of the channel.
        better: `lower`, `higher` or `none`.
        source: What it is found from.
        meaning: One sentence.
        kind: `data`, or `timing` where it depends on the host's wall clock.
        of: Kind of stream that has it: `all`, `inertial`, `ppg`, `image`, `reference`.
    """

    key: str
    level: str
    unit: str
    better: str
    source: str
    meaning: str
    kind: str = "data"
    of: str = "all"


def pattern(metric: Metric) -> str:
    """Return how its figures are called, such as `stream.BOARD.STREAM.CHANNEL.noise_density`."""
    places = {"channel": "stream.BOARD.STREAM.CHANNEL", "stream": "stream.BOARD.STREAM"}
    return f"{places.get(metric.level, f'{metric.level}.BOARD')}.{metric.key}"


def _rows(of: str, *rows: tuple[str, ...]) -> list[Metric]:
    made = []
    for key, level, unit, better, source, meaning, *kind in rows:
        made.append(Metric(key, level, unit, better, source, meaning, kind[0] if kind else "data", of))
    return made


_ALL = _rows(
    "all",
    ("rate", "stream", "Hz", "none", "ticks, or times where there are none", "samples a second while none are missing"),
    ("effective_rate", "stream", "Hz", "higher", "numbers and times", "samples that arrived, for each second measured"),
    ("jitter", "stream", "us", "lower", "ticks", "standard deviation of the step from sample to sample"),
    ("jitter_worst", "stream", "us", "lower", "ticks", "how far the oddest step is from the usual one"),
    ("unequal_steps", "stream", "%", "lower", "ticks", "steps more than a tenth away from the usual one"),
    ("bursts", "stream", "%", "lower", "times",
     "samples whose stamp follows the one before within a tenth of the usual step", "timing"),
    ("loss", "stream", "%", "lower", "ledger and numbers", "samples that were due and did not arrive"),
    ("invalid", "stream", "%", "lower", "ledger and gaps", "samples that arrived and were bad by their own checksum"),
    ("gaps", "stream", "1", "lower", "numbers", "places where samples are missing"),
    ("drift", "clock", "ppm", "lower", "clock exchanges", "how much faster the board's clock runs than the host's"),
    ("wander", "clock", "us", "lower", "clock exchanges, refit", "what is left of the clock's course about a line"),
    ("stability", "clock", "ppm", "lower", "clock exchanges, refit", "change of the drift from span to span"),
    ("round_trip", "clock", "us", "lower", "clock exchanges", "the usual time of an exchange", "timing"),
    ("reboots", "link", "1", "lower", "events", "how often the board started anew"),
    ("samples_lost", "link", "1", "lower", "ledger", "samples of all streams that were due and did not arrive"),
    ("bytes_damaged", "link", "%", "lower", "ledger", "received bytes that belong to no valid frame or line"),
    ("mean", "channel", "{u}", "none", "readings", "mean of all readings"),
    ("sd", "channel", "{u}", "none", "readings", "standard deviation of all readings, signal and noise"),
    ("minimum", "channel", "{u}", "none", "readings", "the least reading"),
    ("maximum", "channel", "{u}", "none", "readings", "the greatest reading"),
    ("skewness", "channel", "1", "none", "readings", "asymmetry of the distribution; 0 when symmetric"),
    ("kurtosis", "channel", "1", "none", "readings", "weight of the tails over a normal distribution's; 0 when normal"),
    ("quantisation_step", "channel", "{u}", "lower", "codes", "the step all readings are multiples of"),
    ("codes_used", "channel", "1", "none", "codes", "how many different codes occur"),
    ("missing_codes", "channel", "1", "lower", "codes", "codes that never occur where their neighbours often do"),
    ("saturation", "channel", "%", "lower", "codes", "readings at the end of the range"),
    ("stuck", "channel", "%", "lower", "runs", "readings in runs too long to be chance"),
    ("longest_stuck", "channel", "s", "lower", "runs", "the longest time without a change"),
    ("outliers", "channel", "%", "lower", "second differences", "single readings far from both neighbours"),
    ("noise_floor", "channel", "{u}/sqrt(Hz)", "lower", "spectrum", "median density in the upper half of the band"),
    ("mains", "channel", "{u}", "lower", "spectrum", "amplitude at the mains frequency or an alias of it"),
    ("strongest_peak", "channel", "Hz", "none", "spectrum", "frequency of the strongest narrow line"),
    ("peaks", "channel", "1", "lower", "spectrum", "narrow lines above the surrounding noise"),
    ("correlation", "stream", "1", "none", "readings", "correlation of two channels from sample to sample"),
    ("temperature_coefficient", "channel", "{u}/K", "lower", "means and a temperature stream",
     "change of the mean with temperature"),
    ("warm_up", "channel", "{u}", "lower", "means and a temperature stream",
     "mean of the last tenth of the time less that of the first, while the temperature changed"),
)  # fmt: skip

_INERTIAL = _rows(
    "inertial",
    ("rest", "stream", "%", "none", "rest detection", "share of the time at rest"),
    ("noise_density", "channel", "{u}/sqrt(Hz)", "lower", "Allan deviation at rest, slope -1/2",
     "white noise, one-sided density"),
    ("random_walk", "channel", "{w}", "lower", "noise density", "angle (gyroscope) or velocity random walk"),
    ("random_walk_1s", "channel", "{w}", "lower", "Allan deviation at 1 s",
     "angle or velocity random walk as datasheets give it: the deviation at 1 s, whatever else is in it"),
    ("bias_instability", "channel", "{u}", "lower", "Allan deviation at rest, slope 0", "flicker of the bias"),
    ("rate_random_walk", "channel", "{u}/sqrt(s)", "lower", "Allan deviation at rest, slope +1/2",
     "random walk of the bias"),
    ("deviation_1s", "channel", "{u}", "lower", "Allan deviation at rest", "overlapping Allan deviation at 1 s"),
    ("modified_1s", "channel", "{u}", "lower", "Allan deviation at rest", "modified Allan deviation at 1 s"),
    ("hadamard_1s", "channel", "{u}", "lower", "Allan deviation at rest",
     "overlapping Hadamard deviation at 1 s: blind to a steady drift"),
    ("deviation_least", "channel", "{u}", "lower", "Allan deviation at rest", "the least of the Allan deviation"),
    ("rest_mean", "channel", "{u}", "none", "readings at rest", "mean at rest: the bias of a gyroscope"),
    ("gravity", "stream", "{u}", "none", "readings at rest", "length of the mean acceleration at rest"),
    ("poses", "stream", "1", "higher", "rest detection", "different attitudes at rest"),
    ("scale_error", "channel", "%", "lower", "calibration", "scale factor less 1"),
    ("bias", "channel", "{u}", "lower", "calibration", "reading where there should be none"),
    ("misalignment", "stream", "deg", "lower", "calibration", "how far two sensing axes are from a right angle"),
    ("calibration_residual", "stream", "{u}", "lower", "calibration", "what the calibration leaves unexplained, rms"),
    ("tilt_noise", "stream", "deg", "lower", "vqf at rest", "standard deviation of the inclination at rest"),
    ("heading_drift", "stream", "deg/min", "lower", "vqf at rest", "change of the heading at rest"),
    ("turned", "stream", "deg", "none", "vqf", "greatest turn away from the first attitude"),
)  # fmt: skip

_PPG = _rows(
    "ppg",
    ("beats", "channel", "1", "none", "beat detection", "heart beats found"),
    ("heart_rate", "channel", "1/min", "none", "beat detection", "60 s over the median time between beats"),
    ("perfusion", "channel", "%", "higher", "beats", "height of the pulse over the level"),
    ("signal_to_noise", "channel", "dB", "higher", "beats",
     "power of the mean pulse over that of what differs from it, 0.5 to 8 Hz"),
    ("motion_artefacts", "channel", "%", "lower", "beats", "share of the time in which the pulse has another shape"),
    ("beat_agreement", "channel", "%", "higher", "beats of two channels",
     "beats that the reference channel has too (F1, within 150 ms)"),
    ("beat_delay", "channel", "ms", "none", "beats of two channels", "median time after the beat of the reference"),
    ("beat_spread", "channel", "ms", "lower", "beats of two channels", "standard deviation of that time"),
)  # fmt: skip

_IMAGE = _rows(
    "image",
    ("temporal_noise", "stream", "{u}", "lower", "second differences", "noise of a pixel in time, median pixel"),
    ("netd", "stream", "mK", "lower", "temporal noise",
     "noise equivalent temperature difference: the temporal noise of a thermal array"),
    ("fixed_pattern_noise", "stream", "{u}", "lower", "mean picture",
     "deviation of a pixel's mean from its neighbours', robust"),
    ("non_uniformity", "stream", "{u}", "lower", "mean picture", "standard deviation of the mean picture"),
    ("dead_pixels", "stream", "1", "lower", "noise map", "pixels that never change or are far from their neighbours"),
    ("blinking_pixels", "stream", "1", "lower", "jumps", "pixels that jump to and fro alone"),
    ("dead_rows", "stream", "1", "lower", "noise map", "rows and columns without a living pixel"),
    ("frames_dropped", "stream", "%", "lower", "numbers and events", "frames that were due and are not usable"),
    ("step_response", "stream", "s", "lower", "mean of the strongest step", "time from 10 to 90 % of a step"),
)  # fmt: skip

_REFERENCE = _rows(
    "reference",
    ("delay", "channel", "ms", "lower", "cross-correlation", "how much later than the reference"),
    ("gain", "channel", "1", "none", "regression", "change for one unit of the reference"),
    ("offset", "channel", "{u}", "none", "regression", "reading where the reference reads 0"),
    ("rmse", "channel", "{u}", "lower", "differences", "root mean square difference after the delay is taken off"),
    ("agreement_bias", "channel", "{u}", "none", "differences", "mean difference (Bland-Altman)"),
    ("agreement_low", "channel", "{u}", "none", "differences", "lower limit of agreement (Bland-Altman, 95 %)"),
    ("agreement_high", "channel", "{u}", "none", "differences", "upper limit of agreement (Bland-Altman, 95 %)"),
    ("coherence", "channel", "1", "higher", "spectra", "coherence weighted by the reference's power"),
)

METRICS = {metric.key: metric for metric in [*_ALL, *_INERTIAL, *_PPG, *_IMAGE, *_REFERENCE]}
"""Every metric by its key."""
