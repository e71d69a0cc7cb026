"""What the README shows works as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "hil"))
from benchsim import record, simulate

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recording `run.mcap` of the watch, long enough for a decision."""
    made = tmp_path_factory.mktemp("readme")
    boards = {"watch": "virtual://watch"}
    record(made / "run.mcap", boards, simulate(boards, 6.0))
    return made


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_a_python_example_runs_and_says_something(folder: Path, number: int) -> None:
    command = (sys.executable, "-W", "error", "-c", EXAMPLES[number])
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=150)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()


def test_every_verb_that_is_named_exists() -> None:
    from hil.cli.verbs import FAMILY_OF

    shown = set(re.findall(r"^hil ([a-z]+)", README, re.MULTILINE))
    listed = re.search(r"`(demo ui [a-z\s]+)`", README)
    assert listed is not None
    assert shown <= set(FAMILY_OF)
    assert set(listed[1].split()) == set(FAMILY_OF)


def test_every_file_that_is_linked_exists() -> None:
    root = Path(__file__).resolve().parents[1]
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (root / link).exists()] == []
