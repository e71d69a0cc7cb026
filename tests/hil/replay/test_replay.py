"""A replay is the live run again: the same items at every speed, the same decisions after every seek and split."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from benchsim import START, record, simulate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_bridge.batch import Batch
from firmware_bridge.clock import ManualClock
from firmware_bridge.errors import UsageError
from firmware_bridge.events import Arrival, Connected, Item, Mark, Prediction
from hil.pipeline.pipeline import Pipeline
from hil.pipeline.source import Given
from hil.recording.header import BoardSetup, Header
from hil.recording.reader import Recording
from hil.recording.writer import RecordingWriter
from hil.replay.arrivals import samples_in
from hil.replay.redecode import Redecoder
from hil.replay.replay import Replay, mark_time
from hil.serving.stage import ModelStage
from hil.serving.taps import load_runner

BOARDS = {
    "watch": "virtual://watch?pause_s=0",
    "other": "virtual://watch?pause_s=0&person=10&serial=B",
    "heat": "virtual://thermal",
}
SLOTS = {"watch/imu": 0, "other/imu": 1}
SECONDS = 24.0


@pytest.fixture(scope="module")
def live() -> list[Arrival]:
    return simulate(BOARDS, SECONDS, drop=[(9.0, 9.3)])


@pytest.fixture(scope="module")
def path(live: list[Arrival], tmp_path_factory: pytest.TempPathFactory) -> Path:
    marks = [Mark("", START + 5_000_000_000, "middle"), Mark("", START + 8_000_000_000, "squat", "start")]
    return record(tmp_path_factory.mktemp("replay") / "run.mcap", BOARDS, live, marks)


@pytest.fixture
def recording(path: Path) -> Iterator[Recording]:
    with Recording(path) as opened:
        yield opened


class Collects:
    """A sink that keeps decisions and counts."""

    def __init__(self) -> None:
        self.decisions: list[Prediction] = []
        self.samples = 0
        self.jumps = 0

    def accept(self, arrivals: list[Arrival]) -> None:
        self.samples += sum(map(samples_in, arrivals))
        self.decisions += [item for one in arrivals for item in one.items if isinstance(item, Prediction)]

    def reset(self) -> None:
        self.jumps += 1


_MAKER = []


def stage() -> ModelStage:
    """A stage with the model that comes with the package, loaded once for all tests."""
    if not _MAKER:
        model = str(files("hil.models").joinpath("exercise.hilmodel"))
        _MAKER.append(load_runner(model, ["watch", "other"], slots=2)())
    return ModelStage("exercise", None, lambda: _MAKER[0], slot_map=lambda _: SLOTS, background=False)


def decide(source: Given | Replay, most: int | None = None) -> Collects:
    """Run a source through the model and return what came out."""
    sink = Collects()
    pipeline = Pipeline(source, (stage(),), (sink,), tick_s=0)
    if most is None:
        pipeline.run()
    else:
        for _ in range(most):
            pipeline.drain(0.02)
        pipeline.stages[0].finish()
    return sink


def keyed(decisions: list[Prediction]) -> dict[tuple[str, int, int], tuple[str, float, tuple[float, ...]]]:
    return {(one.board, one.boot, one.sample): (one.label, one.confidence, one.scores) for one in decisions}


@pytest.fixture(scope="module")
def straight(live: list[Arrival]) -> dict[tuple[str, int, int], tuple[str, float, tuple[float, ...]]]:
    """Decisions on the live run itself."""
    made = keyed(decide(Given([live])).decisions)
    assert len(made) > 20
    return made


def flat(arrivals: list[Arrival]) -> list[tuple[object, ...]]:
    """Everything in the items, comparable, in order for each board."""

    def key(item: Item) -> tuple[object, ...]:
        if isinstance(item, Batch):
            return (item.board, item.stream, item.boot, item.first, item.ticks.tobytes(), item.t_ns.tobytes(),
                    item.raw.tobytes())  # fmt: skip
        return (item.board, repr(item))

    rows = [(one.board, key(item)) for one in arrivals for item in one.items]
    return sorted(rows, key=lambda row: row[0])


def everything(replay: Replay) -> list[Arrival]:
    taken: list[Arrival] = []
    while not replay.ended:
        taken += replay.take(0.5)
    return taken


@pytest.mark.parametrize("speed", [None, 0.1, 1.0, 7.3, 1000.0])
def test_every_speed_gives_the_items_of_the_live_run(
    recording: Recording, live: list[Arrival], speed: float | None
) -> None:
    clock = ManualClock()
    began = clock.now_ns()
    replay = Replay(recording, clock=clock, speed=speed)
    assert flat(everything(replay)) == flat(live)
    report = replay.report()
    if speed is None:
        assert report.arrivals == 0
    else:
        # A clock that stands still is never late, so the whole lasted exactly its recorded length.
        took = (clock.now_ns() - began) / 1e9
        assert took == pytest.approx((live[-1].t_ns - recording.start_ns) / 1e9 / speed, abs=0.6)
        assert (report.arrivals, report.missed) == (len(live), 0)
        assert report.max_ms is not None
        assert report.max_ms <= (2.1 if speed > 10 else 0.001)


@pytest.mark.parametrize("speed", [None, 0.5, 50.0])
def test_every_speed_gives_the_decisions_of_the_live_run(
    recording: Recording, straight: dict[object, object], speed: float | None
) -> None:
    assert keyed(decide(Replay(recording, clock=ManualClock(), speed=speed)).decisions) == straight


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1))
def test_every_split_and_every_interleaving_of_boards_gives_the_same_decisions(
    live: list[Arrival], straight: dict[object, object], seed: int
) -> None:
    random = np.random.default_rng(seed)
    boards = {role: [one for one in live if one.board == role] for role in BOARDS}
    mixed: list[Arrival] = []
    while any(boards.values()):
        role = random.choice([name for name, left in boards.items() if left])
        some = int(random.integers(1, 200))
        mixed += boards[role][:some]
        del boards[role][:some]
    split: list[Arrival] = []
    for one in mixed:
        items: list[Item] = []
        for item in one.items:
            if isinstance(item, Batch) and len(item) > 1 and random.random() < 0.7:
                cut = int(random.integers(1, len(item)))
                items += [item.part(0, cut), item.part(cut, len(item))]
            else:
                items.append(item)
        split.append(Arrival(one.board, one.seq, one.t_ns, one.kind, one.data, tuple(items)))
    cuts = np.sort(random.integers(0, len(split), 30))
    lists = [split[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(split)], strict=True)]
    assert keyed(decide(Given(lists)).decisions) == straight


@pytest.mark.parametrize("to_s", [0.0, 3.137, 9.1, 12.0])
def test_after_a_seek_decisions_equal_those_of_the_straight_run(
    recording: Recording, straight: dict[tuple[str, int, int], object], to_s: float
) -> None:
    clock = ManualClock()
    replay = Replay(recording, clock=clock, speed=None)
    for _ in range(3):
        replay.take(0.1)
    replay.seek(15.0)
    replay.take(0.1)
    replay.seek(to_s)
    sink = decide(replay)
    made = keyed(sink.decisions)
    assert sink.jumps >= 1
    assert made.items() <= straight.items()
    # What a straight run decides and this one does not, has its memory before the place.
    memory = 200 / 50.0 + 8.0
    late = {key for key in straight if key[2] / 50.0 > to_s + memory}
    assert late <= made.keys()


def test_a_seek_introduces_the_boards_and_hands_on_nothing_from_before(recording: Recording) -> None:
    replay = Replay(recording, clock=ManualClock(), speed=None)
    replay.take(0.1)
    replay.seek(10.0)
    taken = replay.take(0.1)
    assert replay.jumps == 1
    assert {item.board for one in taken for item in one.items if isinstance(item, Connected)} == set(BOARDS)
    assert min(one.t_ns for one in taken) >= recording.start_ns + 10_000_000_000


def test_a_range_begins_and_ends_where_it_says_and_marks_name_places(recording: Recording) -> None:
    start = mark_time(recording, "middle")
    assert start == pytest.approx(5.0, abs=0.1)
    replay = Replay(recording, clock=ManualClock(), speed=None, from_s=start, to_s=mark_time(recording, "squat"))
    times = [one.t_ns for one in everything(replay)]
    assert min(times) >= recording.start_ns + start * 1e9
    assert max(times) <= START + 8_000_000_000
    with pytest.raises(UsageError, match="middle, squat"):
        mark_time(recording, "nowhere")
    with pytest.raises(UsageError, match="holds nothing"):
        Replay(recording, clock=ManualClock(), from_s=5.0, to_s=5.0)


def test_a_loop_gives_every_round_the_same_decisions(recording: Recording, straight: dict[object, object]) -> None:
    replay = Replay(recording, clock=ManualClock(), speed=None, loop=True)
    sink = Collects()
    pipeline = Pipeline(replay, (stage(),), (sink,), tick_s=0)
    while sink.jumps < 2:
        pipeline.drain()
    first = sink.decisions[: len(straight)]
    second = sink.decisions[len(straight) : 2 * len(straight)]
    assert keyed(first) == keyed(second) == straight


def test_imported_readings_without_bytes_replay_and_decide_as_well(
    live: list[Arrival], straight: dict[tuple[str, int, int], object], tmp_path: Path
) -> None:
    watch = [one for one in live if one.board == "watch"]
    info = next(item.info for one in watch for item in one.items if isinstance(item, Connected))
    writer = RecordingWriter(tmp_path / "imported.mcap", Header(START, (BoardSetup("watch", info=info),), "import"))
    for one in watch:
        kept = tuple(item for item in one.items if isinstance(item, Batch))
        if kept:
            writer.write(Arrival("watch", one.seq, one.t_ns, "note", items=kept))
    writer.close()
    with Recording(tmp_path / "imported.mcap") as recording:
        made = keyed(decide(Replay(recording, clock=ManualClock(), speed=100.0)).decisions)
        assert made == {key: value for key, value in straight.items() if key[0] == "watch"}
    with Recording(tmp_path / "imported.mcap") as recording:
        replay = Replay(recording, clock=ManualClock(), speed=None)
        replay.seek(10.0)
        first = replay.take(0.1)
        assert [item.info for one in first for item in one.items if isinstance(item, Connected)] == [info]
        assert replay.boards()[0].state == "replay"
        late = keyed(decide(replay).decisions)
        assert late
        assert late.items() <= made.items()


def test_a_long_seek_decodes_from_a_checkpoint_and_not_from_the_start(tmp_path: Path) -> None:
    boards = {"heat": "virtual://thermal"}
    path = record(tmp_path / "long.mcap", boards, simulate(boards, 70.0))
    with Recording(path) as recording:
        decoder = Redecoder(recording)
        whole = []
        while (arrival := decoder.next()) is not None:
            whole.append(arrival)
        decoder.rewind(START + 65_000_000_000)
        rest = []
        while (arrival := decoder.next()) is not None:
            rest.append(arrival)
    assert len(rest) < len(whole) / 2
    assert flat(rest) == flat(whole[-len(rest) :])
    assert [one.books for one in rest] == [one.books for one in whole[-len(rest) :]]
