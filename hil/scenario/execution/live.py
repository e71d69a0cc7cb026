"""A scenario on live boards: set-up, listening for the length of its readings, and a teardown that always runs.

Rule of this room: what goes wrong before the readings begin (flashing, the wrong firmware, a line that does not come)
is an error of the bench, so TROUBLE; nothing of the device is judged by it. Where readings are pushed into a board, it
is listened to until they came back; values for the chip of an emulated one are set while it is listened to.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import TimeoutError as Late
from itertools import chain
from pathlib import Path

from firmware_bridge.batch import Batch
from firmware_bridge.bridge import Bridge
from firmware_bridge.clock import Clock, Patience, SystemClock
from firmware_bridge.errors import BridgeError, NoAnswer, WrongBoard
from firmware_bridge.events import Arrival, Log, Rebooted
from firmware_bridge.faults import Schedule
from firmware_bridge.roles import Expect, PortSpec
from firmware_bridge.way import held
from hil.scenario.execution.commands import run_command, torn_down
from hil.scenario.execution.driving import Driving, driving
from hil.scenario.execution.execute import Execution, Told, Watch, judge_feeds
from hil.scenario.execution.keptbridge import opened
from hil.scenario.execution.placing import last_counts, place_network, read_network
from hil.scenario.execution.stimulated import feeder_of
from hil.scenario.execution.targets import DEFAULT_S, Feed, NotHere, Place
from hil.scenario.grammar.grammar import Setup
from hil.scenario.grammar.load import Loaded
from hil.stimulus.feed import Feeder, fed

__all__ = ["execute_live"]

MEET_S = 10.0
LAST_WORD_S = 0.2
"""How long something is waited for that was sent in time, when the time is over."""
RESET_S = 5.0
"""How long a board that tells its starts may take to start anew; one that takes longer is listened to as it is."""


def execute_live(
    loaded: Loaded, places: Sequence[Place], schedule: Schedule, clock: Clock | None = None,
    *, keep: Path | None = None, watch: Sequence[Watch] = (), wait_s: float = 0.0, told: Told | None = None,
) -> tuple[Execution, tuple[str, ...]]:  # fmt: skip
    """Run a scenario on live boards; return what it left behind and remarks.

    Args:
        loaded: The scenario.
        places: Where its boards are; all are live.
        schedule: Faults.
        clock: Time.
        keep: Where to write all that is received; None: nowhere.
        watch: Each is shown every arrival that is judged.
        wait_s: How long to wait for a port that somebody else holds.
        told: Is shown what it has come to, as it goes on.

    Raises:
        NotHere: It asks for something that live boards cannot have.
        BridgeError: A port cannot be opened, a set-up failed, the wrong firmware is there.
    """
    with torn_down(loaded.scenario.teardown) as undone, driving(loaded.scenario.drive, places) as drives:
        done, remarks = _on_boards(loaded, places, schedule, clock or SystemClock(), keep, watch, wait_s, drives, told)
    return done, (*remarks, *undone)


def _on_boards(
    loaded: Loaded, places: Sequence[Place], schedule: Schedule, clock: Clock, keep: Path | None,
    watch: Sequence[Watch], wait_s: float, drives: Driving, told: Told | None,
) -> tuple[Execution, tuple[str, ...]]:  # fmt: skip
    scenario = loaded.scenario
    if any(place.kind != "live" for place in places):
        raise NotHere("live boards and recordings cannot be run together; name a port for every board, or for none")
    feeders = {place.role: feeder_of(place, loaded) for place in places if place.stimulus}
    if feeders and scenario.drive:
        raise NotHere("readings are pushed into one board and values driven into another; run them one by one")
    setup, network = scenario.setup or Setup(), read_network(loaded)
    if setup.flash:
        with held([place.port for place in places], wait_s):
            run_command(setup.flash, "flash")
    remarks: list[str] = []
    specs = [
        PortSpec(
            drives.port_of(place), place.role,
            board_file=None if place.table.board_file is None else str(loaded.find(place.table.board_file)),
            expect=Expect(serial=place.table.serial) if place.table.serial else None,
            faults=schedule or None,
            injected=feeders[place.role].choose if place.role in feeders else None,
        )
        for place in places
    ]  # fmt: skip
    with opened(keep, specs, clock, wait_s=wait_s) as bridge:
        try:
            met = _prepare(bridge, setup, [place.role for place in places], clock, network)
            if feeders:
                heard = _fed(bridge, clock, list(feeders.values()), met)
            else:
                seconds = (scenario.readings.to_s or DEFAULT_S) - scenario.readings.from_s
                heard = _listen(bridge, clock, scenario.readings.from_s, seconds, drives)
            if network or any(".windows_" in check.metric for check in scenario.check):
                heard = chain(heard, last_counts(bridge, [place.role for place in places], clock))
            feed = Feed(places[0].role, heard, feeders=tuple(feeders.values()))
            done = judge_feeds(loaded, [feed], live=[place.role for place in places], watch=watch, told=told)
            done.drives = drives.drives
            remarks += [remark for feeder in feeders.values() for remark in feeder.remarks]
            for state in bridge.boards():
                board = done.evidence.boards[state.role]
                board.clock = state.clock
        finally:
            teardown = scenario.teardown
            if teardown is not None:
                remarks += _undo(bridge, places, teardown.send)
    return done, tuple(remarks)


def _fed(bridge: Bridge, clock: Clock, feeders: Sequence[Feeder], met: Sequence[Arrival]) -> Iterator[Arrival]:
    """Push recorded readings and yield what comes, until all came back.

    Raises:
        NotHere: A board cannot take them.
        NoAnswer: It does not go on.
    """
    infos = {state.role: state.info for state in bridge.boards()}
    for feeder in feeders:
        info = infos[feeder.role]
        if info is not None and (sentence := feeder.refusal(info)):
            raise NotHere(sentence)
    yield from fed(bridge, clock.now_ns, feeders, met)
    for feeder in feeders:
        if feeder.why:
            raise NoAnswer(feeder.why, feeder.role, "")


def _prepare(bridge: Bridge, setup: Setup, roles: Sequence[str], clock: Clock, network: bytes) -> list[Arrival]:
    """Do what [setup] says; return what came meanwhile."""
    came: list[Arrival] = []
    patience = Patience(clock, max(MEET_S, setup.wait_s))
    while any(state.info is None for state in bridge.boards()):
        if patience.over():
            silent = ", ".join(state.port for state in bridge.boards() if state.info is None)
            reasons = "; ".join(state.reason for state in bridge.boards() if state.reason)
            raise NoAnswer(f"no board answered{': ' + reasons if reasons else ''}", silent, "check power and port")
        came += bridge.take(0.05)
    told = _logs(came)
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
        if setup.reset:
            came += _reset(bridge, role, clock)
        for text in setup.send:
            _say(bridge, role, text)
        if network:
            came += place_network(bridge, role, network, setup.hop, clock)
    patience = Patience(clock, setup.wait_s)
    while setup.wait_for and setup.wait_for not in told:
        if patience.over():
            raise NoAnswer(f"the board did not say {setup.wait_for!r} in {setup.wait_s:g} s", roles[0], "check [setup]")
        fresh = bridge.take(0.05)
        came += fresh
        told += _logs(fresh)
    return came


def _reset(bridge: Bridge, role: str, clock: Clock) -> list[Arrival]:
    """Let a board start anew and wait until it has, so that no earlier reading is judged; return what came."""
    came: list[Arrival] = []
    state = next(state for state in bridge.boards() if state.role == role)
    tells = state.info is not None and state.info.dialect == "native"
    _say(bridge, role, "RESET")
    until = clock.now_ns() + int(RESET_S * 1e9)
    started = False
    while tells and not started and clock.now_ns() < until:
        fresh = bridge.take(0.05)
        came += fresh
        started = any(isinstance(item, Rebooted) for one in fresh if one.board == role for item in one.items)
    return came


def _say(bridge: Bridge, role: str, text: str) -> None:
    try:
        bridge.send(role, text).result(timeout=5.0)
    except Late:
        raise NoAnswer(f"{text!r} could not be sent in 5 s", role, "check the board") from None


def _listen(bridge: Bridge, clock: Clock, skip_s: float, seconds: float, drives: Driving) -> Iterator[Arrival]:
    """Yield what comes, from the first sample (and `skip_s`) on, for some seconds; set values as they are due.

    The time is over when something is heard from after it, or nothing more for a moment: a host that was busy elsewhere
    has not heard all that was sent in time.
    """
    start: int | None = None
    patience = Patience(clock, MEET_S)
    over = False
    while not over:
        wait_s = 0.05 if start is None else drives.wait_s(clock, start, 0.05)
        if late := start is not None and clock.now_ns() >= start + int((skip_s + seconds) * 1e9):
            wait_s = LAST_WORD_S
        arrivals = bridge.take(wait_s)
        for arrival in arrivals:
            drives.take(arrival)
            if start is None and any(isinstance(item, Batch) for item in arrival.items):
                start = arrival.t_ns
            if start is not None and arrival.t_ns >= start + int(skip_s * 1e9):
                yield arrival
        if start is not None:
            drives.step(clock, start, bridge.boards())
            over = late and (not arrivals or arrivals[-1].t_ns >= start + int((skip_s + seconds) * 1e9))
        elif patience.over():
            raise NoAnswer(f"no sample came in {MEET_S:g} s", bridge.boards()[0].port, "does the board sample?")


def _logs(arrivals: Sequence[Arrival]) -> str:
    return "".join(f"{item.text}\n" for arrival in arrivals for item in arrival.items if isinstance(item, Log))


def _undo(bridge: Bridge, places: Sequence[Place], send: Sequence[str]) -> list[str]:
    """Say what is to be said to the boards at the end; what fails is a remark."""
    remarks = []
    for place in places:
        for text in send:
            try:
                bridge.send(place.role, text).result(timeout=5.0)
            except (BridgeError, Late, OSError) as error:
                remarks.append(f"teardown: {text!r} could not be sent to {place.role}: {error or 'no answer in 5 s'}")
    return remarks
