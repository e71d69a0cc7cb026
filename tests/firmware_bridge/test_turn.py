"""One board's connection, driven step by step with a scripted port and a clock that stands still."""

from concurrent.futures import Future
from typing import Any

import pytest
from bench_parts import LOST, CountingSession, ScriptedTransport
from hypothesis import given
from hypothesis import strategies as st
from turn_bench import HELLO, Bench

from firmware_bridge.errors import NoAnswer, UsageError
from firmware_bridge.events import Arrival
from firmware_bridge.plan import MS


def test_bytes_become_numbered_arrivals_with_meaning_and_books() -> None:
    bench = Bench([ScriptedTransport([HELLO, b"1", b"22"])])
    bench.turn.open()
    assert bench.turn.state.state == "identifying"
    bench.steps(3)
    assert bench.turn.state.state == "live"
    assert [(a.seq, a.kind, a.data) for a in bench.out] == [
        (0, "open", b"/dev/ttyACM0"), (1, "rx", HELLO), (2, "rx", b"1"), (3, "rx", b"22"),
    ]  # fmt: skip
    assert [a.books for a in bench.out[1:]] == [16, 17, 19]
    assert bench.turn.books == 19
    assert [a.t_ns for a in bench.out] == sorted(a.t_ns for a in bench.out)


