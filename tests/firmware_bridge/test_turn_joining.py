"""Ports come and go: a lost one is opened again, a wrong or silent board is told in a sentence, each gets its name."""

from typing import Any

import pytest
from bench_parts import LOST, ScriptedTransport
from turn_bench import HELLO, Bench

from firmware_bridge.errors import PortBusy, PortEnded, PortMissing
from firmware_bridge.events import Arrival
from firmware_bridge.plan import MS

MISSING = PortMissing("no such port", "/dev/ttyACM0")


def test_a_lost_port_is_opened_again_later_and_later_and_the_board_joins_again() -> None:
    bench = Bench([ScriptedTransport([HELLO, LOST]), *[MISSING] * 8, ScriptedTransport([HELLO])])
    bench.turn.open()
    bench.steps(2)
    lost = bench.turn.state
    assert (lost.state, lost.reason) == ("lost", str(LOST))
    assert bench.way.opened[0].closed
    waits = []
    while bench.turn.state.state == "lost":
        state = bench.turn.state
        assert state.retry_ns is not None
        waits.append((state.retry_ns - bench.clock.now_ns()) / MS)
        bench.turn.step(60.0)
        bench.turn.step(60.0)
    assert waits == pytest.approx([90, 200, 400, 800, 1600, 3200, 5000, 5000, 5000], abs=11)
    bench.steps(2)
    assert bench.turn.state.state == "live"
    assert bench.kinds == ["open", "rx", "close", "open", "rx"]
    assert bench.turn.state.tries == 0


def test_back_off_starts_anew_only_when_bytes_came() -> None:
    bench = Bench([ScriptedTransport([HELLO, LOST]), ScriptedTransport([LOST]), ScriptedTransport([b"x", LOST])])
    bench.turn.open()
    tries = []
    for _ in range(60):
        bench.turn.step(60.0)
        if bench.turn.state.state == "lost":
            tries.append(bench.turn.state.tries)
    assert tries[:3] == [1, 1, 2]
    assert 1 in tries[3:]


def test_without_reconnect_or_at_a_regular_end_the_link_closes() -> None:
    for bench in (
        Bench([ScriptedTransport([HELLO, LOST])], reconnect=False),
        Bench([ScriptedTransport([HELLO, PortEnded("the process ended with exit code 0", "exec:x")])]),
    ):
        bench.turn.open()
        assert bench.turn.step()
        assert not bench.turn.step()
        assert not bench.turn.step()
        assert bench.turn.state.state == "closed"
        assert bench.kinds == ["open", "rx", "close"]


def test_the_wrong_board_is_refused_with_a_sentence_until_the_right_one_answers() -> None:
    refuse = lambda info: None if info.serial == "0007" else f"wrong board {info.serial}"  # noqa: E731
    bench = Bench([ScriptedTransport([b"I am watch 0008;", b"samples"]), MISSING, ScriptedTransport([HELLO])],
                  expect=refuse)  # fmt: skip
    bench.turn.open()
    bench.steps(1)
    assert (bench.turn.state.state, bench.turn.state.reason) == ("wrong", "wrong board 0008")
    assert bench.way.opened[0].closed
    assert bench.logs == ["wrong board 0008"]
    since = bench.turn.state.since_ns
    bench.turn.step(60.0)
    bench.turn.step(60.0)
    assert (bench.turn.state.state, bench.turn.state.since_ns) == ("wrong", since)
    bench.turn.step(60.0)
    bench.turn.step(60.0)
    bench.steps(2)
    assert bench.turn.state.state == "live"
    assert b"samples" not in [a.data for a in bench.out]


def test_a_board_without_role_is_named_from_its_first_byte_by_what_it_says() -> None:
    bench = Bench([ScriptedTransport([b"noise ", HELLO, b"1"])], role=None)
    bench.turn.open()
    bench.steps(1)
    assert bench.out == []
    bench.steps(2)
    assert {a.board for a in bench.out} == {"watch-0007"}
    assert [(a.seq, a.kind, a.data) for a in bench.out] == [
        (0, "open", b"/dev/ttyACM0"), (1, "rx", b"noise "), (2, "rx", HELLO), (3, "rx", b"1"),
    ]  # fmt: skip
    assert bench.turn.books == len(b"noise ") + len(HELLO) + 1


def test_a_board_that_says_nothing_of_itself_is_named_by_its_port_after_three_seconds() -> None:
    bench = Bench([ScriptedTransport([b"1", b"2"])], role=None)
    bench.turn.open()
    bench.steps(301)
    assert [a.board for a in bench.out] == ["nameless"] * 3


def test_meaningless_bytes_on_a_serial_line_end_in_a_sentence_about_the_baud_rate() -> None:
    bench = Bench([ScriptedTransport([b"\xf8\x00" * 200])], serial=True)
    bench.turn.open()
    bench.steps(302)
    (sentence,) = bench.logs
    assert "400 bytes" in sentence
    assert "115200 baud is most likely wrong" in sentence
    assert "?baud=9600" in sentence
    assert "--board-file" in sentence
    assert bench.turn.state.reason == sentence


def test_a_silent_board_ends_in_a_sentence_and_a_good_one_in_none() -> None:
    silent, good = Bench([ScriptedTransport([])], serial=True), Bench([ScriptedTransport([HELLO])], serial=True)
    for bench in (silent, good):
        bench.turn.open()
        bench.steps(302)
    assert "no byte came" in silent.logs[0]
    assert good.logs == []


def test_a_board_that_is_reset_by_opening_its_port_ends_in_a_sentence() -> None:
    from firmware_bridge.events import Rebooted

    for opening, told in ((PortBusy("held", "x"), True), (MISSING, False)):
        bench = Bench([ScriptedTransport([HELLO, LOST]), opening, ScriptedTransport([b"boot"])], serial=True)
        bench.turn.open()
        original = bench.turn.session.apply

        def apply(arrival: Arrival, original: Any = original) -> Arrival:
            done: Arrival = original(arrival)
            reboot = (Rebooted("watch", arrival.t_ns, 1, False),) if arrival.data == b"boot" else ()
            return Arrival(done.board, done.seq, done.t_ns, done.kind, done.data, done.items + reboot, done.books)

        bench.turn.session.apply = apply  # type: ignore[method-assign]
        for _ in range(8):
            bench.turn.step(60.0)
        assert any("?dtr=off" in text and "-hupcl" in text for text in bench.logs) is told
