"""C and Python speak from one table, and read the same frames out of the same bytes."""

from pathlib import Path

import pytest
from firmware_core import CoreReader
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.firmware.build import missing
from firmware_bridge.firmware.codegen import FILES, FOLDER, main
from firmware_bridge.wire.encode import encode
from firmware_bridge.wire.frames import IDLE
from firmware_bridge.wire.framing import Decoder, decode_live, frame
from firmware_bridge.wire.messages import TABLE, Flag, Kind, Message

needs_gcc = pytest.mark.skipif(bool(missing("host")), reason=missing("host"))
VECTORS = [
    line.partition("  # ")
    for line in Path(__file__).with_name("vectors.txt").read_text().splitlines()
    if not line.startswith("#")
]
GOLDEN = Path(__file__).parents[1] / "wire" / "messages_v1.txt"


def python_reads(wire: bytes, crc_bits: int, max_frame: int) -> tuple[list[bytes], int]:
    decoder = Decoder()
    decoder.crc_bits, decoder.max_frame = crc_bits, max_frame
    complete, _ = decoder.take(wire)
    frames = decode_live(complete, crc_bits, max_frame)
    return [frames.body(k) for k in range(len(frames))], sum(what != IDLE for _, what, _ in frames.damaged)


@pytest.mark.parametrize("name", FILES)
def test_what_is_checked_in_is_what_the_table_says(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == FILES[name](), "run `python -m firmware_bridge.firmware.codegen`"


def test_the_check_says_which_file_is_stale_and_writes_nothing(monkeypatch, capsys) -> None:
    assert main(["--check"]) == 0
    monkeypatch.setitem(FILES, "core/hil_messages.h", lambda: "other")
    assert main(["--check"]) == 1
    assert capsys.readouterr().err == "core/hil_messages.h: not what the table says\n"
    assert (FOLDER / "core/hil_messages.h").read_text("utf-8") != "other"


def test_the_header_names_every_message_and_flag_with_its_code() -> None:
    text = (FOLDER / "core/hil_messages.h").read_text("utf-8")
    for kind, shape in TABLE.items():
        assert f"    HIL_{kind.name} = 0x{kind:02x}" in text
        assert f"HIL_{kind.name}_SIZE = {shape.codec().size}\n" in text
    for flag in Flag:
        assert f"    HIL_{flag.name} = 0x{flag:02x}" in text


@pytest.mark.parametrize(("row", "meaning"), [(row, meaning) for row, _, meaning in VECTORS])
def test_python_reads_the_shared_vectors(row: str, meaning: str) -> None:
    crc_bits, max_frame, refused, wire, bodies = row.split()
    expected = [] if bodies == "-" else [bytes.fromhex(body) for body in bodies.split(",")]
    assert python_reads(bytes.fromhex(wire), int(crc_bits), int(max_frame)) == (expected, int(refused)), meaning


@needs_gcc
@pytest.mark.firmware
@pytest.mark.timeless
@pytest.mark.parametrize(("row", "meaning"), [(row, meaning) for row, _, meaning in VECTORS])
def test_c_reads_the_shared_vectors(row: str, meaning: str) -> None:
    crc_bits, max_frame, refused, wire, bodies = row.split()
    reader = CoreReader(int(crc_bits), int(max_frame))
    expected = [] if bodies == "-" else [bytes.fromhex(body) for body in bodies.split(",")]
    assert (reader.feed(bytes.fromhex(wire)), reader.refused) == (expected, int(refused)), meaning


@needs_gcc
@pytest.mark.firmware
@pytest.mark.timeless
def test_c_reads_the_golden_frames_of_every_message() -> None:
    lines = [line.split() for line in GOLDEN.read_text().splitlines() if not line.startswith("#")]
    for name, flags, payload, framed in lines:
        header = bytes([Kind[name], Flag[flags], 2, 1])
        bodies = CoreReader(32, 1024).feed(bytes.fromhex(framed))
        assert bodies == [header + bytes.fromhex(payload.strip("-"))], name


FROM_HOST = [kind for kind in Kind if kind >= Kind.IDENTIFY]


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Frames of any command, models and windows too, some of them in parts."""
    kind = draw(st.sampled_from(FROM_HOST))
    widths = {"B": 8, "H": 16, "I": 32}
    fields = {name: draw(st.integers(0, 2 ** widths[code] - 1)) for name, code in TABLE[kind].fields}
    message = Message(kind, fields, draw(st.binary(max_size=300)) if TABLE[kind].tail else b"")
    crc_bits = draw(st.sampled_from([16, 32]))
    return encode(message, draw(st.integers(0, 65535)), crc_bits, draw(st.sampled_from([64, 1024])))


def mutated(wire: bytes, at: int, what: bytes, cut: int) -> bytes:
    at %= len(wire) + 1
    return wire[:at] + what + wire[at + cut :]


STREAMS = st.lists(
    messages()
    | st.binary(max_size=40)
    | st.builds(lambda body: frame(b"\x44" + body, 16), st.binary(min_size=3, max_size=600))
    | st.builds(mutated, messages(), st.integers(0, 400), st.binary(max_size=3), st.integers(0, 3)),
    max_size=8,
).map(b"".join)  # fmt: skip


@needs_gcc
@pytest.mark.firmware
@pytest.mark.timeless
@settings(max_examples=400)
@given(STREAMS, st.sampled_from([16, 32]), st.sampled_from([32, 64, 300, 1024]))
def test_c_and_python_accept_exactly_the_same_frames(wire: bytes, crc_bits: int, max_frame: int) -> None:
    wire += b"\0"
    reader = CoreReader(crc_bits, max_frame)
    assert (reader.feed(wire), reader.refused) == python_reads(wire, crc_bits, max_frame)
