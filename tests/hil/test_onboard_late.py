"""A host that was away while a board was told to begin hears everything that the board decided meanwhile."""

import sys
from pathlib import Path

from firmware_bridge.clock import ManualClock
from firmware_bridge.oplist import pack
from firmware_bridge.virtual.boards import make_board
from hil.dialogue.onboard import OnBoard

sys.path.append(str(Path(__file__).resolve().parents[1] / "firmware_bridge" / "firmware"))
from small_net import small_net


class Away:
    """A board at a port whose host comes back to it only after `late_s`."""

    port = "virtual://imu"

    def __init__(self, clock: ManualClock) -> None:
        self.clock, self.late_s = clock, 0.01
        self.board = make_board("imu", {"rate": "400", "seed": "3"})

    def open(self, wait_s: float, stopping: object) -> "Away":
        return self

    def write(self, data: bytes) -> int:
        self.board.receive(data, self.clock.now_ns())
        return len(data)

    def read(self, max_wait_s: float) -> bytes:
        self.clock.advance_ns(round(self.late_s * 1e9))
        return self.board.poll(self.clock.now_ns())

    def close(self) -> None:
        pass


def decided(late_s: float) -> list[int]:
    """The samples at which the board decided, in half a second."""
    way = Away(clock := ManualClock())
    with OnBoard(way, clock) as board:  # type: ignore[arg-type]
        board.deploy(pack(small_net()))
        board.start_stream("imu", 20)
        way.late_s = late_s
        return [one.sample for one in board.listen(0.5)]


def test_nothing_is_lost_that_came_with_the_answer_or_after_the_time() -> None:
    prompt, late = decided(0.01), decided(0.9)
    assert len(prompt) > 5
    assert late[: len(prompt)] == prompt
