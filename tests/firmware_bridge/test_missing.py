"""A file that cannot be opened: what is said, and with which status it ends."""

from pathlib import Path

import pytest

from firmware_bridge.errors import FileError, FileMissing
from firmware_bridge.missing import missing, unread

WORDS = {"runn.mcap": "run.mcap", "run.mcpa": "run.mcap", "recording": "recordings", "x.mcap": "", "elsewhere": ""}


@pytest.mark.parametrize(("word", "near"), WORDS.items())
def test_a_mistyped_name_is_told_the_nearest_that_is_there(tmp_path: Path, word: str, near: str) -> None:
    (tmp_path / "run.mcap").touch()
    (tmp_path / "recordings").mkdir()
    error = missing(tmp_path / word)
    assert error.exit_code == 2
    assert error.next_step == (f"did you mean `{tmp_path / near}`?" if near else "check the name")


def test_a_file_that_is_not_there_is_a_mistake_of_the_request_and_one_that_is_shut_is_trouble(tmp_path: Path) -> None:
    for name in ("a/b", "folder"):
        (tmp_path / "folder").mkdir(exist_ok=True)
        with pytest.raises((FileNotFoundError, IsADirectoryError, PermissionError)) as caught:
            (tmp_path / name).read_bytes()
        error = unread(caught.value, tmp_path / name, "check the path")
        assert isinstance(error, FileError)
        assert isinstance(error, FileMissing) == (name == "a/b")
        assert error.exit_code == (2 if name == "a/b" else 3)
