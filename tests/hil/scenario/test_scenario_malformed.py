"""Scenario files that went wrong in every way: one clear sentence each, exit 2, never a traceback."""

import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command

from hil.cli import app, main

SHIPPED = sorted(
    path
    for folder in ("clocks", "faults", "frames", "people", "smoke")
    for path in (Path(__file__).parents[3] / "scenarios" / folder).glob("*.toml")
)
SENTENCE = re.compile(r"^(?:hil: )?(?P<file>[^:]+\.toml):(?P<line>\d+): (?P<told>.{10,})$")

Mutation = Callable[[random.Random, str], str | bytes]


def lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def delete(draw: random.Random, text: str) -> str:
    at = draw.randrange(len(text))
    return text[:at] + text[at + draw.randint(1, 4) :]


def double(draw: random.Random, text: str) -> str:
    at = draw.randrange(len(text))
    return text[:at] + text[at : at + draw.randint(1, 3)] + text[at:]


def alter(draw: random.Random, text: str) -> str:
    at = draw.randrange(len(text))
    return text[:at] + draw.choice("[]{}=\"'.#\\\n\t,0x-_\0\u2028") + text[at + 1 :]


def line_twice(draw: random.Random, text: str) -> str:
    """A key (or a table) that is given twice."""
    every = lines(text)
    at = draw.randrange(len(every))
    return "".join([*every[: at + 1], every[at], *every[at + 1 :]])


def line_gone(draw: random.Random, text: str) -> str:
    every = lines(text)
    every.pop(draw.randrange(len(every)))
    return "".join(every)


def tables_swapped(draw: random.Random, text: str) -> str:
    every = lines(text)
    headers = [at for at, line in enumerate(every) if line.startswith("[")]
    one, other = draw.choice(headers), draw.choice(headers)
    every[one], every[other] = every[other], every[one]
    return "".join(every)


def key_misspelt(draw: random.Random, text: str) -> str:
    keys = list(re.finditer(r"^(\w+) =", text, re.MULTILINE))
    match = draw.choice(keys)
    key = match[1]
    at = draw.randrange(len(key))
    wrong = draw.choice([key[:at] + key[at + 1 :], key[:at] + "x" + key[at:], key.upper(), key + "_"])
    return text[: match.start()] + wrong + text[match.start() + len(key) :]


def other_value(draw: random.Random, text: str) -> str:
    """A value of another type, out of bounds, or of a size nobody means."""
    match = draw.choice(list(re.finditer(r"= (.+)$", text, re.MULTILINE)))
    value = draw.choice(
        ["true", "[]", "{}", '""', "-1", "nan", "inf", "-inf", "1e400", "9" * 400, "1979-05-27", "0x7fffffffffffffff",
         "[1, 2, 3]", "{ a = 1 }", '"no such thing"', "'''\n\n'''", "[[[[]]]]", "1e308", '"\\u0000"', "0.1",
         '["a", 1]'],
    )  # fmt: skip
    return text[: match.start(1)] + value + text[match.end() :]


def metric_unknown(draw: random.Random, text: str) -> str:
    match = draw.choice(list(re.finditer(r'^metric = "(.+)"$', text, re.MULTILINE)))
    parts = match[1].split(".")
    at = draw.randrange(len(parts))
    parts[at] = draw.choice(["", "x", parts[at] + "s", parts[at].upper() + "1", "...", "é"])
    return text[: match.start(1)] + ".".join(parts[: at + draw.randint(1, len(parts))]) + text[match.end(1) :]


def limits_wrong(draw: random.Random, text: str) -> str:
    limit = draw.choice(
        ["at_least = 1\nat_most = 2", "between = [2, 1]", "between = [1]", "equals = 1\nmarginal = 2", "marginal = 1",
         "at_least = 2\nmarginal = 1", "within_percent = 3", "at_most = 1\nwithin_percent = 1", 'between = ["a", "b"]'],
    )  # fmt: skip
    return f'{text}\n[[check]]\nmetric = "{re.search(r"metric = .(.+).$", text, re.MULTILINE)[1]}"\n{limit}\n'  # type: ignore[index]  # every scenario has a check


