"""A network comes onto a board that goes on sampling, whatever of the conversation is lost, or it is said why not."""

import random
import zlib
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.events import Reply
from firmware_bridge.streams import BoardInfo, Stream
from firmware_bridge.wire.inject import Downlink
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.placing import Placing, answers_in, held

BLOB = bytes(range(256)) * 9
STREAM = Stream("imu", ("a",), ("1",), "<i2", (1,), 100.0)
INFO = BoardInfo("board", "1", "", (STREAM,), "native", extra={"limits": {"rx_buffer": 1024}})
MS = 1_000_000


class Board:
    """A board that loses what it hears and what it says."""

    def __init__(self, chance: random.Random, loss: float, refuses: bool = False) -> None:
        self.info, self.judges, self._data = INFO, False, b""
        self._chance, self._loss, self._refuses = chance, loss, refuses

    def hears(self, said: Message) -> list[Message]:
        """Return what comes back of an answer."""
        return [one for one in self._answers(said) if not self._lost()] if not self._lost() else []

    def _lost(self) -> bool:
        return self._chance.random() < self._loss

    def _answers(self, said: Message) -> list[Message]:
        if said.kind == Kind.IDENTIFY:
            self.info = replace(INFO, extra={**INFO.extra, "network": {"crc32": zlib.crc32(self._data)}})
            return []
        if said.kind == Kind.MODEL_BEGIN:
            self._data = b""
        elif said.kind == Kind.MODEL_CHUNK:
            if said.offset != len(self._data):
                return [self._no(said, 6, len(self._data))] if said.offset > len(self._data) else []
            self._data += said.tail
        elif said.kind == Kind.MODEL_END and len(self._data) < len(BLOB):
            return [self._no(said, 6, len(self._data))]
        elif said.kind == Kind.STREAM_INFER:
            if self._refuses:
                return [self._no(said, 3, 0)]
            self.judges = True
        return [Message(Kind.ACK, {"of": said.kind, "of_seq": 0})]

    @staticmethod
    def _no(said: Message, reason: int, detail: int) -> Message:
        return Message(Kind.NAK, {"of": said.kind, "of_seq": 0, "reason": reason, "detail": detail})


def talk(board: Board, within_s: float = 120.0) -> Placing:
    """Let a host and a board talk until they have done, on a clock of their own."""
    placing, now = Placing.onto(INFO, Downlink({"imu": 0}, 256, 16), BLOB, "imu", 10), 0
    while not (placing.done or placing.failed) and now < within_s * 1e9:
        placing.met(board.info)
        for said in placing.due(now):
            for answer in board.hears(said):
                placing.take(answer, now)
        now += 20 * MS
    return placing


@given(st.integers(0, 1 << 16), st.sampled_from([0.0, 0.05, 0.15]))
def test_it_gets_there_over_a_line_that_loses_one_word_in_seven(seed: int, loss: float) -> None:
    board = Board(random.Random(seed), loss)
    placing = talk(board)
    assert placing.done
    assert board.judges
    assert held(board.info) == zlib.crc32(BLOB)  # it said which network it holds before it judged with it


def test_a_board_that_says_nothing_or_no_is_told_apart() -> None:
    silent = talk(Board(random.Random(0), 1.0))
    assert silent.unanswered
    assert silent.failed == "the board did not answer MODEL_BEGIN in 6 s"
    refuses = talk(Board(random.Random(0), 0.0, refuses=True))
    assert not refuses.unanswered
    assert refuses.failed.startswith("the board refuses STREAM_INFER: ")


def test_a_board_that_never_says_who_it_is_now_has_not_confirmed_the_network() -> None:
    placing = Placing.onto(INFO, Downlink({"imu": 0}, 256, 16), BLOB, "imu", 10)
    board, now = Board(random.Random(0), 0.0), 0
    while not placing.failed and now < 60e9:
        placing.met(INFO)  # as it was before
        for said in placing.due(now):
            for answer in board.hears(said):
                placing.take(answer, now)
        now += 20 * MS
    assert placing.failed == "the board did not answer IDENTIFY in 6 s"
    assert not board.judges


def test_of_all_replies_only_answers_count() -> None:
    replies = [Reply("b", 0, kind, {"of": int(Kind.STREAM_INFER), "of_seq": 0}) for kind in ("ACK", "CREDIT", "RESULT")]
    assert [one.kind for one in answers_in(replies)] == [Kind.ACK]
