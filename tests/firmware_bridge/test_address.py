"""What a port string says, and how a wrong one is answered."""

import pytest

from firmware_bridge.address import SerialSettings, parse_port
from firmware_bridge.errors import UsageError


@pytest.mark.parametrize(
    ("text", "scheme", "target"),
    [
        ("/dev/ttyACM0", "serial", "/dev/ttyACM0"),
        ("COM4?baud=9600", "serial", "COM4"),
        ("usb://95530343?dtr=off", "usb", "95530343"),
        ("socket://localhost:4000", "socket", "localhost:4000"),
        ("socket://[::1]:4000", "socket", "[::1]:4000"),
        ("rfc2217://host:4000?baud=9600&timeout=2", "rfc2217", "rfc2217://host:4000?timeout=2"),
        ("exec:cat '/tmp/a b'?x=1", "exec", "cat '/tmp/a b'?x=1"),
        ("virtual://watch?seed=7&baud=3", "virtual", "virtual://watch?seed=7&baud=3"),
    ],
)
def test_every_way_into_a_board_is_understood(text: str, scheme: str, target: str) -> None:
    address = parse_port(text)
    assert (address.scheme, address.target, address.text) == (scheme, target, text)


def test_options_of_the_port_win_over_the_board_file_and_leave_the_rest() -> None:
    address = parse_port("/dev/ttyUSB0?baud=921600&parity=even&dtr=off&stop=1.5&flow=rtscts&exclusive=no")
    settings = address.settings(SerialSettings(baud=9600, bits=7, rts=True))
    assert settings == SerialSettings(
        baud=921600, bits=7, parity="even", stop=1.5, dtr=False, rts=True, flow="rtscts", exclusive=False
    )


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("/dev/ttyUSB0?buad=9600", "`baud`"),
        ("/dev/ttyUSB0?parity=evn", "`even`"),
        ("/dev/ttyUSB0?dtr=maybe", "dtr=on or dtr=off"),
        ("/dev/ttyUSB0?baud=fast", "whole number"),
        ("/dev/ttyUSB0?baud=nan", "whole number"),
        ("/dev/ttyUSB0?bits=9", "5, 6, 7 or 8"),
        ("/dev/ttyUSB0?baud", "?baud=921600"),
        ("sokcet://host:1", "`socket`"),
        ("socket://host", "socket://HOST:PORT"),
        ("socket://host:99999", "socket://HOST:PORT"),
        ("socket://host:1?baud=9600", "leave it out"),
        ("usb://", "usb://ADDRESS"),
        ("exec:", "exec:COMMAND"),
        ("", "hil ports"),
    ],
)
def test_a_wrong_port_ends_in_one_sentence_with_the_nearest_that_works(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_port(text)
    assert hint in str(caught.value)
    assert "\n" not in str(caught.value)
