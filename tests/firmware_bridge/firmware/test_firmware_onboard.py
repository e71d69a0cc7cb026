"""The shipped small model runs on real firmware and gives what the reference gives, on every emulator that has room."""

import zlib
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from firmware_bench import bench, items, needs, until

from firmware_bridge.batch import Batch
from firmware_bridge.errors import NoAnswer, UsageError
from firmware_bridge.events import Arrival, Reply
from firmware_bridge.oplist import unpack
from firmware_bridge.oplist.reference import run
from firmware_bridge.way import Way
from firmware_bridge.wire.deploying import Upload
from firmware_bridge.wire.messages import Kind, Message
from hil.dialogue.onboard import OnBoard
from hil.recording.reader import Recording

pytestmark = [pytest.mark.firmware, pytest.mark.pty]

BLOB = Path(__file__).with_name("exercise-small.hiln").read_bytes()
"""What `hil model deploy exercise-small.hilmodel --data scenarios/recordings/watch-unseen-9.mcap -o` wrote."""
NET = unpack(BLOB)
WATCH = Path(__file__).resolve().parents[3] / "scenarios" / "recordings" / "watch-unseen-9.mcap"
COUNT = 24

with_room = pytest.mark.parametrize("kind", ["native", "unicorn", "qemu"])


@cache
def recorded(count: int) -> np.ndarray:
    """Windows of a real watch, evenly over the recording."""
    with Recording(WATCH) as recording:
        raw = recording.read("watch", "imu").raw
    starts = np.linspace(0, len(raw) - NET.window, count).astype(int)
    return np.stack([raw[start : start + NET.window] for start in starts])


def expected(windows: np.ndarray) -> np.ndarray:
    return run(NET, windows)[-1].reshape(len(windows), -1)


@with_room
def test_a_model_is_deployed_and_answers_real_windows_bit_for_bit(kind: str) -> None:
    needs(kind)
    windows = recorded(COUNT)
    with OnBoard.open(f"firmware://{kind}") as board:
        held = board.deploy(BLOB)
        assert (held.blob_bytes, held.arena_bytes) == (len(BLOB), NET.arena)
        assert held.model_limit >= 32768 <= held.arena_limit
        answers = board.infer(windows, "imu")
        layer = board.tap(windows[0], 2)
    assert all((answer.outputs == want).all() for answer, want in zip(answers, expected(windows), strict=True))
    assert all(answer.elapsed_ticks > 0 for answer in answers)
    assert (layer == run(NET, windows[:1])[2].reshape(-1)).all()  # 3,008 bytes: four frames


@pytest.mark.slow
@pytest.mark.timeout(1200)
@with_room
def test_five_hundred_windows_come_out_bit_for_bit(kind: str) -> None:
    needs(kind)
    windows = recorded(500)
    with OnBoard.open(f"firmware://{kind}") as board:
        board.deploy(BLOB)
        answers = board.infer(windows, "imu")
    assert all((answer.outputs == want).all() for answer, want in zip(answers, expected(windows), strict=True))


def test_a_board_without_room_for_models_says_so() -> None:
    needs("simavr")
    with OnBoard.open("firmware://simavr") as board, pytest.raises(UsageError, match="this board runs no models"):
        board.deploy(BLOB)


class _LossyWay:
    """A way whose line loses every ninth frame of the host and damages every eleventh."""

    def __init__(self, port: str) -> None:
        self.port, self._way, self._count, self._rest = port, Way(port), 0, b""

    def __getattr__(self, name: str) -> object:
        return getattr(self._way, name)

    def open(self, wait_s: float, given_up: object) -> "_LossyWay":
        self._transport = self._way.open(wait_s)
        return self

    def read(self, max_wait_s: float) -> bytes:
        return self._transport.read(max_wait_s)

    def write(self, data: bytes) -> int:
        *frames, self._rest = (self._rest + data).split(b"\0")
        for frame in frames:
            self._count += 1
            if self._count % 11 == 0 and len(frame) > 40:
                frame = frame[:30] + bytes([frame[30] ^ 1 or 2]) + frame[31:]
            whole = b"" if self._count % 9 == 0 else frame + b"\0"
            while whole:
                whole = whole[self._transport.write(whole) :]
        return len(data)


