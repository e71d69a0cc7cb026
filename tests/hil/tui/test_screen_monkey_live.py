"""A monkey at the screen of a real bench that records, while a board goes and comes again: no recording is harmed."""

import asyncio
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from screen_fakes import FakeLibrary
from screen_frames import drive, frame
from screen_monkey import Monkey, caged, legible
from verdicts_made import FakeRunner

from hil.config import EngineConfig, PortConfig, RecordConfig
from hil.door.attach import spawn_engine
from hil.models.verify import verify
from hil.recording.reader import Recording
from hil.tui.app import HilApp
from hil.tui.workplace import Workplace

pytestmark = [pytest.mark.screen, pytest.mark.pty, pytest.mark.timeout(900)]

__all__ = ["caged"]


class Cable:
    """A board on a pseudo terminal, behind a name that stays the same when it is plugged in again."""

    def __init__(self, name: Path) -> None:
        self.name = name
        self._board: subprocess.Popen[str] | None = None

    def plug(self) -> None:
        command = [sys.executable, "-m", "firmware_bridge.virtual.serve", "imu?seed=5"]
        self._board = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._board.stdout is not None
        self.name.unlink(missing_ok=True)
        self.name.symlink_to(self._board.stdout.readline().split()[0])

    def pull(self) -> None:
        assert self._board is not None
        assert self._board.stdin is not None
        assert self._board.stdout is not None
        self._board.stdin.close()
        self._board.wait(60)
        self._board.stdout.close()


async def seen(app: HilApp, what: Callable[[], bool]) -> None:
    """Wait until the screen knows it; a real engine takes its time."""
    for _ in range(2400):
        if what():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never seen:\n{frame(app)}")


@pytest.mark.parametrize(("seed", "steps"), [
    (1, 240), pytest.param(2, 3_000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])  # fmt: skip
def test_no_recording_of_a_bench_is_harmed_by_a_monkey_at_its_screen(seed, steps, caged, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    cable = Cable(tmp_path / "cable")
    cable.plug()
    places = {"watch": "virtual://watch?seed=1", "imu": "virtual://imu?seed=3", "pulled": str(cable.name)}
    ports = tuple(PortConfig(port=port, role=role) for role, port in places.items())
    config = EngineConfig(ports=ports, record=RecordConfig(path=str(tmp_path / "first.mcap")), patient=True)
    client = spawn_engine(config)
    place = Workplace(client, fps=10.0, open_library=FakeLibrary, open_runner=FakeRunner, sweeper=caged)  # type: ignore[arg-type]
    app = HilApp(client, place=place)
    monkey = Monkey(app, random.Random(seed))

    def state(role: str) -> str:
        latest = app.live.scene.latest
        return next((board.state for board in latest.boards if board.role == role), "") if latest else ""

    async def work(app: HilApp, pilot) -> None:
        await seen(app, lambda: [state(role) for role in places] == ["live"] * 3)
        for at in range(steps):
            if at == steps // 3:
                cable.pull()
                await seen(app, lambda: state("pulled") == "lost")
            if at == 2 * steps // 3:
                cable.plug()
                await seen(app, lambda: state("pulled") == "live")
            await monkey.step()
            await asyncio.sleep(0.005)  # the feed of a real engine is another thread: let it have its turn
            if at % 60 == 59:
                await pilot.pause()
                assert legible(frame(app), app.screen.size.width)
        for page in app.pages.values():
            page.close()

    try:
        drive(client, (120, 35), work, app=app)  # type: ignore[arg-type]
    finally:
        client.close()
        cable.pull()
    assert client.summary is not None
    assert [board["role"] for board in client.summary["boards"]] == list(places)
    files = sorted(tmp_path.rglob("*.mcap"))
    assert tmp_path / "first.mcap" in files
    for path in files:
        with Recording(path) as recording:
            assert recording.damaged == []
            assert recording.lost is None
            held = sum(recording.count(one.board, one.stream.name) for one in recording.streams())
            assert held > 0 or path.name != "first.mcap"  # a monkey may end what it began before a sample came
        assert verify(path).verdict == "reproduced", path
    print(f"{steps} steps, p99 {monkey.within_ms(0.99):.0f} ms of CPU time, {len(files)} recordings, {monkey.seen}")
    assert monkey.within_ms(0.99) < monkey.worst_ms
