"""Figures of a run against others who count the same: scikit-learn, NumPy, and what was planted."""

from binascii import crc_hqx
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from cobs import cobs
from sklearn.metrics import accuracy_score, f1_score, recall_score

import hil
from firmware_bridge.events import Arrival
from firmware_bridge.faults import Schedule
from hil.measure.make import slug
from hil.recording.arrays import StreamArrays
from hil.scenario.execution.execute import Execution, execute
from hil.scenario.execution.targets import place_of
from hil.scenario.grammar.catalogue import ROWS, find_row
from hil.scenario.grammar.load import Loaded, parse_scenario
from hil.scenario.results.outcome import Reading
from hil.scenario.run import RunOptions, readings_of, run_scenario

SCENARIOS = Path(__file__).resolve().parents[3] / "scenarios"


PEOPLE = """
name = "two minutes of person 9, some frames of which are bad"
[board.watch]
recording = "recordings/watch-unseen-9.mcap"
[readings]
from_s = 60.0
to_s = 180.0
[model.exercise]
file = "exercise"
board = "watch"
deadline_ms = 0.5
[[event]]
name = "any"
model = "exercise"
label = "{label}"
delay_s = 3.0
[[check]]
metric = "model.exercise.coverage"
at_least = 0.5
"""


BAD = [{"kind": "frame.bad_crc", "on": "watch", "rate": 0.03, "from_s": 80.0, "to_s": 130.0}]


IMU = 'name = "i"\n[board.imu]\nvirtual = "imu?rate=100&ppm=-38"\nseed = 3\n[readings]\nto_s = 20.0\n'


CHECK = '[[check]]\nmetric = "{metric}"\n{limit}\n'


LABEL = "PEN"


@dataclass(frozen=True, eq=False)
class Run:
    """One run: its figures by name, what they were made of, and its readings as a recording holds them."""

    figures: dict[str, Reading]
    done: Execution
    arrays: StreamArrays
    heard: list[Arrival]

    def value(self, name: str) -> float:
        value = self.figures[name].value
        assert value is not None, self.figures[name].why
        return value


def loaded(text: str) -> Loaded:
    return Loaded(SCENARIOS / "s.toml", text, parse_scenario(text, "s.toml"))


def ran(text: str, faults: list[dict[str, object]], path: Path) -> Run:
    one = loaded(text)
    (role, table), *_ = one.scenario.board.items()
    heard: list[Arrival] = []
    schedule = Schedule.from_dict({"seed": 4, "fault": faults})
    done = execute(one, [place_of(role, table, None, alone=True)], 0, schedule, keep=path, watch=[heard.append])
    with hil.open(path) as recording:
        arrays = recording.read(role, "imu")
    return Run({each.name: each for each in readings_of(done, one, False)}, done, arrays, heard)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return ran(PEOPLE.replace("{label}", LABEL), BAD, tmp_path_factory.mktemp("people") / "run.mcap")


@pytest.fixture(scope="module")
def imu(tmp_path_factory: pytest.TempPathFactory) -> Run:
    faults: list[dict[str, object]] = [
        {"kind": "frame.drop", "on": "imu", "rate": 0.02, "to_s": 19.0},
        {"kind": "frame.bad_crc", "on": "imu", "rate": 0.05, "to_s": 19.0},
        {"kind": "sensor.bias", "on": "imu", "offset": 1e5, "from_s": 10.0, "to_s": 12.0},
        {"kind": "clock.jitter", "on": "imu", "us": 40.0},
    ]
    text = IMU + CHECK.format(metric="link.imu.bytes", limit="at_least = 1")
    return ran(text, faults, tmp_path_factory.mktemp("imu") / "run.mcap")


MISSED = "no decision"


def windows(run: Run) -> tuple[list[str], list[str], list[float]]:
    """Truth, answer and confidence of every window, each looked at by itself, sample by sample."""
    model = run.done.models["exercise"]
    numbers, t_ns = run.arrays.numbers, run.arrays.t_ns
    every = np.arange(numbers[0], numbers[-1] + 1)
    when = np.interp(every, numbers, (t_ns - t_ns[0]).astype(np.float64))
    names = np.full(len(every), "", dtype=object)
    for label in run.done.labels["watch"]:
        stop = np.inf if label.stop_ns is None else label.stop_ns - t_ns[0]
        names[(when >= label.start_ns - t_ns[0]) & (when < stop)] = label.text
    said = {one.sample: one for one in model.made}
    truth: list[str] = []
    answers: list[str] = []
    sure: list[float] = []
    for end in range(int(every[0]) + 1, int(every[-1]) + 2):
        if end % model.hop:
            continue
        found = said.get(end - 1)
        if found is None and end < every[0] + model.memory:
            continue  # nobody could have decided yet
        part = names[max(0, end - model.window - every[0]) : end - every[0]]
        held = {name: int((part == name).sum()) for name in set(part) - {""}}
        true = max(held, key=lambda name: held[name], default="")
        if true and true in model.labels and 2 * held[true] >= model.window:
            truth.append(true)
            answers.append(MISSED if found is None else found.label)
            sure.append(0.0 if found is None else found.confidence)
    return truth, answers, sure