def test_lost_and_damaged_frames_of_a_real_line_are_mended_and_counted() -> None:
    needs("native")
    windows = recorded(6)
    with OnBoard(_LossyWay("firmware://native")) as board:
        assert board.deploy(BLOB).resent > 0
        answers = board.infer(windows, "imu")
    assert sum(answer.again for answer in answers if answer is not None) > 0
    for answer, want in zip(answers, expected(windows), strict=True):
        assert answer is None or (answer.outputs == want).all()
    assert sum(answer is None for answer in answers) <= 1


def test_its_own_samples_are_judged_while_every_one_of_them_is_kept() -> None:
    needs("native")
    with OnBoard.open("firmware://native?rate=200") as board:  # slowly: its terminal holds some seconds of it
        board.deploy(BLOB)
        board.start_stream("imu", 50)
        results = list(islice(board.listen(60.0), 4))
        with pytest.raises(UsageError, match="STREAM_INFER"):
            board.infer(recorded(1), "imu")
    assert [one.sample for one in results] == list(range(199, 199 + 50 * len(results), 50))
    assert len(results) == 4


def test_windows_that_a_stream_cannot_hold_are_refused_before_they_are_sent() -> None:
    needs("native")
    with OnBoard.open("firmware://native") as board:
        with pytest.raises(UsageError, match="there is no model here"):
            board.infer(recorded(1), "imu")
        with pytest.raises(UsageError, match="are no raw readings of stream imu"):
            board.infer(recorded(1).astype(np.int64) + 40_000, "imu")
        with pytest.raises(UsageError, match="no stream `gyro`"):
            board.infer(recorded(1), "gyro")
        with pytest.raises(UsageError, match="room for 65536"):
            board.deploy(bytes(70_000))


def test_a_port_where_no_native_board_answers_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.dialogue.dialogue.MEET_S", 0.5)
    with pytest.raises(NoAnswer, match="no native board answered"):
        OnBoard.open("exec:cat")


def test_what_a_board_makes_of_its_own_samples_comes_in_every_capture_next_to_them() -> None:
    needs("native")
    out: list[Arrival] = []

    def judged() -> list[tuple[Reply, np.ndarray]]:
        """Results, and the windows that they are of, as far as all samples of a window came."""
        there = {batch.first + at: row for batch in items(out, Batch) for at, row in enumerate(batch.raw)}
        found = []
        for one in (each for each in items(out, Reply) if each.kind == "RESULT"):
            numbers = range(one.fields["key"] - NET.window + 1, one.fields["key"] + 1)
            if all(number in there for number in numbers):
                found.append((one, np.stack([there[number] for number in numbers])))
        return found

    with bench("firmware://native?rate=400") as bridge:
        until(bridge, out, lambda _: bridge.boards()[0].info is not None)
        upload = Upload(BLOB, 900, len(BLOB) + 1)
        for _ in range(2):  # BEGIN, then all of it; a line that loses nothing needs no answers but these
            for message in upload.due(0):
                bridge.send("b0", message).result(60)
            upload.take(Message(Kind.ACK, {"of": Kind.MODEL_BEGIN, "of_seq": 0}), 0)
        bridge.send("b0", Message(Kind.MODEL_END, {"crc32": zlib.crc32(BLOB)})).result(60)
        bridge.send("b0", Message(Kind.STREAM_INFER, {"stream": 0, "on": 1, "hop": 50})).result(60)
        until(bridge, out, lambda _: len(judged()) >= 3)
    for result, window in judged():
        assert (np.frombuffer(result.data, np.int8) == expected(window[None])[0]).all()
        assert (result.fields["key"] + 1) % 50 == 0