@given(
    st.lists(
        st.lists(st.one_of(st.binary(min_size=1, max_size=40), st.just(b""), st.just(LOST)), max_size=12),
        min_size=1, max_size=5,
    ),
    st.lists(st.integers(0, 30 * MS), min_size=1, max_size=20),
    st.lists(st.sampled_from([0, 0, 0, 5 * MS]), max_size=10),
    st.booleans(),
)  # fmt: skip
def test_whatever_happens_every_byte_is_told_once_and_in_order(
    scripts: list[list[bytes | Exception]], pauses: list[int], held: list[int], named: bool
) -> None:
    given_out: list[bytes] = []

    class Told(ScriptedTransport):
        def read(self, max_wait_s: float) -> bytes:
            given_out.append(super().read(max_wait_s))
            return given_out[-1]

    bench = Bench([Told(list(script)) for script in scripts], role="watch" if named else None, held=held)
    bench.turn.open()
    for turn in range(80):
        bench.turn.step(60.0 if bench.turn.state.state == "lost" else 0.0)
        bench.clock.advance_ns(pauses[turn % len(pauses)])
    bench.turn.close()
    assert b"".join(a.data for a in bench.out if a.kind == "rx") == b"".join(given_out)
    assert [a.seq for a in bench.out] == list(range(len(bench.out)))
    assert [a.t_ns for a in bench.out] == sorted(a.t_ns for a in bench.out)
    assert bench.turn.books == sum(map(len, given_out))
    changes = [a.kind for a in bench.out if a.kind in ("open", "close")]
    assert changes == ["open", "close"] * (len(changes) // 2)
    assert len({a.board for a in bench.out}) == 1


def test_a_replay_of_the_arrivals_gives_the_same_items() -> None:
    bench = Bench([ScriptedTransport([HELLO, b"1", LOST]), ScriptedTransport([HELLO, b"2"])], held=[0, 0, 7 * MS])
    bench.turn.open()
    bench.steps(40)
    bench.turn.close()
    again = CountingSession("watch", lambda _: None)
    replayed = [again.apply(Arrival(a.board, a.seq, a.t_ns, a.kind, a.data)) for a in bench.out]
    assert [(a.items, a.books) for a in replayed] == [(a.items, a.books) for a in bench.out]
    assert {"open", "rx", "close", "stall"} <= set(bench.kinds)


def test_a_busy_board_is_decoded_once_in_ten_milliseconds_and_a_slow_one_at_once() -> None:
    bench = Bench([ScriptedTransport([HELLO, *[b"x"] * 20])])
    bench.turn.open()
    bench.steps(1, every_ms=50)
    bench.steps(20, every_ms=1)
    bench.clock.advance_ns(10 * MS)
    bench.steps(1)
    sizes = [len(a.data) for a in bench.out if a.kind == "rx"][1:]
    assert sizes == [1, 10, 9]
    waits = bench.way.opened[0].waits
    assert all(wait <= 0.5 for wait in waits)


def test_an_answer_to_what_was_written_is_decoded_at_once() -> None:
    bench = Bench([ScriptedTransport([HELLO, *[b"x"] * 3, b"xPONG", *[b"x"] * 3])])
    bench.turn.open()
    bench.steps(1, every_ms=30)
    bench.steps(1, every_ms=1)
    bench.turn.session.to_write.append(b"PING")  # type: ignore[attr-defined]
    bench.turn._due_at = None
    bench.steps(7, every_ms=1)
    told = [(a.kind, a.data, (a.t_ns - bench.out[2].t_ns) // MS) for a in bench.out[2:]]
    assert told == [("rx", b"x", 0), ("rx", b"x", 1), ("tx", b"PING", 1), ("rx", b"xxPONG", 3), ("rx", b"x", 4)]


def test_what_was_read_before_a_write_is_told_before_it() -> None:
    bench = Bench([ScriptedTransport([HELLO, b"a", b"b", b"c"])])
    bench.turn.open()
    bench.steps(1, every_ms=30)
    bench.steps(2, every_ms=1)
    future: Future[bytes] = Future()
    bench.turn.queue(b"STOP", future)
    bench.steps(1)
    told = [(a.kind, a.data) for a in bench.out[2:]]
    assert told == [("rx", b"a"), ("rx", b"bc"), ("tx", b"STOP")]
    assert future.result(0) == b"STOP"


def test_commands_are_encoded_written_and_recorded_or_the_reason_is_told() -> None:
    bench = Bench([ScriptedTransport([HELLO, LOST])])
    early: Future[bytes] = Future()
    bench.turn.queue("hello", early)
    with pytest.raises(NoAnswer, match="the board is not there"):
        early.result(0)
    bench.turn.open()
    bench.turn.step()

    def refuse(command: Any) -> bytes:
        raise UsageError(f"there is no command {command}")

    good, bad = Future[bytes](), Future[bytes]()
    bench.turn.queue("rate 100", good)
    bench.turn.session.dialect.send = refuse
    bench.turn.queue("dance", bad)
    bench.clock.advance_ns(MS)
    bench.way.opened[0].reads.insert(0, b"")
    bench.turn.step()
    assert good.result(0) == b"rate 100\n"
    with pytest.raises(UsageError, match="no command dance"):
        bad.result(0)
    assert [(a.kind, a.data) for a in bench.out if a.kind == "tx"] == [("tx", b"rate 100\n")]


def test_a_board_that_takes_nothing_does_not_keep_the_link_from_reading() -> None:
    transport = ScriptedTransport([HELLO, *[b"x"] * 700], room=3)
    bench = Bench([transport])
    bench.turn.open()
    bench.steps(1)
    future: Future[bytes] = Future()
    bench.turn.queue(b"STOP", future)
    bench.steps(1)
    transport.room = 0
    bench.steps(600)
    assert sum(len(a.data) for a in bench.out if a.kind == "rx") == len(HELLO) + 601
    assert [a.data for a in bench.out if a.kind == "tx"] == [b"STO"]
    with pytest.raises(NoAnswer):
        future.result(0)
    assert any("taken no byte for 5 s; 1 bytes of commands were given up" in text for text in bench.logs)
    assert bench.turn.state.state == "live"


def test_a_full_queue_is_told_as_a_stall_with_its_duration() -> None:
    bench = Bench([ScriptedTransport([HELLO, b"1"])], held=[0, 250 * MS])
    bench.turn.open()
    bench.steps(2)
    assert bench.kinds == ["open", "rx", "rx", "stall"]
    assert bench.out[3].items[0].stalled_ns == 250 * MS  # type: ignore[union-attr]
    assert [a.seq for a in bench.out] == [0, 1, 2, 3]
