from pathlib import Path

import pytest

from firmware_bridge.errors import BoardFileError, FileError
from firmware_bridge.wire.boardfile import load_board_file, parse_board_file
from firmware_bridge.wire.dialect import DialectSpec
from firmware_bridge.wire.dialects import make_dialect

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = sorted((ROOT / "scenarios" / "boards").glob("*.toml"))
LINES = """
schema = 1
[board]
model = "b"
[lines]
columns = ["t", "x", "y"]
[[stream]]
name = "s"
columns = ["x", "y"]
tick = { column = "t", unit = "ms" }
"""
FRAME = """
schema = 1
[board]
model = "b"
[frame]
sync = "aa"
length = 8
[[stream]]
name = "s"
fields = [{ name = "x", at = 1, type = "i16" }]
"""


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_examples_are_right(file: Path) -> None:
    board = load_board_file(file)
    assert board.streams
    assert make_dialect(DialectSpec("boardfile", {"text": board.text, "file": file.name})).name == board.info.dialect


def test_serial_settings() -> None:
    table = '[serial]\nbaud = 9600\nparity = "even"\nbits = 7\nstop = 2\ndtr = false\n'
    table += 'on_connect = ["go\\n", "hex: b5 62"]\n'
    board = parse_board_file(LINES.replace("[lines]", table + "[lines]"))
    serial = board.serial
    assert (serial.baud, serial.parity, serial.bits, serial.stop) == (9600, "even", 7, 2)
    assert (serial.dtr, serial.rts, serial.on_connect) == (False, None, b"go\n\xb5\x62")
    assert board.says_serial
    assert not parse_board_file(LINES).says_serial


@pytest.mark.parametrize(("text", "change", "sentences"), [
    (LINES, ("schema = 1", "schema = 2"), ["schema 2", "reads up to 1", "update"]),
    (LINES, ("schema = 1", ""), ["schema: this key is missing"]),
    (LINES, ("[lines]", "[liens]"), ["liens: there is no such key", "did you mean 'lines'"]),
    (LINES, ("columns = [\"x\"", "colums = [\"x\""), ["stream.1.colums", "did you mean 'columns'"]),
    (LINES, ('["x", "y"]\ntick', '["x", "z"]\ntick'), ["stream.1.columns: 'z' was found", "allowed are t, x, y"]),
    (LINES, ('column = "t"', "column = 4"), ["stream.1.tick.column: column 4 was found, allowed are 1 to 3"]),
    (LINES, ('unit = "ms"', 'unit = "msec"'), ["stream.1.tick.unit: 'msec' was found", "did you mean 'ms'"]),
    (LINES, (', unit = "ms"', ""), ["stream.1.tick.unit: this key is missing"]),
    (LINES, ('name = "s"', 'name = "s"\nunit = ["g"]\nshape = [3]'), ["shape: [3] was found", "2 columns"]),
    (LINES, ('name = "s"', 'name = "s"\nunit = ["g", "g", "g"]'), ["stream.1.unit: 3 were found", "each of 2"]),
    (LINES, ('name = "s"', 'name = "s"\nfields = [{ name = "x", at = 1, type = "i16" }]'), ["fields", "[frame]"]),
    (LINES, ("[lines]", '[lines]\nskip = ["("]'), ["lines.skip", "regular expression"]),
    (FRAME, ('sync = "aa"', 'sync = "aax"'), ["frame.sync: 'aax' was found"]),
    (FRAME, ("length = 8", 'length = 8\nchecksum = { kind = "crc16-modbuss" }'), ["did you mean 'crc16-modbus'"]),
    (FRAME, ("length = 8", ""), ["frame.length: this key is missing"]),
    (FRAME, ('type = "i16"', 'type = "int16"'), ["stream.1.fields.1.type: 'int16' was found", "did you mean 'i16'"]),
    (FRAME, ('name = "s"', 'name = "s"\nid = "01"'), ["stream.1.id", "no `id`"]),
    (FRAME, ('name = "s"', 'name = "s"\ndtype = "u8"'), ["dtype", "does not hold"]),
    (FRAME, ("[frame]", "[lines]\ncolumns = [\"a\"]\n[frame]"), ["exactly one of [frame] and [lines]", "both"]),
    (FRAME, ("schema = 1", "schema = "), ["no valid TOML", "line 2"]),
    (FRAME, ("[frame]", '[serial]\nparity = "evne"\n[frame]'), ["serial.parity: 'evne'", "did you mean 'even'"]),
])  # fmt: skip
def test_a_mistake_names_key_what_was_found_and_what_is_allowed(
    text: str, change: tuple[str, str], sentences: list[str]
) -> None:
    assert change[0] in text
    with pytest.raises(BoardFileError) as caught:
        parse_board_file(text.replace(*change, 1), "my.toml")
    for sentence in ["my.toml", *sentences]:
        assert sentence in str(caught.value)
    assert caught.value.exit_code == 2


def test_all_mistakes_are_told_at_once() -> None:
    wrong = LINES.replace('"y"]\ntick', '"z"]\ntick').replace('column = "t"', 'column = "tt"')
    with pytest.raises(BoardFileError, match=r"2 mistakes: \(1\).*\(2\)"):
        parse_board_file(wrong)
    with pytest.raises(BoardFileError, match=r"3 mistakes"):
        parse_board_file(FRAME.replace("model", "modle").replace("length = 8", 'length = 8\nendian = "middle"'))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        load_board_file(tmp_path / "none.toml")