def table_added(draw: random.Random, text: str) -> str:
    return text + draw.choice(
        ["\n[board.other]\n", '\n[board."a b"]\nvirtual = "imu"\n', "\n[quarantine]\nreason = 1\n", "\n[[fault]]\n",
         '\n[[fault]]\non = "nobody"\nkind = "frame.drop"\n', '\n[[fault]]\non = "*"\nkind = "frame.dropp"\n',
         '\n[[event]]\nname = "e"\nmodel = "m"\nlabel = "L"\n', "\n[chekc]\n", "\n[setup]\nflash = 3\n",
         '\n[model.m]\nfile = "exercise"\nboard = "nobody"\n', "\n[baseline]\n", "\n[readings.more]\n", "\n[check]\n",
         "\n[[board]]\n"],
    )  # fmt: skip


def nested(draw: random.Random, text: str) -> str:
    deep = draw.choice([20, 200, 5000])
    return f"tags = {'[' * deep}{']' * deep}\n{text}" if draw.random() < 0.5 else f"[{'a.' * deep}a]\n{text}"


def no_utf8(draw: random.Random, text: str) -> bytes:
    data = text.encode()
    at = draw.randrange(len(data))
    return data[:at] + draw.choice([b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\x80"]) + data[at:]


def cut(draw: random.Random, text: str) -> str:
    return text[: draw.randrange(len(text))]


def binary(draw: random.Random, text: str) -> bytes:
    return draw.randbytes(draw.randint(1, 400))


MUTATIONS: list[Mutation] = [
    delete, double, alter, line_twice, line_gone, tables_swapped, key_misspelt, other_value, metric_unknown,
    limits_wrong, table_added, nested, no_utf8, cut, binary,
]  # fmt: skip


def malformed(folder: Path, seed: int) -> Path:
    """Write the file of a seed."""
    draw = random.Random(seed)
    mutation = MUTATIONS[seed % len(MUTATIONS)]
    made = mutation(draw, draw.choice(SHIPPED).read_text("utf-8"))
    path = folder / f"{seed:04d}-{mutation.__name__}.toml"
    path.write_bytes(made if isinstance(made, bytes) else made.encode())
    return path


def clear(told: str, path: Path) -> bool:
    """Whether every line is a sentence that names the file and a line that is there."""
    count = path.read_bytes().count(b"\n") + 1
    found = [SENTENCE.match(line) for line in told.strip().splitlines()]
    return bool(found) and all(one and one["file"] == str(path) and 1 <= int(one["line"]) <= count for one in found)


def test_two_hundred_malformed_files_are_told_clearly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # The verbs are made ready once and not for each file: that alone would take three quarters of the time.
    monkeypatch.setattr("hil.cli.app", get_command(app))
    mistakes = dict.fromkeys((mutation.__name__ for mutation in MUTATIONS), 0)
    for seed in range(240):
        path = malformed(tmp_path, seed)
        monkeypatch.setattr(sys, "argv", ["hil", "scenario", "check", str(path)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capfd.readouterr()
        if ended.value.code in (0, None):  # what was altered means something all the same
            assert told.out.startswith(f"{path}: "), path.name
            continue
        assert ended.value.code == 2, (path.name, told.err)
        assert not told.out, path.name
        assert clear(told.err, path), (path.name, told.err)
        mistakes[path.stem[5:]] += 1
    assert sum(mistakes.values()) >= 200, mistakes
    assert all(count >= 3 for count in mistakes.values()), mistakes


@pytest.mark.parametrize(("verb", "seeds"), [(["run"], (14,)), (["scenario", "check"], (11,))])
def test_a_process_ends_with_2_and_no_traceback(tmp_path: Path, verb: list[str], seeds: tuple[int, ...]) -> None:
    paths = [malformed(tmp_path, seed) for seed in seeds]
    for path in paths:
        done = subprocess.run([sys.executable, "-m", "hil", *verb, str(path)], capture_output=True, text=True)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert not done.stdout
        assert clear(done.stderr, path), done.stderr


def test_a_newer_schema_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "new.toml"
    path.write_text("# of next year\nschema = 99\n")
    done = subprocess.run([sys.executable, "-m", "hil", "scenario", "check", str(path)], capture_output=True, text=True)
    assert done.returncode == 2
    assert f"{path}:2: schema: " in done.stderr
