"""Who answers on a port: the board that was met, or another one, which is refused live and in a replay alike."""

from dataclasses import replace

import pytest
from toy_board import INFO, ToyBoard

from firmware_bridge.events import Arrival, Connected, Log
from firmware_bridge.streams import BoardInfo
from firmware_bridge.wire.identity import Identity
from firmware_bridge.wire.messages import Kind
from firmware_bridge.wire.native import NativeDialect
from firmware_bridge.wire.protocol import Session

T0 = 1_700_000_000_000_000_000
UNKNOWN = BoardInfo("unknown", "", "", INFO.streams, "lines")


@pytest.mark.parametrize(
    ("met", "answers", "right"),
    [
        (INFO, INFO, True),
        (INFO, replace(INFO, firmware="fw-2"), True),
        (INFO, replace(INFO, serial="S2"), False),
        (INFO, replace(INFO, model="other"), False),
        (INFO, replace(INFO, serial=""), True),
        (UNKNOWN, INFO, True),
        (INFO, UNKNOWN, True),
    ],
)
def test_another_model_or_serial_number_is_another_board(met: BoardInfo, answers: BoardInfo, right: bool) -> None:
    identity = Identity(None)
    identity.opened("/dev/ttyX")
    assert identity.judge(met) == ""
    identity.opened("/dev/ttyX")
    sentence = identity.judge(answers)
    assert (sentence == "") is right
    if not right:
        assert sentence.startswith(f"/dev/ttyX: {answers.model} {answers.serial} answered where toy S1 was")


def test_what_was_asked_for_counts_before_what_was_met() -> None:
    identity = Identity(lambda info: None if info.serial == "S2" else "S2 was asked for")
    assert identity.judge(INFO) == "S2 was asked for"
    assert identity.judge(replace(INFO, serial="S2")) == ""


def test_bytes_that_nobody_understands_are_nobody() -> None:
    identity = Identity(None)
    assert identity.judge(BoardInfo("some guess", "9", "", (), "undescribed", confidence=0.3)) == ""
    assert identity.judge(INFO) == ""


def test_samples_of_another_board_after_a_reconnect_are_nobodys_until_the_first_one_is_back() -> None:
    session, first, other = (
        Session("toy", NativeDialect(), nonce=7),
        ToyBoard(),
        ToyBoard(info=replace(INFO, serial="S2")),
    )
    seq = 0

    def hear(kind: str, data: bytes) -> list[object]:
        nonlocal seq
        seq += 1
        return list(session.apply(Arrival("toy", seq, T0 + seq * 1_000_000, kind, data)).items)

    hear("open", b"/dev/ttyX")
    hear("rx", first.hello() + first.samples(0, 10))
    hear("close", b"unplugged")
    hear("open", b"/dev/ttyX")
    items = hear("rx", other.hello() + other.samples(0, 10))
    assert [type(item) for item in items] == [Log]
    assert "toy S2 answered where toy S1 was" in session.refused
    assert session.books().total("imu").delivered == 10
    hear("close", session.refused.encode())
    hear("open", b"/dev/ttyX")
    assert session.refused == ""
    items = hear("rx", ToyBoard().hello() + ToyBoard().say(Kind.LOG, b"hello", level=1, tick=0))
    assert [type(item) for item in items] == [Connected, Log]
