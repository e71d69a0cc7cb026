"""Windows of a board's own model have one fate each: judged, skipped, unsent or lost."""

import pytest
from protocol_bench import NONCE, Bench
from toy_board import ToyBoard

from firmware_bridge.ledger import Books, WindowBooks
from firmware_bridge.wire.messages import STATUS_MODEL, Kind


class Judging(ToyBoard):
    """A scripted board that tells of a model."""

    def result(self, key: int, keyed_by: int = 1, layer: int = 255) -> bytes:
        fields = {"keyed_by": keyed_by, "stream": 0, "key": key, "tick": 0, "elapsed": 1, "instructions": 0,
                  "layer": layer, "dtype": 0, "n": 1}  # fmt: skip
        return self.say(Kind.RESULT, b"\1", **fields)

    def counts(self, due: int, skipped: int = 0, unsent: int = 0, nonce: int = NONCE) -> bytes:
        return self.say(Kind.STATUS, STATUS_MODEL.pack(0, due, skipped, unsent), nonce=nonce, tick=0, refused=0)


@pytest.fixture
def bench() -> Bench:
    return Bench(Judging()).start()


def windows(bench: Bench, boot: int = 0) -> WindowBooks | None:
    books = bench.session.books()
    assert not books.closes()
    return books.windows.get(("imu", boot))


def test_a_window_is_judged_skipped_unsent_or_lost_and_the_sum_closes(bench: Bench) -> None:
    bench.hear(*(bench.board.result(key) for key in (9, 19, 39)), bench.board.counts(8, skipped=2, unsent=1))
    assert windows(bench) == WindowBooks(due=8, judged=3, skipped=2, unsent=1, lost=2)
    bench.hear(bench.board.result(99))
    assert windows(bench) == WindowBooks(due=9, judged=4, skipped=2, unsent=1, lost=2)
    bench.hear(bench.board.counts(9, skipped=2, unsent=1))
    assert windows(bench) == WindowBooks(due=9, judged=4, skipped=2, unsent=1, lost=2)


def test_without_a_count_of_the_board_nothing_is_known_and_never_0(bench: Bench) -> None:
    bench.hear(bench.board.result(9), bench.board.status(NONCE, (0, 10, 0)))
    assert windows(bench) is None
    assert "windows" not in bench.session.books().as_dict()


def test_what_came_twice_or_of_a_layer_or_of_the_hosts_own_windows_is_no_judged_window(bench: Bench) -> None:
    board = bench.board
    bench.hear(
        board.result(9), board.result(9), board.result(8), board.result(19, layer=2), board.result(3, keyed_by=0)
    )
    bench.hear(board.counts(1))
    assert windows(bench) == WindowBooks(due=1, judged=1)


def test_a_board_that_starts_anew_counts_anew(bench: Bench) -> None:
    bench.hear(bench.board.result(9), bench.board.counts(2))
    bench.hear(bench.board.hello(nonce=0))
    bench.start(nonce=NONCE + 1)
    bench.hear(bench.board.result(9), bench.board.counts(3, skipped=2, nonce=NONCE + 1))
    assert windows(bench) == WindowBooks(due=2, judged=1, lost=1)
    assert windows(bench, 1) == WindowBooks(due=3, judged=1, skipped=2)


def test_of_a_run_that_is_joined_only_what_comes_afterwards_counts(bench: Bench) -> None:
    bench.hear(bench.board.counts(1000, skipped=400))
    bench.session.begun()
    bench.hear(bench.board.result(9), bench.board.counts(1001, skipped=400))
    bench.hear(bench.board.counts(1003, skipped=401))
    assert windows(bench) == WindowBooks(due=1003, judged=1, skipped=401, lost=601)


def test_books_of_windows_are_the_same_after_writing_and_reading_them(bench: Bench) -> None:
    bench.hear(bench.board.result(9), bench.board.counts(4, skipped=1))
    books = bench.session.books()
    assert Books.from_dict(books.as_dict()) == books
