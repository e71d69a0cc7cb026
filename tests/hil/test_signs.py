"""A terminal or a pipe that cannot take our signs gets plain ones; no verb ends in a traceback over it."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

import firmware_bridge
import hil
from hil.signs import LINES, SCREEN, fits_terminal, speak, substitute

ROOMS = [Path(package.__file__).parent for package in (hil, firmware_bridge)]


def written(text: str, encoding: str, ready, **options) -> bytes:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="")
    ready(stream, **options)
    stream.write(text)
    stream.flush()
    return raw.getvalue()


def test_every_sign_that_our_rooms_write_has_a_plain_one_as_wide_as_itself():
    signs = {
        one for room in ROOMS for path in room.rglob("*.py") for one in path.read_text("utf-8") if not one.isascii()
    }  # fmt: skip
    assert len(signs) > 50
    for sign in signs | {chr(code) for code in range(0x2800, 0x2900)}:
        plain = substitute(sign)
        assert len(plain) == cell_len(sign), (sign, plain)
        assert plain.isascii(), (sign, plain)
        assert "?" not in plain, sign
        assert substitute(sign, words=True).isascii(), sign


def test_a_plot_keeps_its_columns_and_its_shape_where_only_ascii_can_be_drawn():
    line = "▸ watch ● live │⠀⣀⣿⠉ −10 s…🔎"
    drawn = written(line, "ascii", fits_terminal).decode("ascii")
    assert drawn == "> watch * live | .#. -10 s~??"
    assert len(drawn) == cell_len(line)


def test_lines_for_people_say_words_for_the_signs_that_are_not_there():
    assert written("80 µg/√Hz ±2 at 21.5 °C", "cp1252", speak).decode("cp1252") == "80 µg/sqrtHz ±2 at 21.5 °C"
    assert written("80 µg/√Hz ±2…", "ascii", speak) == b"80 ug/sqrtHz +-2..."
    assert "é→日".encode("ascii", errors=LINES) == b"e->??"
    assert "½é".encode("ascii", errors=SCREEN) == b"he"


def test_what_is_redirected_into_a_file_is_utf8_whatever_the_system_speaks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    assert written("21.5 °C", "cp1252", speak, data=True) == "21.5 °C".encode()
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    assert written("21.5 °C", "cp1252", speak, data=True) == "21.5 °C".encode("cp1252")


def test_a_stream_that_carries_no_text_of_ours_stays_as_it_is():
    speak(None)
    fits_terminal(None)
    speak(held := io.StringIO())
    print("²", file=held)
    assert held.getvalue() == "²\n"


def test_a_verb_whose_lines_need_more_than_the_pipe_can_take_ends_well():
    """The name of a file that is not there is said again: it stands for any line with signs."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    told = subprocess.run([sys.executable, "-c", "from hil.cli import main; main()", "info", "né√.mcap"],
                          capture_output=True, env=environment, check=False)  # fmt: skip
    assert (told.returncode, told.stderr) == (2, b"hil: nesqrt.mcap: no such file; check the name\n")
