"""A network on the C board: it gets there whole over any line, answers bit for bit, and what cannot be is refused."""

import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from firmware_core import CoreBoard
from hypothesis import given, settings
from hypothesis import strategies as st
from lossy import FATES, Line, lead
from small_net import ROWS, small_net, windows
from virtual_host import Host, samples

from firmware_bridge.firmware.build import missing
from firmware_bridge.oplist import Reason, pack
from firmware_bridge.oplist.table import header_struct, record_struct
from firmware_bridge.wire.asking import Asker
from firmware_bridge.wire.deploying import Upload
from firmware_bridge.wire.messages import Kind, Message
from hil.models.int8.reference import run

pytestmark = [
    pytest.mark.firmware,
    pytest.mark.skipif(bool(missing("host")), reason=missing("host")),
]

NET = small_net()
BLOB = pack(NET)
some_fates = st.lists(st.sampled_from(("pass",) * 6 + FATES), max_size=60)


def with_model(blob: bytes = BLOB, rate_hz: int = 1000) -> Host:
    host = Host(CoreBoard(seed=3, rate_mhz=1000 * rate_hz))
    upload = Upload(blob, 200, 4096)
    lead(upload, host, Line(()), Line(()))
    assert upload.done
    host.heard.clear()
    return host


def held(host: Host) -> dict[str, int]:
    host.send(Kind.IDENTIFY)
    return host.hello().info.extra.get("network", {})


def ask(host: Host, raw: np.ndarray, window: int = 0) -> list[np.ndarray]:
    """The results of one window, layer by layer where some are tapped."""
    before = len(host.answers(Kind.RESULT))
    host.send(Kind.INFER, raw.tobytes(), window=window, stream=0, n=len(raw))
    return [np.frombuffer(one.tail, np.int8) for one in host.answers(Kind.RESULT)[before:]]


def naks(host: Host) -> list[tuple[int, int, int]]:
    return [(nak.of, nak.reason, nak.detail) for nak in host.answers(Kind.NAK)]


# ---------------------------------------------------------------- how it gets there


@settings(max_examples=60, deadline=None)
@given(down=some_fates, up=some_fates, chunk=st.integers(40, 900))
def test_a_model_arrives_whole_whatever_the_line_loses_damages_repeats_or_brings_late(down, up, chunk) -> None:
    host = Host(CoreBoard())
    upload = Upload(BLOB, chunk, 1500)
    lead(upload, host, Line(down), Line(up))
    assert upload.done, upload.failed
    assert held(host)["crc32"] == zlib.crc32(BLOB)
    assert (ask(host, windows(1)[0])[-1] == run(NET, windows(1))[-1].reshape(-1)).all()


def test_a_lost_part_is_sent_again_from_where_the_board_misses_it_and_only_from_there() -> None:
    host = Host(CoreBoard())
    upload = Upload(BLOB, 200, 800)
    seconds = lead(upload, host, Line(["pass", "pass", "lose"]), Line(()))
    assert upload.resent <= 800
    assert upload.begun == 1
    assert seconds < 0.5  # the board says so; nobody waits for it


def test_a_board_that_says_nothing_is_given_up_and_one_that_starts_anew_is_begun_again() -> None:
    silent = Upload(BLOB, 200, 800)
    lead(silent, Host(CoreBoard()), Line(()), Line(["lose"] * 1000))
    assert silent.unanswered
    assert "did not answer MODEL_BEGIN in 6 s" in silent.failed

    host = Host(CoreBoard())
    upload = Upload(BLOB, 200, 800)
    for step in range(8):
        for message in upload.due(host.now):
            for answer in host.send(message.kind, message.tail, **message.fields):
                if hasattr(answer, "message"):
                    upload.take(answer.message, host.now)
        if step == 3:
            host.send(Kind.RESET)
            host.run(0.01)
    lead(upload, host, Line(()), Line(()))
    assert upload.done
    assert upload.begun == 2
    assert held(host)["bytes"] == len(BLOB)


