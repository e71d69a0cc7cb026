"""A profile that is driven into a sensor chip, and what the board read of it: `[[drive]]` of a scenario.

Rule of this room: pure. What counts is when each value was set by the host's clock, not when it was due. A reading is
judged against the value that held at its time; one within `settle_s` of a change, before or after, is counted as
settling: the chip takes its time, and what a board reads a little late bears the time at which it was due.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Connected
from firmware_bridge.streams import Stream
from hil.measure.make import slug
from hil.scenario.grammar.catalogue import find_row
from hil.scenario.grammar.grammar import DriveTable
from hil.scenario.results.outcome import UNSET, Reading

__all__ = ["Drive", "Setting", "drive_readings", "drive_remark"]

_ALWAYS = 1 << 62
_ALIKE = 1.0 + 1e-6
"""A step of the chip and what binary fractions add to it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of a profile in the chip: set between two times (UTC ns), in the stream's unit, one a channel."""

    begun_ns: int
    done_ns: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a profile.

    Attributes:
        seen: Readings that came.
        readings: Those that were judged.
        wrong: Of these, off by more than a step of the chip.
        off: The farthest that one was off, in the stream's unit; None where none was judged.
        first: Seconds since the first setting, reading and driven value of the first that is wrong.
        response_ms: Longest time from a change to a reading of it; None where one never came.
    """

    seen: int
    readings: int
    wrong: int
    off: float | None
    first: tuple[float, tuple[float, ...], tuple[float, ...]] | None
    response_ms: float | None


class Drive:
    """One profile: what is due, what was set, and what was read meanwhile.

    Args:
        table: What the scenario says.
    """

    def __init__(self, table: DriveTable) -> None:
        self.table = table
        self.stream: Stream | None = None
        self.settings: list[Setting] = []
        self._next = 0
        self._again = False
        self._batches: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]] = []

    def due(self, elapsed_s: float) -> tuple[float, ...] | None:
        """Return the values to set now; None where what is in the chip holds.

        Args:
            elapsed_s: Since the first sample of the run.
        """
        profile = self.table.profile
        before = self._next
        while self._next < len(profile) and profile[self._next][0] <= elapsed_s:
            self._next += 1
        if self._next == before and not (self._again and self._next):
            return None
        self._again = False
        return tuple(profile[self._next - 1][1:])

    @property
    def wait_s(self) -> float:
        """Seconds since the first sample at which the next value is due."""
        profile = self.table.profile
        return profile[self._next][0] if self._next < len(profile) else float("inf")

    def was_set(self, begun_ns: int, done_ns: int, values: Sequence[float]) -> None:
        """Note that values are in the chip."""
        self.settings.append(Setting(begun_ns, done_ns, tuple(values)))

    def take(self, arrival: Arrival) -> None:
        """Note what the board read; a board that starts anew has a chip that forgot."""
        for item in arrival.items:
            if item.board != self.table.on:
                continue
            if isinstance(item, Connected):
                self._again = True
            elif isinstance(item, Batch) and item.stream.name == self.table.stream and len(item):
                self.stream = item.stream
                read = item.raw.astype(np.float64) * np.asarray(item.stream.scale) + np.asarray(item.stream.offset)
                self._batches.append((item.t_ns, read.reshape(len(item), -1)))

    def judged(self) -> Judged:
        """Return what came of it."""
        if self.stream is None:
            return Judged(0, 0, 0, None, None, None)
        times = np.concatenate([t_ns for t_ns, _ in self._batches])
        read = np.concatenate([values for _, values in self._batches])
        settle = round(self.table.settle_s * 1e9)
        begins = np.array([one.done_ns + settle for one in self.settings], np.int64)
        ends = np.array([*(one.begun_ns - settle for one in self.settings[1:]), _ALWAYS], np.int64)[: len(begins)]
        held = np.searchsorted(begins, times, "right") - 1
        calm = (held >= 0) & (times < ends[held]) if len(begins) else np.zeros(len(times), bool)
        if not calm.any():
            return Judged(len(times), 0, 0, None, None, self._response_ms(times, read))
        driven = np.array([one.values for one in self.settings])[held[calm]]
        off = np.abs(read[calm] - driven)
        wrong = (off > np.asarray(self.stream.scale) * _ALIKE).any(1)
        first = None
        if wrong.any():
            at = int(np.argmax(wrong))
            since = (int(times[calm][at]) - self.settings[0].begun_ns) / 1e9
            first = (since, tuple(read[calm][at].tolist()), tuple(driven[at].tolist()))
        return Judged(len(times), int(calm.sum()), int(wrong.sum()), float(off.max()), first,
                      self._response_ms(times, read))  # fmt: skip

    def _response_ms(self, times: npt.NDArray[np.int64], read: npt.NDArray[np.float64]) -> float | None:
        """Return the longest time from a change until a reading said so; None where one never did."""
        assert self.stream is not None
        longest = None
        for at, setting in enumerate(self.settings):
            end = self.settings[at + 1].begun_ns if at + 1 < len(self.settings) else _ALWAYS
            near = np.abs(read - np.array(setting.values)) <= np.asarray(self.stream.scale) * _ALIKE
            there = times[near.all(1) & (times >= setting.done_ns) & (times < end)]
            if not len(there):
                return None
            took = (int(there[0]) - setting.begun_ns) / 1e6
            longest = took if longest is None else max(longest, took)
        return longest


def drive_readings(drive: Drive) -> Iterator[Reading]:
    """Yield the metrics of a profile."""
    found = drive.judged()
    place = f"drive.{drive.table.on}.{slug(drive.table.stream)}"
    unit = "?" if drive.stream is None else drive.stream.units[0]
    right = 100.0 * (found.readings - found.wrong) / found.readings if found.readings else None
    none = "no reading came away from a change"
    for key, value, why in (
        ("settings", float(len(drive.settings)), ""),
        ("readings", float(found.readings), ""),
        ("settling", float(found.seen - found.readings), ""),
        ("right", right, none),
        ("error_maximum", found.off, none),
        ("response", found.response_ms, "a value was set and no reading said so"),
    ):
        row = find_row(f"{place}.{key}")
        assert row is not None, key
        absent = "" if value is not None else UNSET
        yield Reading(f"{place}.{key}", value, row.unit.replace("{u}", unit), row.kind, absent, why if absent else "")


def drive_remark(drive: Drive) -> str:
    """Return a sentence where a reading was wrong; empty where none was."""
    found = drive.judged()
    if found.first is None or drive.stream is None:
        return ""
    since, read, driven = found.first
    said, meant = (" ".join(f"{value:.5g}" for value in values) for values in (read, driven))
    return (
        f"drive of {drive.table.on} {drive.table.stream}: {found.wrong} of {found.readings} readings are wrong, "
        f"the first after {since:.2f} s: {said} was read where {meant} {drive.stream.units[0]} was driven"
    )
