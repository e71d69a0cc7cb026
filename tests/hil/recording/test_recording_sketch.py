"""What a text board printed becomes a board file that reads the same bytes."""

import sys
from pathlib import Path

import pytest

from firmware_bridge.errors import FileError, UsageError
from hil.recording.decode import decode
from hil.recording.reader import Recording
from hil.recording.sketch import sketch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from engines import captured

LINES = b"boot ok\n" + b"".join(b"%d,%d,%.2f\n" % (20 * n, 3 * n % 17, n / 8) for n in range(200))


def test_the_sketch_of_a_log_reads_that_log(tmp_path: Path) -> None:
    log, board, made = tmp_path / "log.txt", tmp_path / "board.toml", tmp_path / "made.mcap"
    log.write_bytes(LINES)
    board.write_text(sketch(log), encoding="utf-8")
    decode(log, made, board_file=board)
    with Recording(made) as recording:
        (known,) = recording.streams()
        readings = recording.read(known.board, known.stream.name)
    assert len(readings.raw) == 200


def test_a_recording_with_two_boards_asks_which(tmp_path: Path) -> None:
    from hil.config import EngineConfig, PortConfig, RecordConfig

    path = tmp_path / "two.mcap"
    ports = (PortConfig(port="virtual://text", role="a"), PortConfig(port="virtual://text?format=json", role="b"))
    captured(EngineConfig(ports=ports, record=RecordConfig(path=str(path))), 20)
    with pytest.raises(UsageError, match="a, b"):
        sketch(path)
    assert "[[stream]]" in sketch(path, "a")


def test_what_is_not_there_or_holds_no_lines_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        sketch(tmp_path / "none.txt")
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 4)
    with pytest.raises(UsageError, match="no two lines"):
        sketch(tmp_path / "noise.bin")
