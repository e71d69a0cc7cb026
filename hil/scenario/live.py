"""A scenario on live boards: set-up, listening for the length of its readings, and a teardown that always runs.

Rule of this room: what goes wrong before the readings begin (flashing, the wrong firmware, a line that does not come)
is an error of the bench, so TROUBLE; nothing of the device is judged by it.
"""

import re
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import TimeoutError as Late

from firmware_bridge.batch import Arrival, Batch, Log
from firmware_bridge.bridge import Bridge
from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.errors import BridgeError, NoAnswer, TransportError, UsageError, WrongBoard
from firmware_bridge.faults import Schedule
from firmware_bridge.roles import Expect, PortSpec
from firmware_bridge.way import held
from hil.scenario.execute import Execution, judge_feeds
from hil.scenario.grammar import Setup
from hil.scenario.load import Loaded
from hil.scenario.targets import DEFAULT_S, Feed, NotHere, Place

__all__ = ["execute_live"]

MEET_S = 10.0
_COMMAND_S = 300.0


def execute_live(
    loaded: Loaded, places: Sequence[Place], schedule: Schedule, clock: Clock | None = None, wait_s: float = 0.0
) -> tuple[Execution, tuple[str, ...]]:
    """Run a scenario on live boards; return what it left behind and remarks.

    Raises:
        NotHere: It asks for something that live boards cannot have.
        BridgeError: A port cannot be opened, a set-up failed, the wrong firmware is there.
    """
    scenario = loaded.scenario
    if any(place.kind != "live" for place in places):
        raise NotHere("live boards and recordings cannot be run together; name a port for every board, or for none")
    if schedule:
        raise NotHere("faults on live boards are not possible here; run it on `recording` or `virtual`")
    clock = clock or SystemClock()
    setup = scenario.setup or Setup()
    if setup.flash:
        with held([place.port for place in places], wait_s):
            _command(setup.flash, "flash")
    remarks: list[str] = []
    specs = [
        PortSpec(
            place.port, place.role,
            board_file=None if place.table.board_file is None else str(loaded.find(place.table.board_file)),
            expect=Expect(serial=place.table.serial) if place.table.serial else None,
        )
        for place in places
    ]  # fmt: skip
    with Bridge(specs, clock, wait_s=wait_s) as bridge:
        try:
            _prepare(bridge, setup, [place.role for place in places], clock)
            seconds = (scenario.readings.to_s or DEFAULT_S) - scenario.readings.from_s
            heard = _listen(bridge, clock, scenario.readings.from_s, seconds)
            done = judge_feeds(loaded, [Feed(places[0].role, heard)], live=[place.role for place in places])
            for state in bridge.boards():
                board = done.evidence.boards[state.role]
                board.clock = state.clock
        finally:
            teardown = scenario.teardown
            if teardown is not None:
                remarks += _undo(bridge, places, teardown.send, teardown.command)
    return done, tuple(remarks)


def _prepare(bridge: Bridge, setup: Setup, roles: Sequence[str], clock: Clock) -> None:
    until = clock.now_ns() + int(max(MEET_S, setup.wait_s) * 1e9)
    told = ""
    while any(state.info is None for state in bridge.boards()):
        if clock.now_ns() > until:
            silent = ", ".join(state.port for state in bridge.boards() if state.info is None)
            reasons = "; ".join(state.reason for state in bridge.boards() if state.reason)
            raise NoAnswer(f"no board answered{': ' + reasons if reasons else ''}", silent, "check power and port")
        told += _logs(bridge.take(0.05))
    for state in bridge.boards():
        if state.state == "wrong":
            raise WrongBoard(state.reason, state.port, "plug in the right one")
        firmware = "" if state.info is None else state.info.firmware
        if setup.firmware and firmware != setup.firmware:
            raise WrongBoard(
                f"firmware {setup.firmware!r} is asked for and {firmware or 'none'!r} is on it", state.port,
                "flash the right one",
            )  # fmt: skip
    for role in roles:
        for text in [*(["RESET"] if setup.reset else []), *setup.send]:
            try:
                bridge.send(role, text).result(timeout=5.0)
            except Late:
                raise NoAnswer(f"{text!r} could not be sent in 5 s", role, "check the board") from None
    until = clock.now_ns() + int(setup.wait_s * 1e9)
    while setup.wait_for and setup.wait_for not in told:
        if clock.now_ns() > until:
            raise NoAnswer(f"the board did not say {setup.wait_for!r} in {setup.wait_s:g} s", roles[0], "check [setup]")
        told += _logs(bridge.take(0.05))


def _listen(bridge: Bridge, clock: Clock, skip_s: float, seconds: float) -> Iterator[Arrival]:
    """Yield what comes, from the first sample (and `skip_s`) on, for some seconds."""
    start: int | None = None
    patience = clock.now_ns() + int(MEET_S * 1e9)
    while start is None or clock.now_ns() < start + int((skip_s + seconds) * 1e9):
        for arrival in bridge.take(0.05):
            if start is None and any(isinstance(item, Batch) for item in arrival.items):
                start = arrival.t_ns
            if start is not None and arrival.t_ns >= start + int(skip_s * 1e9):
                yield arrival
        if start is None and clock.now_ns() > patience:
            raise NoAnswer(f"no sample came in {MEET_S:g} s", bridge.boards()[0].port, "does the board sample?")


def _logs(arrivals: Sequence[Arrival]) -> str:
    return "".join(f"{item.text}\n" for arrival in arrivals for item in arrival.items if isinstance(item, Log))


def _undo(bridge: Bridge, places: Sequence[Place], send: Sequence[str], command: Sequence[str]) -> list[str]:
    """Do all of the teardown; what fails is a remark."""
    remarks = []
    for place in places:
        for text in send:
            try:
                bridge.send(place.role, text).result(timeout=5.0)
            except (BridgeError, Late, OSError) as error:
                remarks.append(f"teardown: {text!r} could not be sent to {place.role}: {error or 'no answer in 5 s'}")
    if command:
        try:
            _command(command, "teardown")
        except BridgeError as error:
            remarks.append(f"teardown: {error}")
    return remarks


def _command(words: Sequence[str], what: str) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_COMMAND_S, check=False)
    except FileNotFoundError:
        raise UsageError(f"{words[0]!r} is not installed", what, "correct the command") from None
    except subprocess.TimeoutExpired:
        raise NoAnswer(f"it did not end in {_COMMAND_S:g} s", f"{what}: {' '.join(words)}", "") from None
    if done.returncode:
        last = (re.split(r"[\r\n]+", (done.stderr or done.stdout).strip()) or [""])[-1]
        raise TransportError(f"it ended with {done.returncode}: {last}", f"{what}: {' '.join(words)}", "")
