"""What the tests of emulated boards share: which can be started, and a bench that listens to some of them."""

import os
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import psutil
import pytest

from firmware_bridge.batch import Batch
from firmware_bridge.bridge import Bridge, PortSpec
from firmware_bridge.events import Arrival, Gap, Item
from firmware_bridge.firmware.kinds import KINDS, can_start
from firmware_bridge.wire.dialect import DialectSpec

NATIVE = DialectSpec("native")
T = TypeVar("T", bound=Item)

on_every_kind = pytest.mark.parametrize("kind", KINDS)

USUAL = {"native": "rate=1000", "qemu": "rate=1000", "simavr": "rate=400&baud=115200",
         "unicorn": "rate=1000"}  # fmt: skip
"""The stream that every kind must hold."""


def port(kind: str, more: str = "") -> str:
    bare, _, own = kind.partition("?")
    return f"firmware://{bare}/imu6?{USUAL[bare]}&seed=3{more}" + (f"&{own}" if own else "")


def usual_rate(kind: str) -> float:
    return float(USUAL[kind.partition("?")[0]].partition("rate=")[2].partition("&")[0])


def needs(kind: str) -> None:
    """Skip with one sentence where a kind cannot be started; fail where all of them are to run."""
    if reason := can_start(kind):
        if os.environ.get("HIL_NEEDS_ALL_FIRMWARE"):
            pytest.fail(reason)
        pytest.skip(reason)


def bench(*ports: str, **options: object) -> Bridge:
    """A bench of native boards whose roles are `b0`, `b1` and so on."""
    specs = [PortSpec(port, f"b{index}", NATIVE) for index, port in enumerate(ports)]
    return Bridge(specs, **options)  # type: ignore[arg-type]


def until(bridge: Bridge, out: list[Arrival], good: Callable[[list[Arrival]], bool], within_s: float = 60.0) -> None:
    """Take from a bridge until something holds of all that came."""
    end = time.monotonic() + within_s
    while not good(out):
        assert time.monotonic() < end, [(b.role, b.state, b.reason) for b in bridge.boards()]
        out += bridge.take(0.1)


def starve(bridge: Bridge, out: list[Arrival], pause_s: float) -> None:
    """Read nothing for a while, so that the queue fills and the link stops reading, until samples are missing.

    Once is enough, unless the board stood still for that while.
    """
    end = time.monotonic() + 60.0
    while not items(out, Gap):
        assert time.monotonic() < end, "nothing was lost"
        time.sleep(pause_s)
        look_until = time.monotonic() + 5.0
        while not items(out, Gap) and time.monotonic() < look_until:
            out += bridge.take(0.1)


def items(out: Sequence[Arrival], kind: type[T], board: str = "b0") -> list[T]:
    return [item for arrival in out for item in arrival.items if isinstance(item, kind) and item.board == board]


def count(out: Sequence[Arrival], board: str = "b0") -> int:
    return sum(len(batch) for batch in items(out, Batch, board))


def emulators(process: psutil.Process | None = None) -> list[psutil.Process]:
    """Every process below one (this one by default) that runs a board or holds one on a leash."""
    return [each for each in (process or psutil.Process()).children(recursive=True) if each.is_running()]


def gone(processes: Sequence[psutil.Process], within_s: float = 30.0) -> bool:
    """Whether processes end in time, by their ids."""
    _, alive = psutil.wait_procs(list(processes), timeout=within_s)
    return not [each for each in alive if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
