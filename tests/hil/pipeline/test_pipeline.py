"""One order from source to sinks: nothing is skipped, a model that loads late decides the same, notes join the flow."""

import threading

import numpy as np
import pytest

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Mark, Prediction
from firmware_bridge.streams import Stream
from hil.pipeline.pipeline import Pipeline
from hil.pipeline.source import Given
from hil.serving.stage import ModelStage

STREAM = Stream("imu", ("x",), ("g",), "<i2", (1,), 100.0)


def arrivals(count: int, board: str = "imu") -> list[Arrival]:
    made = []
    for at in range(count):
        number = np.arange(at * 10, at * 10 + 10, dtype=np.int64)
        batch = Batch(board, STREAM, 0, at * 10, number, number * 10_000_000, np.zeros((10, 1), np.int16))
        made.append(Arrival(board, at, at, "rx", b"x", (batch,)))
    return made


class Keeps:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.got: list[Arrival] = []
        self.jumps = 0

    def accept(self, arrivals: list[Arrival]) -> None:
        self.got += arrivals

    def reset(self) -> None:
        self.jumps += 1


class Counts:
    """Stands for a model's executor: decides after every batch, from all it ever saw."""

    class contract:  # noqa: N801
        name, labels, hop, reach, rate_hz, reference = "counts", ("a", "b"), 10, 10, 100.0, None

    def __init__(self) -> None:
        self.seen = 0
        self.slot_map: dict[str, int] = {}

    def push(self, items: object) -> list[Prediction]:
        made = []
        for item in items:  # type: ignore[attr-defined]
            if isinstance(item, Batch):
                self.seen += len(item)
                made.append(Prediction(item.board, 0, "counts", "imu", 0, item.end - 1, "a", self.seen / 1e6, ()))
        return made

    def identity(self) -> dict[str, object]:
        return {"model": "counts"}


def decisions(sink: Keeps) -> list[Prediction]:
    return [item for arrival in sink.got for item in arrival.items if isinstance(item, Prediction)]


def test_everything_reaches_every_sink_in_order() -> None:
    all_of_them = arrivals(10)
    one, other = Keeps(), Keeps()
    Pipeline(Given([all_of_them[:3], [], all_of_them[3:]]), (), (one, other), tick_s=0).run()
    assert one.got == other.got == all_of_them


def test_a_note_joins_the_flow_and_none_is_lost_at_the_end() -> None:
    sink = Keeps()
    pipeline = Pipeline(Given([arrivals(1)]), (), (sink,), tick_s=0)
    note = Arrival("", -1, 5, "note", items=(Mark("", 5, "here"),))
    pipeline.post(note)
    pipeline.run()
    assert note in sink.got
    assert pipeline.done


def test_a_model_that_loads_late_decides_the_same_as_one_that_was_there() -> None:
    release = threading.Event()

    def slow():  # type: ignore[no-untyped-def]
        release.wait(150)
        return lambda _: Counts()

    everything = arrivals(8)
    late, early = Keeps(), Keeps()
    stage = ModelStage("counts", None, slow)
    pipeline = Pipeline(Given([everything[:4], everything[4:6], everything[6:]]), (stage,), (late,), tick_s=0)
    assert pipeline.drain() == 4
    assert pipeline.drain() == 2
    assert not decisions(late)
    assert stage.views()[0].state == "loading"
    release.set()
    assert stage.wait(150)
    pipeline.run()
    ready = ModelStage("counts", None, lambda: lambda _: Counts(), background=False)  # type: ignore[arg-type,return-value]
    Pipeline(Given([everything]), (ready,), (early,), tick_s=0).run()
    assert decisions(late) == decisions(early)
    assert len(decisions(early)) == 8
    assert stage.views()[0].state == "ready"


def test_the_end_waits_for_a_model_that_is_still_loading() -> None:
    release = threading.Event()

    def slow():  # type: ignore[no-untyped-def]
        release.wait(150)
        return lambda _: Counts()

    sink = Keeps()
    pipeline = Pipeline(Given([arrivals(3)]), (ModelStage("counts", None, slow),), (sink,), tick_s=0)
    pipeline.start()
    release.set()
    assert pipeline.join(150)
    assert len(decisions(sink)) == 3


@pytest.mark.parametrize(
    ("error", "state"), [(ImportError("torch is not installed"), "absent"), (OSError("no such file"), "failed")]
)
def test_a_model_that_cannot_be_loaded_says_why_and_lets_everything_pass(error: Exception, state: str) -> None:
    def broken():  # type: ignore[no-untyped-def]
        raise error

    sink = Keeps()
    stage = ModelStage("counts", ("imu",), broken, background=False)
    Pipeline(Given([arrivals(3)]), (stage,), (sink,), tick_s=0).run()
    assert len(sink.got) == 3
    view = stage.views()[0]
    assert (view.state, view.board) == (state, "imu")
    assert str(error) in view.sentence


def test_a_jump_of_the_source_reaches_stages_and_sinks_before_what_follows() -> None:
    class Jumps(Given):
        def take(self, max_wait_s: float) -> list[Arrival]:
            taken = super().take(max_wait_s)
            self.jumps += bool(taken)
            return taken

    sink = Keeps()
    stage = ModelStage("counts", None, lambda: lambda _: Counts(), background=False)  # type: ignore[arg-type,return-value]
    Pipeline(Jumps([arrivals(2), arrivals(2)]), (stage,), (sink,), tick_s=0).run()
    assert sink.jumps == 2
    assert [round(decision.confidence * 1e6) for decision in decisions(sink)] == [10, 20, 10, 20]


def test_an_error_in_a_sink_ends_the_pipeline_gives_the_ports_back_and_is_raised_where_it_is_joined() -> None:
    class Breaks(Keeps):
        def accept(self, arrivals: list[Arrival]) -> None:
            raise RuntimeError("broken sink")

    class Ports(Given):
        closed = False

        def close(self) -> None:
            self.closed = True

    source = Ports([arrivals(1)])
    pipeline = Pipeline(source, (), (Breaks(),), tick_s=0)
    pipeline.start()
    with pytest.raises(RuntimeError, match="broken sink"):
        pipeline.join(150)
    assert pipeline.done
    assert source.closed