def test_accuracy_f1_and_recall_are_those_of_scikit_learn_with_missed_decisions_as_errors(people: Run) -> None:
    truth, said, _ = windows(people)
    assert said.count(MISSED) > 5
    assert len(set(truth)) > 2
    assert people.value("model.exercise.judged") == len(truth)
    assert people.value("model.exercise.accuracy") == pytest.approx(accuracy_score(truth, said), abs=1e-12)
    occurring = sorted({*truth, *said} - {MISSED})
    f1 = f1_score(truth, said, labels=occurring, average="macro", zero_division=0)
    assert people.value("model.exercise.macro_f1") == pytest.approx(f1, abs=1e-12)
    recalls = recall_score(truth, said, labels=sorted(set(truth)), average=None, zero_division=0)
    for label, recall in zip(sorted(set(truth)), recalls, strict=True):
        assert people.value(f"model.exercise.recall.{slug(label)}") == pytest.approx(recall, abs=1e-12), label
    for label in set(people.done.models["exercise"].labels) - set(truth):
        assert people.figures[f"model.exercise.recall.{slug(label)}"].value is None


def test_the_calibration_error_is_the_sum_over_fifteen_bins(people: Run) -> None:
    truth, said, sure = windows(people)
    made = [(true == one, much) for true, one, much in zip(truth, said, sure, strict=True) if one != MISSED]
    total = 0.0
    for low in range(15):
        inside = [(right, much) for right, much in made if low == min(int(much * 15), 14)]
        if inside:
            right, much = np.mean([one for one, _ in inside]), np.mean([one for _, one in inside])
            total += len(inside) / len(made) * abs(right - much)
    assert people.value("model.exercise.ece") == pytest.approx(total, abs=1e-9)


def test_coverage_is_the_share_of_the_hops_at_which_a_decision_was_made(people: Run) -> None:
    model = people.done.models["exercise"]
    numbers = people.arrays.numbers
    due = [end for end in range(int(numbers[0]) + model.memory, int(numbers[-1]) + 2) if end % model.hop == 0]
    made = {one.sample + 1 for one in model.made}
    assert made <= set(due)
    assert people.value("model.exercise.missed") == len(due) - len(made) > 0
    assert people.value("model.exercise.coverage") == pytest.approx(len(made) / len(due), abs=1e-12)


def test_latency_age_and_missed_deadlines_are_those_of_the_single_decisions(people: Run) -> None:
    model = people.done.models["exercise"]
    assert len(model.latency_ms) == len(model.age_ms) == len(model.made)
    for key, single in (("latency", model.latency_ms), ("age", model.age_ms)):
        ordered = np.sort(single)
        for share in (50, 99):
            assert people.value(f"model.exercise.{key}_p{share}") == pytest.approx(np.quantile(ordered, share / 100))
    late = sum(took > 0.5 for took in model.latency_ms)
    assert people.value("model.exercise.deadline_misses") == late
    rx = np.array([one.t_ns for one in people.heard if one.kind == "rx"])
    decided = np.array([one.t_ns for one in model.made])
    ages = (rx[np.searchsorted(rx, decided)] - decided) / 1e6
    assert people.value("model.exercise.age_p50") >= np.median(ages) >= 0


