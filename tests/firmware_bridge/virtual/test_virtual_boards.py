"""Each virtual board measures what it claims to measure."""

from pathlib import Path

import numpy as np
import pytest
from virtual_host import Host, samples

import firmware_bridge.virtual as virtual
from firmware_bridge.errors import UsageError
from firmware_bridge.streams import Stream
from firmware_bridge.virtual import boards
from firmware_bridge.virtual.boards import board_names, make_board, parse_port
from firmware_bridge.virtual.imu import PARAMETERS, AxisNoise, allan_deviation, axes, make
from firmware_bridge.virtual.parameters import read_parameters
from firmware_bridge.virtual.playback import PlaybackBoard, Series
from firmware_bridge.virtual.ppg import Heart
from firmware_bridge.virtual.settings import Identity, Settings
from firmware_bridge.wire.messages import Kind


def play(board: str, seconds: float, **params: str) -> tuple[Host, np.ndarray]:
    host = Host(make_board(board, params))
    host.start()
    host.run(seconds)
    stream = host.hello().info.streams[0]
    return host, stream.values(samples(host.heard, stream.name)[2])


# -------------------------------------------------------------------------------- imu


def imu_readings(n: int, **params: str) -> np.ndarray:
    sensor = make(params)._feeds[0].sensor
    return np.concatenate([sensor.stream.values(sensor.raw(at, 1024)) for at in range(0, n, 1024)]).astype(np.float64)


def measured_allan(series: np.ndarray, m: int) -> tuple[np.ndarray, int]:
    """Non-overlapping Allan deviation of each column at m samples, and how many differences it rests on."""
    n = len(series) // m
    means = series[: n * m].reshape(n, m, -1).mean(axis=1)
    return np.sqrt((np.diff(means, axis=0) ** 2).mean(axis=0) / 2), n - 1


@pytest.mark.parametrize("m", [1, 4, 16, 64, 256, 1024, 4096])
def test_the_allan_deviation_of_the_imu_is_the_closed_form(m: int) -> None:
    series = imu_readings(2**19, seed="21", walk_ug="300", walk_mdps="20")
    accel, gyro = axes(read_parameters("imu", {"walk_ug": "300", "walk_mdps": "20"}, PARAMETERS))
    found, count = measured_allan(series, m)
    for axis, noise in enumerate([accel] * 3 + [gyro] * 3):
        true = float(allan_deviation(noise, m / 1000, 1000))
        # neighbouring differences share a mean: about 2/3 as many free ones; four standard errors
        assert found[axis] == pytest.approx(true, rel=4 / np.sqrt(2 * count * 2 / 3)), (axis, m)


def test_every_term_of_the_closed_form_can_be_seen() -> None:
    quiet = {"noise_ug": "0", "walk_ug": "0", "noise_mdps": "0", "walk_mdps": "0"}
    still = imu_readings(4096, **quiet)
    assert still[:, 2] == pytest.approx(1.0)
    assert still.std(axis=0).max() == 0
    tau = np.array([0.001, 100.0])
    white, walk = AxisNoise(1e-4, 0, 0), AxisNoise(0, 1e-3, 0)
    assert allan_deviation(white, tau, 1000) == pytest.approx(1e-4 / np.sqrt(2 * tau))
    assert allan_deviation(walk, tau, 1000)[1] == pytest.approx(1e-3 * np.sqrt(100 / 3), rel=1e-6)
    assert allan_deviation(AxisNoise(0, 0, 1e-3), tau, 1000) == pytest.approx(1e-3 / np.sqrt(12 * tau * 1000))


def test_the_imu_saturates_at_full_scale() -> None:
    shaken = imu_readings(4096, motion="shake", range_g="8")
    assert shaken[:, 0].max() == pytest.approx(8, rel=1e-3)
    assert shaken[:, 0].min() == pytest.approx(-8, rel=1e-3)
    assert (shaken[:, 0] == shaken[:, 0].max()).mean() > 0.1


# -------------------------------------------------------------------------------- watch


def test_the_watch_plays_the_real_readings_and_says_whose_they_are() -> None:
    data = np.load(Path(virtual.__file__).with_name("watch_unseen.npz"), allow_pickle=False)
    host, _ = play("watch", 60.0, pause_s="0")
    raw = samples(host.heard, "imu")[2]
    assert np.array_equal(raw, data["raw"][: len(raw)])
    labels = [str(name) for name in data["labels"]]
    said = [f"label: {labels[data['label'][k]]} person 9 side right" for k in range(2)]
    assert host.texts() == said
    assert host.hello().info.extra["labels"] == labels


def test_the_label_is_announced_with_the_tick_of_the_first_sample_of_its_series() -> None:
    host, _ = play("watch", 70.0, pause_s="1.5")
    data = np.load(Path(virtual.__file__).with_name("watch_unseen.npz"), allow_pickle=False)
    first, rest = int(data["length"][0]), 75
    assert host.texts() == ["label: PEN person 9 side right", "label: none", "label: ABD person 9 side right"]
    numbers, _, raw = samples(host.heard, "imu")
    assert np.array_equal(raw[first + rest :], data["raw"][first : first + len(raw) - first - rest])
    assert (raw[first : first + rest, 3:] == 0).all()
    order = [type(one).__name__ for one in host.heard]
    assert order.index("Text") < order.index("Samples")
    assert numbers.tolist() == list(range(len(numbers)))


