"""The project keeps its own rules: what stands at the top, and what importing costs."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_top_level_holds_nothing_else() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    top = {name.split("/")[0] for name in listed.stdout.split("\n") if name}
    allowed = {"pyproject.toml", "README.md", "firmware_bridge", "hil", "scenarios", "tests"}
    assert {name for name in top if not name.startswith(".")} <= allowed


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_hil_loads_no_heavy_library() -> None:
    assert not {"torch", "textual", "scipy", "numpy"} & loaded_by("import hil")


def test_asking_for_help_loads_no_heavy_library() -> None:
    modules = loaded_by("import hil.cli; hil.cli.app(['--help'], standalone_mode=False)")
    assert "hil.cli.live" in modules
    assert not {"torch", "textual", "scipy", "numpy", "serial", "rich", "mcap"} & modules


def test_what_is_told_to_be_installed_is_written_so_that_every_shell_takes_it() -> None:
    """Brackets that are not quoted are a pattern of zsh, the shell of macOS: it refuses the whole line."""
    rooms = [path for room in ("hil", "firmware_bridge") for path in (ROOT / room).rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *rooms)]
    told = [words for text in texts for words in re.findall(r"pip install \S*hil-testbench\S*", text)]
    assert len(told) > 20
    assert [words for words in told if words.startswith("pip install hil-testbench[")] == []


SKIPPED = """
import pytest
@pytest.mark.firmware
@pytest.mark.skipif(True, reason="gcc is not installed")
def test_firmware(): ...
@pytest.mark.skipif(True, reason="no such recording")
def test_other(): ...
"""


def test_where_all_firmware_has_to_run_a_skipped_test_of_firmware_has_failed(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (tmp_path / "test_skipped.py").write_text(SKIPPED)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = firmware\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hil"]
    for wanted, said in (("", "2 skipped"), ("1", "1 skipped, 1 error")):
        environment = {**os.environ, "HIL_NEEDS_ALL_FIRMWARE": wanted}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert said in done.stdout, done.stdout
    assert "all firmware has to run here, and this was skipped: gcc is not installed" in done.stdout
