"""Many boards, one ordered source: real virtual boards and processes through the whole bridge."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from bench_parts import PtyBoard

from firmware_bridge.batch import Batch
from firmware_bridge.bridge import Bridge, Expect, PortSpec, parse_spec
from firmware_bridge.clock import ManualClock
from firmware_bridge.errors import PortMissing, UsageError
from firmware_bridge.events import Arrival, Connected
from firmware_bridge.roles import role_of, slug
from firmware_bridge.streams import BoardInfo
from firmware_bridge.wire.dialect import DialectSpec
from firmware_bridge.wire.dialects import make_dialect
from firmware_bridge.wire.protocol import Session

NATIVE = DialectSpec("native")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIL_LOCK_DIR", str(tmp_path / "locks"))


def until(bridge: Bridge, good: Callable[[list[Arrival]], bool]) -> list[Arrival]:
    """Take from a bridge until something holds of all that came; a minute at most: a machine may stand still."""
    out: list[Arrival] = []
    end = time.monotonic() + 60.0
    while not good(out):
        assert time.monotonic() < end, f"{[(b.role, b.state, b.reason) for b in bridge.boards()]}, {len(out)} arrivals"
        out += bridge.take(0.1)
    return out


def samples(arrivals: list[Arrival], board: str) -> list[Batch]:
    return [item for a in arrivals for item in a.items if isinstance(item, Batch) and item.board == board]


def test_three_virtual_boards_are_named_and_give_contiguous_samples_in_order() -> None:
    with Bridge(["wrist=virtual://watch?seed=1", "virtual://imu?seed=2", "virtual://imu?seed=3&serial=777"]) as bridge:
        counts = lambda out: [sum(map(len, samples(out, board.role))) for board in bridge.boards()]  # noqa: E731
        out = until(bridge, lambda out: min(counts(out)) >= 25 and max(counts(out)) >= 500)
        states = bridge.boards()
    out += bridge.take(0.0)
    assert [state.state for state in states] == ["live"] * 3
    roles = [state.role for state in states]
    assert roles[0] == "wrist"
    assert len(set(roles)) == 3
    assert roles[2].endswith("-777")
    for state in states:
        assert state.info is not None
        mine = [arrival for arrival in out if arrival.board == state.role]
        assert [arrival.seq for arrival in mine] == list(range(len(mine)))
        assert mine[0].kind == "open"
        assert mine[-1].kind == "close"
        assert [a.t_ns for a in mine] == sorted(a.t_ns for a in mine)
        batches = samples(out, state.role)
        for name in {batch.stream.name for batch in batches}:
            ours = [batch for batch in batches if batch.stream.name == name]
            assert all(before.end == after.first for before, after in pairwise(ours))
    final = bridge.boards()
    assert [state.state for state in final] == ["closed"] * 3
    assert all(not state.books.closes() for state in final)


def test_the_recorded_bytes_decoded_again_give_the_same_items() -> None:
    with Bridge([PortSpec("virtual://imu?seed=5", None, NATIVE)]) as bridge:
        out = until(bridge, lambda out: sum(len(b) for a in out for b in a.items if isinstance(b, Batch)) >= 300)
        (state,) = bridge.boards()
    out += bridge.take(0.0)
    session = Session(state.role, make_dialect(state.dialect), nonce=state.nonce)
    for live in out:
        again = session.apply(Arrival(live.board, live.seq, live.t_ns, live.kind, live.data))
        if live.kind == "note":
            continue
        assert len(again.items) == len(live.items)
        assert again.books == live.books
        for ours, theirs in zip(again.items, live.items, strict=True):
            if isinstance(ours, Batch) and isinstance(theirs, Batch):
                assert (ours.first, ours.boot, ours.stream) == (theirs.first, theirs.boot, theirs.stream)
                assert (ours.raw == theirs.raw).all()
                assert (ours.ticks == theirs.ticks).all()
                assert (ours.t_ns == theirs.t_ns).all()
            else:
                assert ours == theirs


def test_the_wrong_board_is_refused_and_nothing_of_it_is_given_out() -> None:
    spec = PortSpec("virtual://imu?serial=A1", "imu", NATIVE, expect=Expect(serial="B2"))
    with Bridge([spec]) as bridge:
        out = until(bridge, lambda _: bridge.boards()[0].state == "wrong")
        reason = bridge.boards()[0].reason
    assert "B2 was asked for and A1" in reason
    assert samples(out + bridge.take(0.0), "imu") == []


def test_a_process_that_prints_lines_is_a_board_and_the_bridge_ends_when_it_has_ended() -> None:
    code = "print(); [print(f'{i},{i * 2}') for i in range(200)]"  # a first line may have been cut by the opening
    spec = PortSpec(f"exec:{shlex.quote(sys.executable)} -c {shlex.quote(code)}", "lines", DialectSpec("lines"))
    with Bridge([spec], tick_s=0.0) as bridge:
        out = [arrival for arrivals in bridge for arrival in arrivals]
        (state,) = bridge.boards()
    assert state.state == "closed"
    assert "exit code 0" in state.reason
    assert sum(len(batch) for batch in samples(out, "lines")) == 200
    assert [arrival.kind for arrival in out][-1] == "close"


BOARD_FILE = """
schema = 1
[board]
model = "bench"

