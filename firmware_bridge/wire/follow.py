"""Samples of one board into batches, gaps and books: every sample that came has exactly one fate.

A Gap is told when the sample after it comes, with a cause: `lost`, `stalled` (the host had stopped reading),
`disconnected`, `invalid` (the board's own checksum column says so), `tail` (made, says STATUS, and never seen before
the end), or, without numbers and hence without a count, `silence` and `disconnected`. Late samples never retract it.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from firmware_bridge.events import Gap, Item, RateChanged
from firmware_bridge.ledger import Ledger
from firmware_bridge.streams import Stream
from firmware_bridge.wire.counting import Numbering, Run
from firmware_bridge.wire.dialect import Samples
from firmware_bridge.wire.passage import Passage
from firmware_bridge.wire.times import Times
from firmware_bridge.wire.track import Track

__all__ = ["Follower", "part_of"]

Int64 = npt.NDArray[np.int64]

_PLAUSIBLE = 65536
"""A jump of so many samples is always believed."""
_SILENT_SAMPLES, _SILENT_NS = 20, 1_000_000_000
"""Without numbers, a pause of so many sample periods, and at least so long, counts as a gap."""
_TICK_BACK_S = 0.1


class Follower:
    """What became of the samples of one board.

    Args:
        board: Role.
        ledger: The books.
        times: The board's clocks.

    Attributes:
        boot: How often the board has started anew.
        out: Items are added here.
        from_zero: Whether this boot's samples are known to be numbered from 0.
    """

    def __init__(self, board: str, ledger: Ledger, times: Times) -> None:
        self.board = board
        self.boot = 0
        self.out: list[Item] = []
        self.from_zero = self._joined = False
        self._ledger = ledger
        self._times = times
        self._tracks: dict[str, Track] = {}

    @property
    def delivered_any(self) -> bool:
        """Whether any stream of this boot has been seen."""
        return bool(self._tracks)

    @property
    def waiting(self) -> bool:
        """Whether a loss of this boot is not attributed yet."""
        return any(track.count.unattributed > track.unsure for track in self._tracks.values())

    def take(self, samples: Samples, now: int, restarts: bool) -> int | None:
        """Take samples that arrived at `now`.

        Args:
            samples: What a dialect heard.
            now: UTC ns.
            restarts: Whether numbers or ticks that step back mean that the board started anew.

        Returns:
            None, or the index of the first sample of a new boot; from there on nothing was taken.
        """
        track = self._track(samples, now)
        if samples.number is None or track.numbering is None:
            return self._take_uncounted(track, samples, now, restarts)
        rate = track.stream.rate_hz
        passed_s = 0.0 if track.arrived_ns is None else (now - track.arrived_ns) / 1e9
        ahead = float("inf") if rate is None else max(_PLAUSIBLE, 4 * rate * passed_s)
        taken = track.numbering.take(samples.number, ahead, restarts, track.broken == "disconnected")
        n = len(samples.raw) if taken.restart is None else taken.restart
        if n:
            track.arrived_ns = now
            ticks, t_ns = self._times.of(samples, slice(0, n), now)
            track.count.received += n
            track.count.duplicate += taken.duplicate
            track.count.late += taken.late
            for run in taken.runs:
                self._run(track, samples, run, ticks, t_ns, now)
        return taken.restart

    def is_plain(self, parts: Sequence[tuple[Samples, Int64]]) -> bool:
        """Whether samples of many reads go on where each stream stands, so that they can be taken at once.

        Args:
            parts: Samples in order, with UTC of the read that brought each, int64 `(N,)`.
        """
        following: dict[str, int] = {}
        for samples, came_ns in parts:
            track, number, ticks = self._tracks.get(samples.stream.name), samples.number, samples.ticks
            if track is None or track.broken or track.numbering is None or number is None or ticks is None:
                return False
            if (track.stream is not samples.stream and track.stream != samples.stream) or samples.valid is not None:
                return False
            begin = following.get(samples.stream.name, track.numbering.following)
            if int(number[0]) != begin or not bool((number[1:] - number[:-1] == 1).all()):
                return False
            following[samples.stream.name] = int(number[-1]) + 1
            hz = samples.stream.tick_hz
            if not hz or not self._times.is_plain(hz, ticks, samples.tick_bits, came_ns):
                return False
        return True

    def passage(self, samples: Samples, came_ns: Int64) -> Passage:
        """Return how samples of many reads are taken, of which `is_plain` holds."""
        return Passage(self._tracks[samples.stream.name], self._times.plain(samples), samples.raw, came_ns)

    def unstarted(self, samples: Samples) -> None:
        """Count samples that belong to somebody else's run."""
        n = len(samples.raw)
        count = self._ledger.of(samples.stream.name, self.boot, samples.number is not None)
        count.received += n
        count.unstarted += n

    def flush(self) -> None:
        """Put what is open out as batches."""
        for track in self._tracks.values():
            self._flush(track)

    def broken(self, cause: str) -> None:
        """What will turn out to be missing next, is missing for this cause."""
        for track in self._tracks.values():
            track.broken = cause

    def begin_boot(self, now: int) -> None:
        """The board started anew."""
        self.tails(now)
        self.boot += 1
        self._tracks.clear()
        self._ledger.end_boot()
        self._times.reset()
        self.from_zero = self._joined = False

    def join(self) -> None:
        """Begin with the next sample, whatever its number: nothing before it is expected."""
        self.flush()
        self._tracks.clear()
        self._times.reset()
        self.from_zero = False
        self._joined = True

    def head(self, now: int) -> None:
        """The board confirms that this boot's samples were numbered from 0: what came before the first is lost."""
        if self._joined:  # what came before was not to be heard here
            return
        self.from_zero = True
        for track in self._tracks.values():
            track.dropped = 0
            first = track.numbering.first if track.numbering is not None else None
            if first:
                self.out.append(Gap(self.board, now, track.stream.name, self.boot, 0, first, "lost"))
                track.count.expected += first
                track.count.unattributed += first
                assert track.numbering is not None
                track.numbering.first = 0

    def status(self, name: str, produced: int, dropped: int) -> None:
        """The board's STATUS for one stream: what it made (modulo 2**32) and never sent, counted since START."""
        track = self._tracks.get(name)
        if track is None or track.numbering is None or track.numbering.next is None:
            return
        ahead = (produced - track.numbering.next) & 0xFFFFFFFF
        track.claimed = track.numbering.next + ahead if ahead < 2**31 else 0
        count = track.count
        if track.dropped is None:  # drops before the run was joined are not ours; which those are, nobody can tell
            track.dropped, track.unsure, track.stalled = dropped, count.unattributed, 0
            return
        new = (dropped - track.dropped) & 0xFFFFFFFF
        track.owed += new if new < 2**31 else 0
        track.dropped = dropped
        track.owed -= count.attribute(count.unattributed - track.unsure, track.owed, track.stalled)
        track.stalled = 0

    def tails(self, now: int) -> None:
        """No more samples will come: what the board said it had made and did not arrive is missing."""
        self.flush()
        for track in self._tracks.values():
            numbering = track.numbering
            if numbering is None or numbering.next is None or track.claimed <= numbering.next:
                continue
            missing = track.claimed - numbering.next
            self._gap(track, numbering.next, missing, "tail", now)
            numbering.skip(missing)

    # ------------------------------------------------------------------ pieces

    def _track(self, samples: Samples, now: int) -> Track:
        stream = samples.stream
        track = self._tracks.get(stream.name)
        if track is None:
            counted = samples.number is not None
            numbering = Numbering(samples.number_bits, 0 if self.from_zero else None) if counted else None
            count = self._ledger.of(stream.name, self.boot, counted)
            track = self._tracks[stream.name] = Track(stream, numbering, count)
            track.dropped = 0 if self.from_zero else None
        elif stream is not track.stream:
            self._change(track, stream, now)
        return track

    def _change(self, track: Track, stream: Stream, now: int) -> None:
        before = track.stream
        if stream == before:
            return
        self._flush(track)
        track.stream = stream
        if stream.rate_hz is not None and stream.rate_hz != before.rate_hz:
            following = track.next if track.numbering is None else track.numbering.next or 0
            self.out.append(RateChanged(self.board, now, stream.name, self.boot, following, stream.rate_hz))

    def _take_uncounted(self, track: Track, samples: Samples, now: int, restarts: bool) -> int | None:
        restart = _ticks_restart(track, samples) if restarts and samples.ticks is not None else None
        n = len(samples.raw) if restart is None else restart
        if not n:
            return restart
        rate, came = track.stream.rate_hz, now if samples.arrived is None else int(samples.arrived[0])
        if track.arrived_ns is not None:
            pause = max(_SILENT_NS, _SILENT_SAMPLES / rate * 1e9) if rate else float("inf")
            cause = track.broken or ("silence" if came - track.arrived_ns > pause else "")
            if cause:
                self._flush(track)
                self.out.append(Gap(self.board, now, track.stream.name, self.boot, track.next, None, cause))
        track.broken = ""
        track.arrived_ns = now if samples.arrived is None else int(samples.arrived[n - 1])
        ticks, t_ns = self._times.of(samples, slice(0, n), now)
        track.count.received += n
        self._run(track, samples, Run(slice(0, n), track.next, 0), ticks, t_ns, now)
        track.next += n
        return restart

    def _run(self, track: Track, samples: Samples, run: Run, ticks: Int64, t_ns: Int64, now: int) -> None:
        """Deliver consecutive samples, apart from those that the board itself calls bad."""
        if run.missing:
            self._gap(track, run.first - run.missing, run.missing, track.broken or "lost", now)
        track.broken = ""
        ticks, t_ns, raw = ticks[run.which], t_ns[run.which], samples.raw[run.which]
        count = track.count
        count.expected += len(raw)
        if samples.valid is None or (valid := samples.valid[run.which]).all():
            track.add(run.first, ticks, t_ns, raw)
            count.delivered += len(raw)
            return
        good = int(valid.sum())
        count.delivered += good
        count.invalid += len(raw) - good
        cuts = [0, *(np.flatnonzero(valid[1:] != valid[:-1]) + 1).tolist(), len(raw)]
        for start, stop in pairwise(cuts):
            if valid[start]:
                track.add(run.first + start, ticks[start:stop], t_ns[start:stop], raw[start:stop])
            else:
                self._flush(track)
                self.out.append(
                    Gap(self.board, now, track.stream.name, self.boot, run.first + start, stop - start, "invalid")
                )

    def _gap(self, track: Track, first: int, count: int, cause: str, now: int) -> None:
        self._flush(track)
        self.out.append(Gap(self.board, now, track.stream.name, self.boot, first, count, cause))
        track.count.expected += count
        track.count.unattributed += count
        if cause == "stalled":
            track.stalled += count

    def _flush(self, track: Track) -> None:
        if (batch := track.flush(self.board, self.boot)) is not None:
            self.out.append(batch)


def part_of(samples: Samples, part: slice) -> Samples:
    """Return some of the samples."""
    cut = {
        name: value[part]
        for name in ("raw", "number", "ticks", "valid", "arrived")
        if (value := getattr(samples, name)) is not None
    }
    return replace(samples, **cut)


def _ticks_restart(track: Track, samples: Samples) -> int | None:
    """Return the index of the first sample whose tick steps back by more than a tenth of a second and is no wrap."""
    assert samples.ticks is not None
    ticks = samples.ticks.astype(np.float64)
    before = np.concatenate(([ticks[0] if track.tick is None else track.tick], ticks[:-1]))
    circle = 2.0**samples.tick_bits
    wrapped = (before > 0.75 * circle) & (ticks < 0.25 * circle)
    back = (before - ticks > _TICK_BACK_S * (samples.stream.tick_hz or 1.0)) & ~wrapped
    track.tick = int(ticks[-1])
    return int(back.argmax()) if back.any() else None