def test_parts_out_of_order_are_refused_with_the_offset_wanted_and_repeated_ones_passed_over() -> None:
    host = Host(CoreBoard())
    host.send(Kind.MODEL_BEGIN, size=len(BLOB), crc32=zlib.crc32(BLOB))
    host.send(Kind.MODEL_CHUNK, BLOB[:100], offset=0)
    host.send(Kind.MODEL_CHUNK, BLOB[200:300], offset=200)
    host.send(Kind.MODEL_END, crc32=zlib.crc32(BLOB))
    assert naks(host) == [(Kind.MODEL_CHUNK, 6, 100), (Kind.MODEL_END, 6, 100)]
    host.send(Kind.MODEL_CHUNK, BLOB[50:900], offset=50)
    host.send(Kind.MODEL_CHUNK, BLOB[:100], offset=0)
    for at in range(900, len(BLOB), 900):
        host.send(Kind.MODEL_CHUNK, BLOB[at : at + 900], offset=at)
    host.send(Kind.MODEL_END, crc32=zlib.crc32(BLOB))
    assert len(naks(host)) == 2
    assert held(host) == {
        "crc32": zlib.crc32(BLOB), "bytes": len(BLOB), "arena": NET.arena, "window": ROWS, "outputs": 5,
    }  # fmt: skip


def test_bytes_that_are_not_what_was_announced_are_told_by_their_checksum_and_sent_anew() -> None:
    host = Host(CoreBoard())
    host.send(Kind.MODEL_BEGIN, size=4, crc32=5)
    host.send(Kind.MODEL_CHUNK, b"HILN", offset=0)
    host.send(Kind.MODEL_END, crc32=5)
    assert naks(host) == [(Kind.MODEL_END, 2, zlib.crc32(b"HILN"))]
    host.send(Kind.MODEL_CHUNK, b"more", offset=0)
    assert naks(host)[1][:2] == (Kind.MODEL_CHUNK, 3)  # it begins anew, or not at all

    class Damaging(Upload):
        """Changes a byte of the model once, behind every checksum but the model's own."""

        def due(self, now: int) -> list[Message]:
            say = super().due(now)
            if self.begun == 1 and say and say[0].kind == Kind.MODEL_CHUNK and not say[0].offset:
                say[0] = replace(say[0], tail=b"h" + say[0].tail[1:])
            return say

    upload = Damaging(BLOB, 200, 4096)
    lead(upload, host, Line(()), Line(()))
    assert upload.done
    assert upload.begun == 2


# ---------------------------------------------------------------- what is refused


def refusal_of(blob: bytes) -> Upload:
    upload = Upload(blob, 900, 4096)
    lead(upload, Host(CoreBoard()), Line(()), Line(()))
    return upload


def mended(blob: bytearray) -> bytes:
    struct.pack_into("<I", blob, 4, zlib.crc32(blob[8:]))
    return bytes(blob)


def test_a_model_too_large_for_the_board_is_refused_before_it_is_sent() -> None:
    upload = refusal_of(bytes(70_000))
    assert upload.failed == "the model has 70000 bytes and the board has room for 65536"


def test_an_op_that_the_board_does_not_know_is_refused_by_its_number_and_operator() -> None:
    blob = bytearray(BLOB)
    blob[header_struct.size + 2 * record_struct.size] = 77
    assert refusal_of(mended(blob)).refusal == (Reason.UNKNOWN_OP, 77, 2)


def test_tensors_and_windows_without_room_are_refused() -> None:
    assert refusal_of(pack(replace(NET, arena=40_000))).refusal == (Reason.NO_ROOM, 0, 0)
    first = replace(NET.ops[0], in_rows=1000, out_rows=1000, output=0)
    long = replace(NET, window=1000, arena=6000, ops=(first,))
    assert refusal_of(pack(long)).failed == "a window of 12000 bytes has no room on the board"


def test_what_needs_a_model_is_refused_without_one_and_after_a_reset() -> None:
    host = with_model()
    host.send(Kind.RESET)
    host.run(0.01)
    host.send(Kind.INFER, windows(1)[0].tobytes(), window=0, stream=0, n=ROWS)
    host.send(Kind.STREAM_INFER, stream=0, on=1, hop=5)
    host.send(Kind.TAP, layer=0)
    assert [(of, reason) for of, reason, _ in naks(host)] == [
        (Kind.INFER, 3), (Kind.STREAM_INFER, 3), (Kind.TAP, 3),
    ]  # fmt: skip
    assert held(host) == {}


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        ({"stream": 1, "n": ROWS}, ROWS * 12), ({"stream": 0, "n": ROWS + 1}, (ROWS + 1) * 12),
        ({"stream": 0, "n": ROWS}, ROWS * 12 - 1), ({"stream": 0, "n": ROWS}, ROWS * 12 + 2),
    ],
)  # fmt: skip
def test_a_window_of_another_stream_or_length_is_refused_and_the_next_one_answered(fields, values) -> None:
    host = with_model()
    host.send(Kind.INFER, bytes(values), window=1, **fields)
    assert [(of, reason) for of, reason, _ in naks(host)] == [(Kind.INFER, 3)]
    assert len(ask(host, windows(1)[0])) == 1


