"""The event log where a link says the same again and again: told once, then with how often, and nothing is dropped."""

import re
from itertools import pairwise

import pytest

from firmware_bridge.events import Disconnected
from hil.monitor.logbook import FIRST_PAUSE_NS, LAST_PAUSE_NS, Logbook

S = 1_000_000_000
WHY = "exec:logger: the process ended with exit code 1"


def gone(book: Logbook, at_s: int, board: str = "a", why: str = WHY) -> None:
    book.add(Disconnected(board, at_s * S, why))


def texts(book: Logbook, now_s: int) -> list[str]:
    return [line.text for line in book.lines(1000, now_s * S)]


def test_a_process_that_never_starts_is_told_with_growing_pauses_and_every_time_is_counted() -> None:
    book = Logbook()
    for second in range(3600):
        gone(book, second)
    lines = book.lines(1000, 3600 * S + LAST_PAUSE_NS)
    assert len(lines) < 15
    assert lines[0].text == f"disconnected: {WHY}"
    again = [int(re.search(r"\((\d+) times more in", line.text)[1]) for line in lines[1:]]  # type: ignore[index]
    assert 1 + sum(again) == 3600
    told = [line.t_ns for line in lines]
    assert all(later - earlier >= FIRST_PAUSE_NS for earlier, later in pairwise(told[:-1]))


def test_what_came_again_is_told_before_the_next_news_of_that_board_and_when_its_pause_is_over() -> None:
    book = Logbook()
    for second in (0, 1, 2):
        gone(book, second)
    assert texts(book, 3) == [f"disconnected: {WHY}"]
    gone(book, 3, "b")
    book.say(4 * S, "a", "info", "connected")
    assert texts(book, 5)[1:] == [
        f"disconnected: {WHY}", f"disconnected: {WHY} (2 times more in 2 s)", "connected"]  # fmt: skip
    gone(book, 6)
    gone(book, 7)
    assert texts(book, 8)[-1] == f"disconnected: {WHY}"
    assert texts(book, 17)[-1] == f"disconnected: {WHY} (once more in 1 s)"


@pytest.mark.parametrize(("board", "level"), [("", "warning"), ("a", "info")])
def test_what_a_person_does_twice_is_told_twice(board: str, level: str) -> None:
    book = Logbook()
    book.say(0, board, level, "mark here")
    book.say(S, board, level, "mark here")
    assert len(book.lines(10, S)) == 2