[lines]
separator = ","
columns = ["n", "level"]

[[stream]]
name = "level"
columns = ["level"]
unit = "g"
scale = 0.5
"""


def test_a_board_nobody_met_is_described_by_a_board_file() -> None:
    code = "print(); [print(f'{i},{i * 2}') for i in range(50)]"
    with Bridge([PortSpec(f"exec:{shlex.quote(sys.executable)} -c {shlex.quote(code)}", "x", board_file=BOARD_FILE)],
                tick_s=0.0) as bridge:  # fmt: skip
        out = [arrival for arrivals in bridge for arrival in arrivals]
        (state,) = bridge.boards()
    values = np.concatenate([batch.values for batch in samples(out, "x")])
    assert values[:, 0].tolist() == [float(i) for i in range(50)]
    assert state.dialect.arguments["text"] == BOARD_FILE


def test_a_command_reaches_the_board_and_is_recorded() -> None:
    code = "import sys; print('echo ' + sys.stdin.readline(), end='', flush=True); sys.stdin.read()"
    spec = PortSpec(f"exec:{shlex.quote(sys.executable)} -c {shlex.quote(code)}", "echo", DialectSpec("lines"))
    with Bridge([spec]) as bridge:
        assert bridge.send("echo", b"hello\n").result(60) == b"hello\n"
        out = until(bridge, lambda out: any(b"echo hello" in a.data for a in out if a.kind == "rx"))
        assert [a.data for a in out if a.kind == "tx"] == [b"hello\n"]
        with pytest.raises(UsageError, match="did you mean `echo`"):
            bridge.send("ecco", b"hello\n")


def test_a_port_that_cannot_be_opened_closes_those_that_were() -> None:
    bridge = Bridge(["virtual://imu", "/dev/ttyDOESNOTEXIST"])
    with pytest.raises(PortMissing, match="ttyDOESNOTEXIST"):
        bridge.__enter__()
    assert [state.state for state in bridge.boards()] == ["closed", "closed"]


def test_wrong_specs_end_in_a_sentence_before_anything_is_opened() -> None:
    with pytest.raises(UsageError, match="two boards are called `a`"):
        Bridge(["a=virtual://imu", "a=virtual://watch"])
    with pytest.raises(UsageError, match="no port was given"):
        Bridge([])
    with pytest.raises(UsageError, match="`baud`"):
        Bridge(["/dev/ttyACM0?buad=9600"])


def test_roles_are_parsed_and_made() -> None:
    assert parse_spec("watch=virtual://watch?seed=7") == PortSpec("virtual://watch?seed=7", "watch")
    assert parse_spec("virtual://watch?seed=7") == PortSpec("virtual://watch?seed=7")
    assert parse_spec("exec:env A=1 cat") == PortSpec("exec:env A=1 cat")
    assert parse_spec("left_1=COM4?baud=9600") == PortSpec("COM4?baud=9600", "left_1")
    assert slug("HIL Watch (rev. B)") == "hil-watch-rev-b"
    info = BoardInfo("HIL Watch", "SN-000123", "", (), "native")
    unknown = BoardInfo("unknown", "", "", (), "lines")
    assert role_of("/dev/ttyACM0", info) == "hil-watch-0123"
    assert role_of("/dev/ttyACM0", unknown, "9553AB43") == "board-ab43"
    assert role_of("/dev/ttyACM0?baud=9600", unknown) == "ttyacm0"
    assert role_of("virtual://imu?seed=3", None) == "imu"
    assert role_of("socket://10.0.0.7:4000", None) == "10-0-0-7-4000"
    assert role_of("exec:/usr/bin/adb shell cat", None) == "adb"


WINDOWS = """
import importlib.abc, sys, types

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in ("termios", "fcntl", "pty", "tty", "resource"):
            raise ImportError(name + " is blocked")

