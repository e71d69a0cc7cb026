"""Parts that tests of transports share."""

from firmware_bridge.transport import Transport

PAYLOAD = bytes(range(256)) * 40


def read_all(transport: Transport, count: int) -> bytes:
    """Read until `count` bytes came (each read waits at most 30 s, so a lost byte ends the test)."""
    data = b""
    while len(data) < count:
        part = transport.read(30.0)
        assert part, f"only {len(data)} of {count} bytes came"
        data += part
    return data
