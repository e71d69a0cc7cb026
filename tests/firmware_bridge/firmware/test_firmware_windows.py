"""What a network on the C board and on its virtual twin makes of windows: bit for bit the same, and counted."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lossy import Line, lead
from model_bench import NET, ask, naks, needs_gcc, on_both, some_fates, with_model
from small_net import ROWS, small_net, windows
from virtual_host import Host, samples

from firmware_bridge.oplist import pack
from firmware_bridge.oplist.reference import run
from firmware_bridge.wire.asking import Asker
from firmware_bridge.wire.messages import Kind

pytestmark = [pytest.mark.firmware, pytest.mark.timeless, needs_gcc]


# ---------------------------------------------------------------- windows of the host


@on_both
@settings(max_examples=20)
@given(down=some_fates, up=some_fates, room=st.sampled_from([0, 700, 4096]))
def test_every_answer_belongs_to_its_window_and_what_is_lost_is_asked_again_and_counted(board, down, up, room) -> None:
    host = with_model(board)
    raw = windows(12, seed=5)
    asker = Asker([one.tobytes() for one in raw], 0, ROWS, in_flight=room, first_id=2**32 - 4)
    lead(asker, host, Line(down), Line(up))
    for answer, wanted in zip(asker.answers, run(NET, raw)[-1], strict=True):
        assert answer is None or (answer.outputs == wanted.reshape(-1)).all()
    unanswered = [index for index, answer in enumerate(asker.answers) if answer is None]
    assert all(asker._again[index] == 3 for index in unanswered)
    if set(down) | set(up) <= {"pass"}:
        assert not unanswered
        assert asker.again == 0


@on_both
def test_a_window_that_never_arrives_is_asked_so_often_as_was_said_and_then_left_open(board) -> None:
    asker = Asker([windows(1)[0].tobytes()], 0, ROWS, in_flight=4096, most_again=2)
    lead(asker, with_model(board), Line(["lose"] * 3), Line(()))
    assert asker.answers == [None]
    assert asker.again == 2


@on_both
def test_a_window_longer_than_a_frame_goes_in_parts_and_a_lost_part_is_told_at_once(board) -> None:
    rows = 200
    first = replace(NET.ops[0], in_rows=rows, out_rows=rows, output=0)
    net = replace(NET, window=rows, arena=1200, ops=(first,))
    host = with_model(board, pack(net))
    raw = windows(4, rows=rows)
    wanted = run(net, raw)[-1].reshape(4, -1)
    asker = Asker([one.tobytes() for one in raw], 0, rows, in_flight=8000)
    # Three frames a window: the second frame of the first window and the first frame of the third are lost.
    seconds = lead(asker, host, Line(["pass", "lose", *["pass"] * 4, "lose"]), Line(()))
    assert all((answer.outputs == want).all() for answer, want in zip(asker.answers, wanted, strict=True))
    assert 1 <= asker.again <= 3
    assert seconds < 0.6
    assert {reason for _, reason, _ in naks(host)} == {6}


@on_both
def test_every_layer_can_be_looked_at_however_long_it_is(board) -> None:
    net = small_net(channels=96)  # a layer of 1,728 bytes: two frames
    host, raw = with_model(board, pack(net)), windows(3, seed=2)
    wanted = run(net, raw)
    for layer in range(len(net.ops)):
        host.send(Kind.TAP, layer=layer)
        for index, one in enumerate(raw):
            tapped, answer = ask(host, one)
            assert (tapped == wanted[layer][index].reshape(-1)).all()
            assert (answer == wanted[-1][index].reshape(-1)).all()
    host.send(Kind.TAP, layer=255)
    assert len(ask(host, raw[0])) == 1
    host.send(Kind.TAP, layer=len(net.ops))
    assert naks(host) == [(Kind.TAP, 3, len(net.ops))]


# ---------------------------------------------------------------- its own samples


def streamed(host: Host) -> dict[int, np.ndarray]:
    return {one.key: np.frombuffer(one.tail, np.int8) for one in host.answers(Kind.RESULT) if one.keyed_by == 1}


@on_both
@pytest.mark.parametrize("hop", [1, 7, 50])
def test_its_own_samples_are_judged_at_multiples_of_the_hop_as_the_host_would(board, hop) -> None:
    host = with_model(board)
    host.send(Kind.STREAM_INFER, stream=0, on=1, hop=hop)
    host.start()
    host.run(0.3)
    numbers, _, raw = samples(host.heard, "imu")
    found = {end: answer for end, answer in streamed(host).items() if end <= numbers[-1]}
    assert list(found) == [end for end in range(ROWS - 1, len(numbers)) if (end + 1) % hop == 0]
    seen = np.stack([raw[end - ROWS + 1 : end + 1] for end in found]).astype("<i2")
    assert (np.stack(list(found.values())) == run(NET, seen)[-1].reshape(len(seen), -1)).all()


def test_a_result_never_comes_before_its_samples_and_no_window_reaches_over_a_gap() -> None:
    host = with_model("C", rate_hz=100)
    host.send(Kind.STREAM_INFER, stream=0, on=1, hop=10)
    host.start()
    host.run(1.0)
    host.board._run(host.board._at + 5_000_000)  # held up for five seconds: readings older than two are lost
    host.now += 5_000_000_000
    host.listen()
    host.run(2.0)
    last = -1
    for one in host.heard:
        if hasattr(one, "number"):
            last = int(one.number[-1])
        elif getattr(getattr(one, "message", None), "kind", 0) == Kind.RESULT:
            assert one.message.key <= last
    numbers, _, raw = samples(host.heard, "imu")
    assert (np.diff(numbers) > 250).sum() == 1
    place = {int(number): at for at, number in enumerate(numbers)}
    for end, answer in streamed(host).items():
        first = place[end - ROWS + 1]
        assert place[end] - first == ROWS - 1
        assert (answer == run(NET, raw[None, first : place[end] + 1].astype("<i2"))[-1].reshape(-1)).all()


def test_windows_that_are_late_are_skipped_and_told_and_no_sample_is() -> None:
    host = with_model("C", rate_hz=100)
    host.send(Kind.STREAM_INFER, stream=0, on=1, hop=5)
    host.start()
    host.run(1.0)
    host.board._run(host.board._at + 1_500_000)  # held up: 30 windows came due
    host.now += 1_500_000_000
    host.listen()
    host.run(6.0)
    numbers, _, _ = samples(host.heard, "imu")
    assert numbers.tolist() == list(range(len(numbers)))
    told = [int(text.split()[0]) for text in host.texts() if "windows were skipped" in text]
    due = [end for end in range(ROWS - 1, len(numbers)) if (end + 1) % 5 == 0]
    assert sum(told) == len(due) - len(set(due) & set(streamed(host)))
    assert sum(told) >= 28
    counted = host.judged()
    assert counted == {"stream": 0, "due": len(due), "skipped": sum(told), "unsent": 0}


@on_both
def test_a_window_of_the_host_waits_until_it_is_done_with_its_own_samples(board) -> None:
    host = with_model(board)
    host.send(Kind.STREAM_INFER, stream=0, on=1, hop=20)
    assert ask(host, windows(1)[0]) == []
    assert naks(host) == [(Kind.INFER, 4, 0)]
    host.send(Kind.STREAM_INFER, stream=0, on=0, hop=0)
    assert len(ask(host, windows(1)[0])) == 1
    host.send(Kind.STREAM_INFER, stream=0, on=1, hop=0)
    host.send(Kind.STREAM_INFER, stream=1, on=1, hop=5)
    assert [nak[:2] for nak in naks(host)[1:]] == [(Kind.STREAM_INFER, 3)] * 2


@on_both
def test_status_counts_windows_from_the_start_of_a_run_and_says_nothing_without_a_model(board) -> None:
    host = with_model(board)
    assert host.judged() is None
    host.send(Kind.STREAM_INFER, stream=0, on=1, hop=10)
    host.start()
    host.run(0.25)
    ends = len(streamed(host))
    assert host.judged() == {"stream": 0, "due": ends, "skipped": 0, "unsent": 0}
    host.send(Kind.STREAM_INFER, stream=9, on=0, hop=0)  # which stream does not matter for ending it
    assert host.judged() == {"stream": 0, "due": ends, "skipped": 0, "unsent": 0}
    host.send(Kind.STREAM_INFER, stream=0, on=1, hop=10)
    host.start(nonce=8)
    assert host.judged() == {"stream": 0, "due": 0, "skipped": 0, "unsent": 0}


@on_both
def test_a_result_that_finds_no_room_is_counted(board) -> None:
    host = with_model(board)
    host.send(Kind.STREAM_INFER, stream=0, on=1, hop=1)
    host.start()
    host.board.receive(b"", host.now + 3_000_000_000)  # time passes and nobody reads
    host.now += 3_000_000_000
    host.listen()
    host.run(1.0)
    counted = host.judged()
    assert counted["unsent"] > 10
    assert counted["due"] == len(host.answers(Kind.RESULT)) + counted["skipped"] + counted["unsent"]


@on_both
def test_what_it_does_already_is_not_begun_anew_when_it_is_asked_a_second_time(board) -> None:
    host = with_model(board)
    host.send(Kind.STREAM_INFER, stream=0, on=1, hop=50)
    host.start()
    for _ in range(20):  # the host did not hear the answer
        host.run(0.01)
        host.send(Kind.STREAM_INFER, stream=0, on=1, hop=50)
    numbers, _, _ = samples(host.heard, "imu")
    ends = list(range(49, len(numbers), 50))
    assert list(streamed(host)) == ends
