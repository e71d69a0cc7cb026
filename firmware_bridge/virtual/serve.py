"""Virtual boards on pseudo terminals, many in one process: `python -m firmware_bridge.virtual.serve imu?seed=1 watch`.

Prints one line a board, `PATH BOARD`, then keeps them alive until standard input ends (a leash: they go when whoever
started them goes). One loop serves all: it sleeps until the earliest sample is due by the absolute schedule of the
boards' own counters, so that a late turn never shifts the next. A terminal that nobody reads holds its board back,
which then drops whole frames and counts them; with `--throw-away` the bytes are lost instead, as on a serial line
without flow control, and frames arrive torn.

Linux and macOS only: the one file of this package that needs ptys.
"""

import argparse
import os
import pty
import selectors
import sys
import tty
from collections.abc import Sequence

from firmware_bridge.clock import Clock, SystemClock
from firmware_bridge.errors import UsageError
from firmware_bridge.virtual.board import NEVER, VirtualBoard
from firmware_bridge.virtual.boards import board_names, make_board, parse_port

__all__ = ["Server", "main"]


class _Outlet:
    """One board and its terminal; the slave stays open so that clients may come and go."""

    def __init__(self, board: VirtualBoard, throw_away: bool, now_ns: int) -> None:
        self.board = board
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self._slave)
        self._throw_away = throw_away
        self._left = b""
        board.receive(b"", now_ns)
        self.due_ns = 0

    @property
    def blocked(self) -> bool:
        """Whether the terminal has no room for what the board has sent."""
        return bool(self._left)

    def hear(self, now_ns: int) -> None:
        """Hand the host's bytes to the board."""
        try:
            data = os.read(self.master, 65_536)
        except (BlockingIOError, OSError):
            return
        self.board.receive(data, now_ns)
        self.due_ns = 0

    def speak(self, now_ns: int) -> None:
        """Write what is due and find out when to come again."""
        data = self._left or self.board.poll(now_ns)
        if data:
            try:
                written = os.write(self.master, data)
            except BlockingIOError:
                written = 0
            self._left = b"" if self._throw_away else data[written:]
        self.due_ns = self.board.next_due_ns()

    def close(self) -> None:
        """Give the terminal back."""
        os.close(self.master)
        os.close(self._slave)


class Server:
    """Boards on pseudo terminals.

    Args:
        boards: Texts such as `imu?seed=1`.
        throw_away: Whether bytes that find no room are lost.
        clock: Where time comes from.

    Raises:
        UsageError: No such board or parameter.
    """

    def __init__(self, boards: Sequence[str], throw_away: bool = False, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        made = [make_board(*parse_port(board)) for board in boards]
        self._outlets = [_Outlet(board, throw_away, self._clock.now_ns()) for board in made]
        # select(2) waits to the microsecond; epoll would round every wait up to a millisecond.
        self._selector = selectors.SelectSelector()
        for outlet in self._outlets:
            self._selector.register(outlet.master, selectors.EVENT_READ, outlet)

    @property
    def paths(self) -> list[str]:
        """The terminals, in the order of the boards."""
        return [outlet.path for outlet in self._outlets]

    def run(self, leash: int) -> None:
        """Serve until the file descriptor `leash` ends."""
        self._selector.register(leash, selectors.EVENT_READ, None)
        clock, outlets, select = self._clock, self._outlets, self._selector.select
        while True:
            wait = min((one.due_ns for one in outlets if not one.blocked), default=NEVER) - clock.now_ns()
            if any(one.blocked for one in outlets):
                wait = min(wait, 1_000_000)  # look again soon: masters always claim to be writable
            ready = select(min(max(wait, 0), 3_600_000_000_000) / 1e9)
            now = clock.now_ns()
            for key, _ in ready:
                if key.data is not None:
                    key.data.hear(now)
                elif not os.read(leash, 4096):
                    return
            for one in outlets:
                if one.due_ns <= now or one.blocked:
                    one.speak(now)

    def close(self) -> None:
        """Give all terminals back."""
        self._selector.close()
        for outlet in self._outlets:
            outlet.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m firmware_bridge.virtual.serve", description="Virtual boards on pseudo terminals.",
        epilog=f"Boards: {', '.join(board_names())}. Ends when standard input ends.",
    )  # fmt: skip
    parser.add_argument("boards", nargs="+", metavar="BOARD", help="a board with its parameters, such as imu?seed=1")
    parser.add_argument("--throw-away", action="store_true", help="lose bytes that nobody reads instead of waiting")
    chosen = parser.parse_args(arguments)
    try:
        server = Server(chosen.boards, chosen.throw_away)
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    for path, board in zip(server.paths, chosen.boards, strict=True):
        sys.stdout.write(f"{path} {board}\n")
    sys.stdout.flush()
    try:
        server.run(sys.stdin.fileno())
    except KeyboardInterrupt:
        return 0
    finally:
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
