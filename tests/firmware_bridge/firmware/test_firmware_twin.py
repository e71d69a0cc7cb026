"""Whatever a host says to a board about models, the C core and its virtual twin answer the same, refusals included."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_bench import BLOB, NET, bare, needs_gcc, with_model
from small_net import ROWS, windows
from virtual_host import Host

from firmware_bridge.oplist.table import header_struct
from firmware_bridge.wire.framing import frame
from firmware_bridge.wire.messages import HEADER, OFFSET, Flag, Kind, Message, pack

pytestmark = [pytest.mark.firmware, pytest.mark.timeless, needs_gcc]

CRC32 = zlib.crc32(BLOB)
Command = tuple[Kind, Flag, bytes]


def command(kind: Kind, tail: bytes = b"", **fields: int) -> Command:
    return kind, Flag.NONE, pack(Message(kind, fields, tail))


def spoilt(at: int, value: int) -> bytes:
    """The model with one byte changed, and its own checksum right again."""
    blob = bytearray(BLOB)
    blob[8 + at % (len(blob) - 8)] = value
    blob[4:8] = zlib.crc32(blob[8:]).to_bytes(4, "little")
    return bytes(blob)


def sent(blob: bytes) -> list[Command]:
    crc32 = zlib.crc32(blob)
    parts = [command(Kind.MODEL_CHUNK, blob[at : at + 900], offset=at) for at in range(0, len(blob), 900)]
    return [
        command(Kind.MODEL_BEGIN, size=len(blob), crc32=crc32),
        *parts,
        command(Kind.MODEL_END, crc32=crc32),
    ]


sizes = st.sampled_from([0, 10, len(BLOB), len(BLOB) + 1, 65_536, 65_537, 2**32 - 1])
places = st.integers(0, len(BLOB) + 50) | st.sampled_from([0, 900, len(BLOB), 2**32 - 1])
window = windows(1)[0].tobytes()
payload = pack(Message(Kind.INFER, {"window": 5, "stream": 0, "n": ROWS}, window))
parts_of_a_window = st.builds(
    lambda at, count, flags: (Kind.INFER, flags, OFFSET.pack(at) + payload[at : at + count]),
    st.sampled_from([0, 7, 100, 107, 200]), st.sampled_from([0, 3, 7, 100, 147, 300]),
    st.sampled_from([Flag.FRAGMENT, Flag.FRAGMENT | Flag.MORE, Flag.MORE]),
)  # fmt: skip
commands = st.lists(
    st.one_of(
        st.builds(lambda at, value: sent(spoilt(at, value)), st.integers(0, 400), st.integers(0, 255)),
        st.just(sent(BLOB)),
        st.builds(lambda size: [command(Kind.MODEL_BEGIN, size=size, crc32=CRC32)], sizes),
        st.builds(lambda at, n: [command(Kind.MODEL_CHUNK, BLOB[at : at + n], offset=at)], places, st.integers(0, 900)),
        st.builds(lambda crc32: [command(Kind.MODEL_END, crc32=crc32)], st.sampled_from([CRC32, 0])),
        st.builds(
            lambda stream, n, cut: [command(Kind.INFER, window[cut:], window=3, stream=stream, n=n)],
            st.sampled_from([0, 0, 0, 1]), st.sampled_from([ROWS, ROWS, ROWS + 1, 0]), st.sampled_from([0, 0, 1, 12]),
        ),
        st.lists(parts_of_a_window, min_size=1, max_size=3),
        st.builds(
            lambda stream, on, hop: [command(Kind.STREAM_INFER, stream=stream, on=on, hop=hop)],
            st.integers(0, 1), st.integers(0, 1), st.sampled_from([0, 5, 40]),
        ),
        st.builds(lambda layer: [command(Kind.TAP, layer=layer)], st.sampled_from([0, 2, 4, 5, 254, 255])),
        st.just([command(Kind.RESET)]),
    ),
    max_size=8,
).map(lambda several: [one for some in several for one in some])  # fmt: skip


def answers(host: Host, said: list[Command]) -> list[tuple[object, ...]]:
    """Say it all; return what the board answered, apart from times."""
    host.heard.clear()
    for seq, (kind, flags, body) in enumerate(said):
        host.board.receive(frame(HEADER.pack(kind, flags, seq) + body, 32), host.now)
        host.listen()
    found: list[tuple[object, ...]] = []
    for kind in (Kind.ACK, Kind.NAK, Kind.RESULT):
        for one in host.answers(kind):
            fields = {name: value for name, value in one.fields.items() if name not in ("tick", "elapsed")}
            found.append((kind, tuple(fields.items()), one.tail if kind is Kind.RESULT else b""))
    return found


@settings(max_examples=60)
@given(commands)
def test_the_core_and_its_twin_answer_every_command_about_models_alike(said: list[Command]) -> None:
    """Model and windows, whole and in parts, out of order, spoilt, too long, with and without a model there."""
    assert answers(bare("C"), said) == answers(bare("twin"), said)
    assert answers(with_model("C"), said) == answers(with_model("twin"), said)


def test_what_is_spoilt_reaches_every_check_of_an_op_list() -> None:
    """The property above would be blind if a spoilt model were always refused for one reason."""
    reasons = set()
    for at in range(0, 8 * len(NET.ops) + header_struct.size, 1):
        for value in (0, 255):
            refused = [fields for kind, fields, _ in answers(bare("twin"), sent(spoilt(at, value))) if kind is Kind.NAK]
            reasons |= {dict(fields)["detail"] & 0xFF for fields in refused}
    assert len(reasons) >= 5