# ---------------------------------------------------------------- what it answers


@settings(max_examples=40, deadline=None)
@given(down=some_fates, up=some_fates, room=st.sampled_from([0, 700, 4096]))
def test_every_answer_belongs_to_its_window_and_what_is_lost_is_asked_again_and_counted(down, up, room) -> None:
    host = with_model()
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


def test_a_window_that_never_arrives_is_asked_so_often_as_was_said_and_then_left_open() -> None:
    asker = Asker([windows(1)[0].tobytes()], 0, ROWS, in_flight=4096, most_again=2)
    lead(asker, with_model(), Line(["lose"] * 3), Line(()))
    assert asker.answers == [None]
    assert asker.again == 2


def test_a_window_longer_than_a_frame_goes_in_parts_and_a_lost_part_is_told_at_once() -> None:
    rows = 200
    first = replace(NET.ops[0], in_rows=rows, out_rows=rows, output=0)
    net = replace(NET, window=rows, arena=1200, ops=(first,))
    host = with_model(pack(net))
    raw = windows(4, rows=rows)
    wanted = run(net, raw)[-1].reshape(4, -1)
    asker = Asker([one.tobytes() for one in raw], 0, rows, in_flight=8000)
    # Three frames a window: the second frame of the first window and the first frame of the third are lost.
    seconds = lead(asker, host, Line(["pass", "lose", *["pass"] * 4, "lose"]), Line(()))
    assert all((answer.outputs == want).all() for answer, want in zip(asker.answers, wanted, strict=True))
    assert 1 <= asker.again <= 3
    assert seconds < 0.6
    assert {reason for _, reason, _ in naks(host)} == {6}


def test_every_layer_can_be_looked_at_however_long_it_is() -> None:
    net = small_net(channels=96)  # a layer of 1,728 bytes: two frames
    host, raw = with_model(pack(net)), windows(3, seed=2)
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


@pytest.mark.parametrize("hop", [1, 7, 50])
def test_its_own_samples_are_judged_at_multiples_of_the_hop_as_the_host_would(hop) -> None:
    host = with_model()
    host.send(Kind.STREAM_INFER, stream=0, on=1, hop=hop)
    host.start()
    host.run(0.3)
    numbers, _, raw = samples(host.heard, "imu")
    found = {end: answer for end, answer in streamed(host).items() if end <= numbers[-1]}
    assert list(found) == [end for end in range(ROWS - 1, len(numbers)) if (end + 1) % hop == 0]
    seen = np.stack([raw[end - ROWS + 1 : end + 1] for end in found]).astype("<i2")
    assert (np.stack(list(found.values())) == run(NET, seen)[-1].reshape(len(seen), -1)).all()


def test_a_result_never_comes_before_its_samples_and_no_window_reaches_over_a_gap() -> None:
    host = with_model(rate_hz=100)
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
    host = with_model(rate_hz=100)
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


def test_a_window_of_the_host_waits_until_it_is_done_with_its_own_samples() -> None:
    host = with_model()
    host.send(Kind.STREAM_INFER, stream=0, on=1, hop=20)
    assert ask(host, windows(1)[0]) == []
    assert naks(host) == [(Kind.INFER, 4, 0)]
    host.send(Kind.STREAM_INFER, stream=0, on=0, hop=0)
    assert len(ask(host, windows(1)[0])) == 1
    host.send(Kind.STREAM_INFER, stream=0, on=1, hop=0)
    host.send(Kind.STREAM_INFER, stream=1, on=1, hop=5)
    assert [nak[:2] for nak in naks(host)[1:]] == [(Kind.STREAM_INFER, 3)] * 2
