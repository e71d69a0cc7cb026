"""A folder of recordings for the page that shows them: two of a watch, one with a gap and labels, and a broken file."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import screen_fakes as fakes
from screen_frames import drive
from textual.pilot import Pilot

from firmware_bridge.batch import Batch
from firmware_bridge.clock import ManualClock
from firmware_bridge.events import Arrival, Connected, Mark
from firmware_bridge.streams import BoardInfo, Stream
from hil.config import EngineConfig
from hil.librarian.librarian import Librarian
from hil.recording.header import BoardSetup, Header
from hil.recording.writer import RecordingWriter
from hil.tui.app import HilApp
from hil.tui.pages.recordings import RecordingsPage
from hil.tui.workplace import Workplace

T0 = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
RATE = 50
IMU = Stream("imu", ("ax", "ay", "wz"), ("g", "g", "rad/s"), "<f4", (3,), float(RATE))
INFO = BoardInfo("hil-watch", "WA0042", "1.4.2", (IMU,), "native")


def record(path: Path, start_ns: int, phase: float, gap: bool, labels: list[tuple[str, float, float]]) -> Path:
    """Write 60 s of three sines, with 2 s missing where there is to be a gap."""
    header = Header(start_ns, (BoardSetup("watch", "virtual://watch", None, 7),), about={"person": path.stem[-3:]},
                    versions={}, environment={})  # fmt: skip
    writer = RecordingWriter(path, header)
    writer.write(Arrival("watch", 0, start_ns, "open", b"virtual://watch", (Connected("watch", start_ns, INFO, 0),)))
    for seq, first in enumerate(range(0, 60 * RATE, RATE), 1):
        if gap and 20 <= first // RATE < 22:
            continue
        numbers = np.arange(first, first + RATE, dtype=np.int64)
        t = numbers / RATE + phase
        raw = np.stack([np.sin(t), 0.5 * np.cos(3 * t), 3 * np.sin(t / 4)], axis=1).astype("<f4")
        batch = Batch("watch", IMU, 0, first, numbers * 20_000, start_ns + numbers * (SECOND // RATE), raw)
        writer.write(Arrival("watch", seq, int(batch.t_ns[-1]), "rx", raw.tobytes()[:64], (batch,)))
    marks = [Mark("", start_ns + 50 * SECOND, "bump", "mark", "kim")]
    for text, begin, end in labels:
        marks += [Mark("", start_ns + round(at * SECOND), text, kind, "kim")
                  for at, kind in ((begin, "start"), (end, "stop"))]  # fmt: skip
    writer.write(Arrival("", -1, start_ns + 60 * SECOND, "note", b"", tuple(marks)))
    writer.close()
    return path


def make(folder: Path) -> Path:
    """Fill a folder."""
    folder.mkdir()
    made = [record(folder / "watch_kim.mcap", T0, 0.0, True, [("squat", 5, 15), ("press", 25, 40)]),
            record(folder / "watch_lee.mcap", T0 + 90 * SECOND, 0.7, False, [])]  # fmt: skip
    broken = folder / "broken.mcap"
    broken.write_bytes(b"nothing of the kind")
    for at, path in enumerate((*made, broken)):
        os.utime(path, ns=(T0 - at * SECOND, T0 - at * SECOND))
    return folder


class Steady(Librarian):
    """A librarian whose clock is moved by hand and whose files always have the same size."""

    def __init__(self) -> None:
        self.time = ManualClock(T0)
        super().__init__(self.time, "tester")
        self.asked: list[str] = []

    def command(self, verb: str, **arguments: Any) -> dict[str, Any]:
        self.time.advance_ns(SECOND)
        self.asked.append(verb)
        answer = super().command(verb, **arguments)
        for entry in answer.get("entries", ()):
            entry["size"] = 123_456
        return answer


Steps = Callable[[RecordingsPage, "Pilot[int]"], Awaitable[None]]


def visit(
    folder: Path, size: tuple[int, int], *keys: str, then: Steps | None = None, library: Librarian | None = None,
    opened: list[EngineConfig] | None = None,
) -> str:  # fmt: skip
    """Go to the page of recordings, press keys, do more, and return the last picture."""
    told = [] if opened is None else opened

    def open_engine(config: EngineConfig) -> fakes.FakeClient:
        told.append(config)
        return fakes.FakeClient(fakes.replay)

    client = fakes.FakeClient()
    place = Workplace(client, fps=1e-4, inline=True, folder=folder, open_engine=open_engine,
                      open_library=lambda: library or Steady())  # fmt: skip
    app = HilApp(client, place=place, start="recordings")

    async def steps(app: HilApp, pilot: "Pilot[int]") -> None:
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        page = app.pages["recordings"]
        assert isinstance(page, RecordingsPage)
        if then is not None:
            await then(page, pilot)
            await pilot.pause()

    return drive(client, size, steps, app=app)