sys.meta_path.insert(0, Blocked())
for name in ("termios", "fcntl", "pty", "tty", "resource"):
    sys.modules.pop(name, None)
# pyserial chooses its backend by os.name; on Windows this one is never imported.
backend = types.ModuleType("serial.serialposix")
backend.Serial = backend.PosixPollSerial = backend.VTIMESerial = type("Serial", (), {})
sys.modules["serial.serialposix"] = backend

import firmware_bridge
from firmware_bridge.batch import Batch
from firmware_bridge.bridge import Bridge
with Bridge(["imu=virtual://imu?seed=1"]) as bridge:
    count = 0
    for arrivals in bridge:
        count += sum(len(item) for a in arrivals for item in a.items if isinstance(item, Batch))
        if count >= 100:
            break
print("samples", count >= 100, bridge.boards()[0].state)
assert not {"termios", "fcntl", "pty", "resource"} & set(sys.modules)
"""


def test_virtual_boards_run_through_a_link_where_windows_has_no_terminals() -> None:
    done = subprocess.run([sys.executable, "-c", WINDOWS], capture_output=True, text=True, timeout=150, check=False)
    assert done.stdout.strip() == "samples True closed", done.stderr


def test_the_bridge_knows_nothing_of_torch_or_of_any_screen() -> None:
    code = "import sys, firmware_bridge.bridge; print({'torch', 'textual', 'scipy', 'hil'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=150, check=False,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})  # fmt: skip
    assert done.stdout.strip() == "set()", done.stderr


def test_connected_names_the_board_under_its_final_role_from_the_first_arrival() -> None:
    with Bridge(["virtual://watch"]) as bridge:
        out = until(bridge, lambda out: any(isinstance(item, Connected) for a in out for item in a.items))
        assert {arrival.board for arrival in out} == {bridge.boards()[0].role}


@pytest.mark.pty
@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo terminal")
def test_a_port_that_is_missing_joins_when_it_comes_as_long_as_another_is_there(tmp_path: Path) -> None:
    late = PtyBoard(tmp_path)
    with Bridge(["virtual://imu?seed=2", f"late={late.port}"], late=True) as bridge:
        until(bridge, lambda out: bool(samples(out, bridge.boards()[0].role)) and bridge.boards()[1].state == "waiting")
        assert "no such port" in bridge.boards()[1].reason
        late.plug()
        until(bridge, lambda _: bridge.boards()[1].state == "identifying")
    late.unplug()


@pytest.mark.parametrize(("ports", "late"), [
    (["virtual://imu", "a=/dev/ttyNOBODY"], False), (["a=/dev/ttyNOBODY"], True),
    (["a=/dev/ttyNOBODY", "b=/dev/ttyNOBODY2"], True)])  # fmt: skip
def test_a_missing_port_is_an_error_where_all_are_or_nobody_said_that_it_may(ports: list[str], late: bool) -> None:
    with pytest.raises(PortMissing, match="ttyNOBODY: no such port"):
        Bridge(ports, late=late).__enter__()


def test_a_missing_port_is_waited_for_as_long_as_was_asked_or_until_given_up() -> None:
    clock = ManualClock()
    began = clock.now_ns()
    with pytest.raises(PortMissing):
        Bridge(["/dev/ttyNOBODY"], clock, wait_s=30.0).__enter__()
    assert clock.now_ns() - began == 30_000_000_000
    with pytest.raises(PortMissing):
        Bridge(["/dev/ttyNOBODY"], clock, wait_s=30.0, given_up=lambda: True).__enter__()
    assert clock.now_ns() - began == 30_000_000_000