def test_the_watch_begins_anew_after_the_last_series() -> None:
    host, _ = play("watch", 150.0, series="ROW", person="10", pause_s="1")
    assert host.texts()[0].startswith("label: ROW person 10")
    assert len([text for text in host.texts() if text.startswith("label: ROW")]) > 2
    assert {text.split()[1] for text in host.texts()} == {"ROW", "none"}


def test_a_seed_shuffles_the_series() -> None:
    first = [play("watch", 1.0, seed=str(seed))[0].texts()[0] for seed in range(6)]
    assert first[0] == "label: PEN person 9 side right"
    assert len(set(first)) > 2


@pytest.mark.parametrize(("params", "word"), [({"person": "3"}, "there are 9 and 10"), ({"series": "JUMP"}, "PEN"),
                                              ({"series": "0", "person": "10"}, "leave nothing")])  # fmt: skip
def test_readings_that_are_not_there_are_refused_in_a_sentence(params: dict[str, str], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        make_board("watch", params)


# -------------------------------------------------------------------------------- ppg


def test_the_pulse_beats_at_the_rate_that_was_asked_for() -> None:
    for bpm in (50, 72, 150):
        beats = Heart(3, bpm, 40).beats(600.0)
        assert 60 / np.diff(beats).mean() == pytest.approx(bpm, rel=0.02)
        assert np.diff(beats).std() == pytest.approx(0.04, rel=0.25)
    _, current = play("ppg", 60.0, seed="2", bpm="90", noise="0", wander="0")
    ir = -(current[:, 0] - current[:, 0].mean())
    spectrum = np.abs(np.fft.rfft(ir * np.hanning(len(ir))))
    peak = np.fft.rfftfreq(len(ir), 0.01)[1 + spectrum[1:].argmax()]
    assert peak * 60 == pytest.approx(90, abs=4)


def test_perfusion_and_saturation_are_what_an_oximeter_would_read() -> None:
    _, current = play("ppg", 30.0, perfusion="3", spo2="90", noise="0", wander="0", hrv_ms="0")
    swing = (current.max(axis=0) - current.min(axis=0)) / current.max(axis=0)
    assert swing[0] * 100 == pytest.approx(3, rel=0.1)
    assert 110 - 25 * swing[1] / swing[0] == pytest.approx(90, abs=0.5)


def test_the_pulse_is_continuous() -> None:
    _, current = play("ppg", 20.0, noise="0", wander="0", perfusion="2")
    steps = np.abs(np.diff(current[:, 0])) / np.ptp(current[:, 0])
    assert steps.max() < 0.25  # a systolic upstroke takes several samples


# -------------------------------------------------------------------------------- thermal


@pytest.mark.parametrize(("size", "shape"), [("8x8", (8, 8)), ("24x32", (24, 32))])
def test_a_warm_person_moves_through_the_picture(size: str, shape: tuple[int, int]) -> None:
    host, frames = play("thermal", 20.0, size=size, seed="4")
    assert frames.shape[1:] == shape
    assert host.hello().info.stream("thermal").is_image
    assert host.dialect.books["fragment"] == 0
    assert np.median(frames) == pytest.approx(22, abs=2)
    hottest = frames.reshape(len(frames), -1)
    assert (hottest.max(axis=1) > 26).mean() > 0.9
    assert len(set(hottest.argmax(axis=1))) > 3


def test_dead_pixels_are_stuck() -> None:
    _, frames = play("thermal", 5.0, dead="3", seed="6")
    still = frames.std(axis=0) == 0
    assert still.sum() == 3
    assert set(np.round(frames[0][still])) <= {-20.0, 0.0, 120.0}


# -------------------------------------------------------------------------------- playback


def test_recorded_times_and_gaps_are_played_and_the_end_is_silence() -> None:
    stream = Stream("adc", ("a",), ("V",), "<i2", (1,), None)
    raw = np.arange(6, dtype="<i2")[:, None]
    seconds = np.array([2.0, 2.1, 2.2, 2.5, 2.6, 2.7])
    numbers = np.array([0, 1, 2, 5, 6, 7])
    host = Host(PlaybackBoard(Identity("x", "1", "f"), [Series(stream, raw, seconds, numbers)], Settings(group=4)))
    host.start()
    host.run(3.0)
    got, ticks, back = samples(host.heard, "adc")
    assert got.tolist() == numbers.tolist()
    assert np.array_equal(back, raw)
    assert np.diff(ticks[[0, 3]])[0] == 500_000
    row = host.status()[0]
    assert (row["produced"], row["dropped"]) == (8, 2)  # what the recording had lost, the board never had
    assert host.run(10.0) == []
    host.send(Kind.SET_RATE, stream=0, rate_mhz=1000)
    assert host.answers(Kind.NAK)[-1].reason == 3  # recorded times have no other rate


def test_a_recording_can_be_played_faster() -> None:
    stream = Stream("adc", ("a",), ("V",), "<i2", (1,), 100.0)
    raw = np.arange(500, dtype="<i2")[:, None]
    board = PlaybackBoard(Identity("x", "1", "f"), [Series(stream, raw, np.arange(500) / 100)], speed=10)
    host = Host(board)
    host.start()
    host.run(0.51)
    assert np.array_equal(samples(host.heard, "adc")[2], raw)


def test_nothing_to_play_is_said_so() -> None:
    stream = Stream("adc", ("a",), ("V",), "<i2", (1,), 10.0)
    with pytest.raises(UsageError, match="nothing to play"):
        PlaybackBoard(Identity("x", "1", "f"), [Series(stream, np.empty((0, 1), "<i2"))])
    with pytest.raises(UsageError, match="neither times nor a rate"):
        PlaybackBoard(
            Identity("x", "1", "f"), [Series(Stream("adc", ("a",), ("V",), "<i2", (1,), None), np.ones((3, 1), "<i2"))]
        )


# -------------------------------------------------------------------------------- text


def lines(seconds: float, **params: str) -> list[str]:
    board = make_board("text", params)
    board.receive(b"hello?\n", 0)
    return board.poll(round(seconds * 1e9)).decode(errors="replace").split("\r\n")[:-1]


def test_the_text_board_prints_a_header_and_rows_after_its_boot_noise() -> None:
    printed = lines(10.3, format="csv", rate="20")
    header = printed.index("millis [ms],ax [g],ay [g],az [g],temperature [degC]")
    assert header > 0
    rows = [line for line in printed[header + 1 :] if "sensor:" not in line]
    values = np.array([row.split(",") for row in rows], float)
    assert values.shape == (202, 5)
    assert set(np.diff(values[:, 0])) == {50.0}
    assert values[:, 3].mean() == pytest.approx(1, abs=0.01)
    assert len(rows) < len(printed) - header - 1  # log lines stand among the data


def test_the_other_formats_say_the_same_numbers() -> None:
    import json

    csv = [float(line.split(",")[1]) for line in lines(2, format="csv", noise="0", header="0")]
    told = [json.loads(line)["accel"][0] for line in lines(2, format="json", noise="0")]
    plot = [
        float(line.split(":")[2].split("§")[0]) for line in lines(2, format="teleplot", noise="0") if line[:4] == ">ax:"
    ]
    assert csv == told == plot


def test_text_that_nobody_reads_is_lost_and_the_board_goes_on() -> None:
    board = make_board("text", {"rate": "100", "tx_buffer": "2000", "noise": "0"})
    board.receive(b"", 0)
    assert len(board.poll(3600 * 10**9)) < 2300
    later = b"".join(board.poll(3600 * 10**9 + tenth * 10**8) for tenth in range(1, 11)).decode().split("\r\n")
    assert 99 <= len(later) - 1 <= 101
    assert float(later[0].split(",")[0]) > 3_599_000


# -------------------------------------------------------------------------------- names and parameters


def test_a_misspelt_board_or_parameter_is_told_the_nearest_and_what_is_allowed() -> None:
    with pytest.raises(UsageError, match="did you mean watch"):
        make_board("wacth")
    with pytest.raises(UsageError, match=r"did you mean seed\? allowed: baud"):
        make_board("imu", {"sead": "1"})
    with pytest.raises(UsageError, match="is not a number"):
        make_board("imu", {"ppm": "fast"})
    with pytest.raises(UsageError, match="out of range"):
        make_board("imu", {"group": "999"})
    with pytest.raises(UsageError, match="8x8, 24x32"):
        make_board("thermal", {"size": "9x9"})


@pytest.mark.parametrize("port", ["virtual://imu?seed", "virtual://imu?seed=1&seed=2", "virtual://imu/x?seed=1"])
def test_a_port_that_cannot_be_meant_is_refused(port: str) -> None:
    with pytest.raises(UsageError):
        parse_port(port)


def test_other_packages_can_bring_boards(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        name = "toaster"

        def load(self) -> object:
            return lambda params: make_board("text", params)

    def points(group: str, name: str | None = None) -> list[Point]:
        assert group == "firmware_bridge.virtual_boards"
        return [Point()] if name in (None, "toaster") else []

    monkeypatch.setattr(boards, "entry_points", points)
    assert "toaster" in board_names()
    assert make_board("toaster", {"format": "json"}).poll(0)


@pytest.mark.parametrize("name", ["a+b.mcap", "a#1.mcap", "a b.mcap", "a%26b.mcap", "C:\\runs\\a.mcap"])
def test_a_file_name_is_taken_as_it_is_written(name: str) -> None:
    board, given = parse_port(f"virtual://replay?file={name}&board=watch")
    assert board == "replay"
    assert given == {"file": name.replace("%26", "&"), "board": "watch"}
