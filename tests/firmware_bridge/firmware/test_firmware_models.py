"""A network on the C board and its virtual twin: it gets there whole over any line, and what cannot be is refused."""

import struct
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lossy import Line, lead
from model_bench import BLOB, NET, ask, bare, held, naks, needs_gcc, on_both, some_fates, with_model
from small_net import ROWS, windows

from firmware_bridge.oplist import Reason, pack
from firmware_bridge.oplist.reference import run
from firmware_bridge.oplist.table import header_struct, record_struct
from firmware_bridge.wire.deploying import Upload
from firmware_bridge.wire.messages import Kind, Message

pytestmark = [pytest.mark.firmware, pytest.mark.timeless, needs_gcc]


# ---------------------------------------------------------------- how it gets there


@on_both
@settings(max_examples=30)
@given(down=some_fates, up=some_fates, chunk=st.integers(40, 900))
def test_a_model_arrives_whole_whatever_the_line_loses_damages_repeats_or_brings_late(board, down, up, chunk) -> None:
    host = bare(board)
    upload = Upload(BLOB, chunk, 1500)
    lead(upload, host, Line(down), Line(up))
    assert upload.done, upload.failed
    assert held(host)["crc32"] == zlib.crc32(BLOB)
    assert (ask(host, windows(1)[0])[-1] == run(NET, windows(1))[-1].reshape(-1)).all()


@on_both
def test_a_lost_part_is_sent_again_from_where_the_board_misses_it_and_only_from_there(board) -> None:
    host = bare(board)
    upload = Upload(BLOB, 200, 800)
    seconds = lead(upload, host, Line(["pass", "pass", "lose"]), Line(()))
    assert upload.resent <= 800
    assert upload.begun == 1
    assert seconds < 0.5  # the board says so; nobody waits for it


@on_both
def test_a_board_that_says_nothing_is_given_up_and_one_that_starts_anew_is_begun_again(board) -> None:
    silent = Upload(BLOB, 200, 800)
    lead(silent, bare(board), Line(()), Line(["lose"] * 1000))
    assert silent.unanswered
    assert "did not answer MODEL_BEGIN in 6 s" in silent.failed

    host = bare(board)
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


@on_both
def test_parts_out_of_order_are_refused_with_the_offset_wanted_and_repeated_ones_passed_over(board) -> None:
    host = bare(board)
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


@on_both
def test_bytes_that_are_not_what_was_announced_are_told_by_their_checksum_and_sent_anew(board) -> None:
    host = bare(board)
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


def refusal_of(board: str, blob: bytes) -> Upload:
    upload = Upload(blob, 900, 4096)
    lead(upload, bare(board), Line(()), Line(()))
    return upload


def mended(blob: bytearray) -> bytes:
    struct.pack_into("<I", blob, 4, zlib.crc32(blob[8:]))
    return bytes(blob)


@on_both
def test_a_model_too_large_for_the_board_is_refused_before_it_is_sent(board) -> None:
    upload = refusal_of(board, bytes(70_000))
    assert upload.failed == "the model has 70000 bytes and the board has room for 65536"


@on_both
def test_an_op_that_the_board_does_not_know_is_refused_by_its_number_and_operator(board) -> None:
    blob = bytearray(BLOB)
    blob[header_struct.size + 2 * record_struct.size] = 77
    assert refusal_of(board, mended(blob)).refusal == (Reason.UNKNOWN_OP, 77, 2)


@on_both
def test_tensors_and_windows_without_room_are_refused(board) -> None:
    assert refusal_of(board, pack(replace(NET, arena=40_000))).refusal == (Reason.NO_ROOM, 0, 0)
    first = replace(NET.ops[0], in_rows=1000, out_rows=1000, output=0)
    long = replace(NET, window=1000, arena=6000, ops=(first,))
    assert refusal_of(board, pack(long)).failed == "a window of 12000 bytes has no room on the board"


@on_both
def test_what_needs_a_model_is_refused_without_one_and_after_a_reset(board) -> None:
    host = with_model(board)
    host.send(Kind.RESET)
    host.run(0.01)
    host.send(Kind.INFER, windows(1)[0].tobytes(), window=0, stream=0, n=ROWS)
    host.send(Kind.STREAM_INFER, stream=0, on=1, hop=5)
    host.send(Kind.TAP, layer=0)
    assert [(of, reason) for of, reason, _ in naks(host)] == [
        (Kind.INFER, 3), (Kind.STREAM_INFER, 3), (Kind.TAP, 3),
    ]  # fmt: skip
    assert held(host) == {}


@on_both
@pytest.mark.parametrize(
    ("fields", "values"),
    [
        ({"stream": 1, "n": ROWS}, ROWS * 12), ({"stream": 0, "n": ROWS + 1}, (ROWS + 1) * 12),
        ({"stream": 0, "n": ROWS}, ROWS * 12 - 1), ({"stream": 0, "n": ROWS}, ROWS * 12 + 2),
    ],
)  # fmt: skip
def test_a_window_of_another_stream_or_length_is_refused_and_the_next_one_answered(board, fields, values) -> None:
    host = with_model(board)
    host.send(Kind.INFER, bytes(values), window=1, **fields)
    assert [(of, reason) for of, reason, _ in naks(host)] == [(Kind.INFER, 3)]
    assert len(ask(host, windows(1)[0])) == 1
