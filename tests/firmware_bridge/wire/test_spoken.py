"""Commands as people write them."""

import pytest

from firmware_bridge.errors import UsageError
from firmware_bridge.wire.messages import Kind, Message
from firmware_bridge.wire.spoken import message_from


def test_a_command_is_named_with_its_fields() -> None:
    said = message_from("set_rate stream=1 rate_mhz=0x186A0")
    assert said == Message(Kind.SET_RATE, {"stream": 1, "rate_mhz": 100_000})


def test_what_is_not_given_is_zero_and_a_tail_is_hex() -> None:
    assert message_from("STOP") == Message(Kind.STOP, {})
    assert message_from("MODEL_CHUNK data=0aff").tail == b"\x0a\xff"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("SETRATE", "did you mean SET_RATE"),
        ("HELLO", "knows no command"),
        ("", "knows no command"),
        ("PING token=-1", "token=0..4294967295"),
        ("PING tokn=1", "cannot take `tokn=1`"),
        ("STOP data=00", "no fields"),
        ("MODEL_CHUNK data=0g", "data=HEX"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        message_from(text)
