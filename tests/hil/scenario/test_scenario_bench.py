"""The file of a bench: boards by an identity that lasts, a person's words untouched, mistakes as sentences."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from firmware_bridge.address import parse_port
from firmware_bridge.errors import NoAnswer, UsageError
from firmware_bridge.ports import PortInfo, System, find_device
from firmware_bridge.streams import BoardInfo
from hil.cli import app
from hil.dialogue.identify import identify
from hil.scenario.benchwrite import added, entries, write_bench
from hil.scenario.grammar.benchfile import find_bench, read_bench
from hil.scenario.grammar.load import find_files
from hil.scenario.grammar.mistakes import ScenarioError

UNO = PortInfo("/dev/ttyACM0", "Uno", 0x2341, 0x43, "95530343", "1-1.2", "Arduino")
PICO_A = PortInfo("/dev/ttyACM1", "Pico", 0x2E8A, 0xA, "E661", "1-1.4:1.0", "Raspberry Pi (Pico family)")
PICO_B = PortInfo("/dev/ttyACM2", "Pico", 0x2E8A, 0xA, "E661", "1-1.4:1.2", "Raspberry Pi (Pico family)")
CLONE_A = PortInfo("/dev/ttyUSB0", "CP2102", 0x10C4, 0xEA60, "0001", "1-2")
CLONE_B = PortInfo("/dev/ttyUSB1", "CP2102", 0x10C4, 0xEA60, "0001", "1-3")
MUTE = PortInfo("/dev/ttyUSB2", "CH340", 0x1A86, 0x7523, "", "1-4", "CH340 adapter (many Arduino clones)")
UART = PortInfo("/dev/ttyS0", "n/a")
VIRTUAL = PortInfo("virtual://imu", "virtual board `imu`", board="virtual")
ATTACHED = [UNO, PICO_A, PICO_B, CLONE_A, CLONE_B, MUTE, UART]


class Attached(System):
    """A machine with these ports."""

    def __init__(self, ports: list[PortInfo]) -> None:
        self.ports = ports

    def serial_ports(self) -> list[PortInfo]:
        return self.ports


def test_every_attached_board_is_named_by_what_lasts_longest_and_found_again_by_it() -> None:
    named = entries([*ATTACHED, VIRTUAL])
    assert [entry.port for entry in named] == [
        "usb://95530343", "usb://E661", "usb://1-1.4:1.2", "usb://1-2", "usb://1-3", "usb://1-4", "/dev/ttyS0",
    ]  # fmt: skip
    assert [bool(entry.weak) for entry in named] == [False, False, True, True, True, True, True]
    for info, entry in zip(ATTACHED, named, strict=True):
        assert find_device(parse_port(entry.port), Attached(ATTACHED)) == info.port


def test_a_board_that_said_who_it_is_gives_its_role() -> None:
    info = BoardInfo("HIL IMU", "SN-00421177", "fw-3", (), "native")
    (entry,) = entries([UNO], {UNO.port: info})
    assert entry.role == "hil-imu-1177"
    assert "fw-3" in entry.told
    assert entries([UNO])[0].role == "arduino-0343"
    assert entries([UART])[0].role == "ttys0"


def test_what_a_person_wrote_stays_to_the_last_byte(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    mine = '# my bench\n[board.left]   # on the left arm\nport = "usb://95530343?baud=9600"\n'
    path.write_text(mine)
    new, told = write_bench(path, entries(ATTACHED[:3]))
    text = path.read_text()
    assert text.startswith(mine)
    assert len(new) == 1  # both interfaces of the Pico bear one name: the second one is left to the person
    assert told == [
        "usb://95530343 is board left already",
        "usb://1-1.4:1.2 was left out: the name raspberry-pi-e661 is taken by usb://E661; "
        'add [board.NAME] with port = "usb://1-1.4:1.2" yourself',
    ]
    assert dict(read_bench(path))["left"] == "usb://95530343?baud=9600"
    again = write_bench(path, entries(ATTACHED[:3]))
    assert again[0] == []
    assert path.read_text() == text


def test_a_role_that_a_person_gave_another_board_is_never_taken(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_text('[board.arduino-0343]\nport = "/dev/ttyACM9"\n')
    new, told = write_bench(path, entries([UNO]))
    assert new == []
    assert "arduino-0343 is taken by /dev/ttyACM9" in told[0]
    assert dict(read_bench(path)) == {"arduino-0343": "/dev/ttyACM9"}


@pytest.mark.parametrize("text", ['board = { left = { port = "/dev/ttyACM9" } }\n', 'board.left.port = "/dev/x"\n'])
def test_a_file_that_cannot_be_added_to_is_refused_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(text)
    try:
        write_bench(path, entries([UNO]))
    except UsageError as error:
        assert "cannot be added" in str(error)  # noqa: PT017
        assert path.read_text() == text
    else:
        assert path.read_text().startswith(text)
        assert dict(read_bench(path))["arduino-0343"] == "usb://95530343"


def test_no_board_and_no_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no serial board is attached"):
        write_bench(tmp_path / "bench.toml", entries([VIRTUAL]))
    assert not (tmp_path / "bench.toml").exists()


ports = st.builds(
    PortInfo, st.from_regex(r"/dev/tty[A-Z]{3}[0-9]", fullmatch=True), st.text(max_size=12), st.none(), st.none(),
    st.text(max_size=8), st.from_regex(r"(1-[1-4](\.[1-3])?(:1\.[0-2])?)?", fullmatch=True), st.text(max_size=8),
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(ports, max_size=5, unique_by=lambda info: info.port))
def test_whatever_is_attached_the_file_reads_and_a_second_writing_changes_nothing(found: list[PortInfo]) -> None:
    text, roles, _ = added("", entries(found), "bench.toml")
    again, none, _ = added(text, entries(found), "bench.toml")
    assert none == []
    assert again == text
    plain = tomllib.loads(text).get("board", {})
    assert list(plain) == roles
    assert len({table["port"] for table in plain.values()}) == len(plain)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[board.imu", "bench.toml:1: this is no valid TOML"),
        ("", "bench.toml:1: board: this key is missing"),
        ("[board.imu]\nprt = 'COM4'", "bench.toml:2: board.imu.prt: there is no such key, did you mean 'port'?"),
        ("[board.imu]\n\nport = 7", "bench.toml:3: board.imu.port: 7 was found"),
        ("[board.imu]\nport = 'usbb://A1'", "bench.toml:2: board.imu.port: unknown way into a board `usbb://`"),
        ("[board.a]\nport = 'COM4'\n[board.b]\nport = 'COM4'", "bench.toml:4: board.b.port: 'COM4' is the port of a"),
    ],
)
def test_a_mistake_names_file_line_and_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bench.toml").write_text(text)
    with pytest.raises(ScenarioError) as caught:
        read_bench("bench.toml")
    assert words in str(caught.value)
    assert caught.value.exit_code == 2


def test_all_mistakes_of_a_bench_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_text("[board.a]\nprt = 'x'\n[board.b]\nport = 7\n[bord.c]\n")
    with pytest.raises(ScenarioError) as caught:
        read_bench(path)
    assert len(caught.value.sentences) == 4


LIVE = """
name = "the bench's own board"
needs = ["board:imu"]
[board.imu]
port = "bench"
[readings]
to_s = 0.3
[[check]]
metric = "link.imu.samples"
at_least = 100
"""


def test_the_option_goes_before_the_variable_and_that_before_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_bench(None, {}) is None
    Path("bench.toml").write_text('[board.imu]\nport = "virtual://imu?seed=3"\n')
    assert find_bench(None, {}) == (Path("bench.toml"), "this folder")
    assert find_bench(None, {"HIL_BENCH": "other.toml"}) == (Path("other.toml"), "HIL_BENCH")
    assert find_bench("mine.toml", {"HIL_BENCH": "other.toml"}) == (Path("mine.toml"), "--bench")


def test_a_run_finds_the_bench_of_its_folder_says_so_and_does_not_take_it_for_a_scenario(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HIL_BENCH", raising=False)
    Path("live.toml").write_text(LIVE)
    missing = CliRunner().invoke(app, ["run", "."])
    assert missing.exit_code == 0
    assert "needs board:imu" in missing.output
    assert CliRunner().invoke(app, ["run", ".", "--strict"]).exit_code == 1
    Path("bench.toml").write_text('[board.imu]\nport = "virtual://imu?seed=3"\n')
    assert [path.name for path in find_files([Path()])] == ["live.toml"]
    found = CliRunner().invoke(app, ["run", "."])
    assert found.exit_code == 0, found.output
    assert "bench: bench.toml (by this folder)" in found.output
    assert "PASS" in found.output


def test_where_boards_were_asked_only_those_that_answered_are_added_and_the_others_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {UNO.port: BoardInfo("hil-imu", "VIRTUAL-0003", "1", (), "native")}
    monkeypatch.setattr("firmware_bridge.ports.list_ports", lambda virtual: [UNO, UART])
    monkeypatch.setattr("hil.dialogue.identify.identify", lambda found: (dict(known), [f"{UART.port}: nobody said"]))
    path = tmp_path / "bench.toml"
    added = CliRunner().invoke(app, ["ports", "--identify", "--write", str(path), "--json"])
    assert json.loads(added.stdout)["added"] == ["hil-imu-0003"]
    assert f"left out, for nobody answered there: {UART.port}" in added.stderr
    assert set(dict(read_bench(path))) == {"hil-imu-0003"}
    known.clear()
    before = path.read_text()
    nobody = CliRunner().invoke(app, ["ports", "--identify", "--write", str(path)])
    assert isinstance(nobody.exception, NoAnswer)
    assert "no board said who it is" in str(nobody.exception)
    assert path.read_text() == before


@pytest.mark.pty
@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo terminal")
def test_real_boards_are_asked_and_the_silent_and_the_missing_are_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "firmware_bridge.virtual.serve", "imu?seed=3", "watch"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdin is not None
    try:
        paths = [server.stdout.readline().split()[0] for _ in range(2)]
        ports = [PortInfo(path, "pty", serial=f"USB{at}") for at, path in enumerate(paths)]
        ports += [PortInfo(str(tmp_path / "gone"), "pty"), PortInfo("/dev/ttyX", "", held_by="screen (pid 7)")]
        known, told = identify(ports, seconds=100.0)
    finally:
        server.stdin.close()
        server.wait(150)
        server.stdout.close()
    assert [known[path].model for path in paths] == ["hil-imu", "hil-watch"]
    assert [entry.role for entry in entries(ports[:2], known)] == ["hil-imu-0003", "hil-watch-0000"]
    assert len(told) == 2
    assert "gone" in told[0]
    assert "screen (pid 7) has it open" in told[1]
