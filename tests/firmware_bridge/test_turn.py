"""One board's connection, driven step by step with a scripted port and a clock that stands still."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from bench_parts import LOST, CountingSession, ScriptedTransport, ScriptedWay
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.clock import ManualClock
from firmware_bridge.errors import NoAnswer, PortBusy, PortEnded, PortMissing, TransportError, UsageError
from firmware_bridge.events import Arrival, Log
from firmware_bridge.plan import MS, Judge, Plan
from firmware_bridge.streams import BoardInfo
from firmware_bridge.turn import Turn

HELLO = b"I am watch 0007;"
MISSING = PortMissing("no such port", "/dev/ttyACM0")


class Bench:
    """A turn with everything around it."""

    def __init__(self, transports: list[ScriptedTransport | TransportError], *, role: str | None = "watch",
                 serial: bool = False, reconnect: bool = True, expect: Judge = lambda _: None,
                 held: list[int] | None = None) -> None:  # fmt: skip
        self.clock = ManualClock()
        self.way = ScriptedWay(transports, serial=serial)
        self.out: list[Arrival] = []
        self.sessions: list[CountingSession] = []
        self.held = held or []

        def make(role: str, judge: Callable[[BoardInfo], str | None]) -> CountingSession:
            self.sessions.append(CountingSession(role, judge))
            return self.sessions[-1]

        def put(arrival: Arrival, *, force: bool = False) -> int:
            self.out.append(arrival)
            return self.held.pop(0) if self.held and not force else 0

        name = lambda info: f"{info.model}-{info.serial}" if info else "nameless"  # noqa: E731
        self.turn = Turn(self.way, Plan(role, make, name, expect, reconnect), self.clock, put, self._idle)

    def _idle(self, seconds: float) -> None:
        self.clock.advance_ns(round(seconds * 1e9))

    def steps(self, count: int, every_ms: float = 10) -> None:
        for _ in range(count):
            self.turn.step()
            self.clock.advance_ns(round(every_ms * MS))

    @property
    def kinds(self) -> list[str]:
        return [arrival.kind for arrival in self.out]

    @property
    def logs(self) -> list[str]:
        return [item.text for arrival in self.out for item in arrival.items if isinstance(item, Log)]


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