@pytest.mark.parametrize("which", ["people", "imu"])
def test_figures_of_the_readings_are_those_of_numpy(which: str, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue(which)
    arrays, role = run.arrays, next(iter(run.done.evidence.boards))
    stream = arrays.stream
    values = arrays.raw.astype(np.float64) * np.asarray(stream.scale) + np.asarray(stream.offset)
    follows = np.diff(arrays.numbers) == 1
    ends = np.iinfo(arrays.raw.dtype)
    full = (arrays.raw == ends.min) | (arrays.raw == ends.max)
    for at, channel in enumerate(stream.channels):
        column = values[:, at]
        second = np.diff(column, n=2)[follows[1:] & follows[:-1]]
        expected = {
            "minimum": column.min(), "maximum": column.max(), "mean": column.mean(), "sd": column.std(),
            "noise": np.sqrt(np.mean(second**2) / 6.0), "saturation": 100.0 * full[:, at].mean(),
        }  # fmt: skip
        for key, value in expected.items():
            found = run.value(f"stream.{role}.imu.{slug(channel)}.{key}")
            assert found == pytest.approx(value, rel=1e-9, abs=1e-9), (channel, key)
            assert np.float32(found) == pytest.approx(np.float32(value), rel=1e-5, abs=1e-6)


def test_rate_jitter_and_gaps_follow_from_ticks_and_numbers(imu: Run) -> None:
    numbers, ticks, hz = imu.arrays.numbers, imu.arrays.ticks, imu.arrays.stream.tick_hz
    steps = np.diff(ticks)[np.diff(numbers) == 1]
    away = np.sort(np.abs(steps - np.quantile(steps, 0.5, method="inverted_cdf"))) * 1e6 / hz
    assert imu.value("stream.imu.imu.samples") == len(numbers)
    assert imu.value("stream.imu.imu.rate") == pytest.approx(len(steps) * hz / steps.sum(), rel=1e-12)
    jitter = imu.value("stream.imu.imu.jitter_p99")
    assert jitter == pytest.approx(np.quantile(away, 0.99, method="inverted_cdf"), abs=1e-9)
    assert 40 < jitter < 400
    holes = int((np.diff(numbers) > 1).sum())
    assert imu.value("stream.imu.imu.gaps") == imu.value("link.imu.gaps") == holes > 2
    assert imu.value("link.imu.samples_lost") == int((np.diff(numbers) - 1).sum())


def test_readings_at_the_end_of_their_range_are_counted_where_they_were_planted(imu: Run) -> None:
    seconds = (imu.arrays.t_ns - imu.arrays.start_ns) / 1e9
    planted = 100.0 * ((seconds >= 10.0) & (seconds < 12.0)).mean()
    assert 5 < planted < 20
    for channel in ("ax", "ay", "az", "wx", "wy", "wz"):
        assert imu.value(f"stream.imu.imu.{channel}.saturation") == pytest.approx(planted, abs=0.1)


@pytest.mark.parametrize("which", ["people", "imu"])
def test_every_frame_whose_checksum_is_wrong_is_counted_and_the_ledger_closes(
    which: str, request: pytest.FixtureRequest
) -> None:
    run: Run = request.getfixturevalue(which)
    role = next(iter(run.done.evidence.boards))
    received = b"".join(one.data for one in run.heard if one.kind == "rx")
    bodies = [cobs.decode(frame) for frame in received.split(b"\0")[:-1] if frame]
    wrong = [crc_hqx(body[:-2], 0xFFFF) != int.from_bytes(body[-2:], "little") for body in bodies]
    assert sum(wrong) > 5
    assert run.value(f"link.{role}.crc_failures") == sum(wrong)
    assert run.value(f"link.{role}.bytes_unaccounted") == 0
    assert run.value(f"link.{role}.samples_unaccounted") == 0
    assert run.value(f"link.{role}.samples_expected") == run.value(f"link.{role}.samples") + run.value(
        f"link.{role}.samples_lost"
    )


def test_the_drift_that_was_planted_lies_within_the_stated_uncertainty(imu: Run) -> None:
    drift = imu.figures["clock.imu.drift"]
    assert drift.value is not None
    assert drift.uncertainty is not None
    assert abs(drift.value + 38) <= drift.uncertainty + 1e-9
    assert drift.uncertainty < 1


@pytest.mark.parametrize(
    ("limit", "outcome"),
    [
        ("equals = -38\nwithin_percent = 1", "PASS"),
        ("equals = -38\nwithin_percent = 1e-12", "TROUBLE"),
        ("between = [-38.5, -37.5]", "PASS"),
        ("at_most = -1e-15", "TROUBLE"),
        ("at_most = -39", "FAIL"),
    ],
)
def test_a_check_tighter_than_the_clock_is_known_is_trouble_and_never_a_pass(limit: str, outcome: str) -> None:
    text = IMU.replace("to_s = 20.0", "to_s = 3.0") + CHECK.format(metric="clock.imu.drift", limit=limit)
    result = run_scenario(loaded(text), RunOptions())
    assert [one.outcome for one in result.checks] == [outcome], result.checks
    assert result.outcome == outcome


def test_the_rate_of_false_alarms_is_by_the_hour_of_readings(people: Run) -> None:
    t_ns = people.arrays.t_ns
    labelled = [one for one in people.done.labels["watch"] if one.text == LABEL and one.start_ns < t_ns[-1]]
    met, missed = people.value("event.any.true_positives"), people.value("event.any.false_negatives")
    assert met + missed == len(labelled) > 0
    hours = (t_ns[-1] - t_ns[0]) / 3.6e12
    false = people.value("event.any.false_positives")
    assert people.value("event.any.false_alarms_per_h") == pytest.approx(false / hours, rel=1e-9)


def test_every_figure_of_a_run_has_a_row_of_its_own(people: Run, imu: Run) -> None:
    for run in (people, imu):
        for name, reading in run.figures.items():
            row = find_row(name)
            assert row is not None, name
            assert reading.kind == row.kind
            assert "{u}" not in reading.unit
    assert len({row.pattern for row in ROWS}) == len(ROWS)
