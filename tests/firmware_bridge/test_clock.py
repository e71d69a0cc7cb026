"""Two clocks, one protocol: the system's waits for real, the manual one moves when it is told to or waited on."""

import threading

from firmware_bridge.clock import ManualClock, Patience, SystemClock


def test_the_system_clock_never_runs_back_and_waits_until_the_time_has_come() -> None:
    clock = SystemClock()
    readings = [clock.now_ns() for _ in range(100)]
    assert readings == sorted(readings)
    until = clock.now_ns() + 2_000_000
    clock.wait_until_ns(until, threading.Event())
    assert clock.now_ns() >= until


def test_another_thread_can_end_a_wait_on_the_system_clock() -> None:
    clock, woken, ended = SystemClock(), threading.Event(), threading.Event()

    def wait() -> None:
        clock.wait_until_ns(clock.now_ns() + 3600 * 10**9, woken)
        ended.set()

    waiter = threading.Thread(target=wait)
    waiter.start()
    woken.set()
    assert ended.wait(60)
    waiter.join(60)


def test_a_wait_of_centuries_is_no_error() -> None:
    woken = threading.Event()
    threading.Timer(0.01, woken.set).start()
    SystemClock().wait_until_ns(2**62, woken)
    assert woken.is_set()


def test_the_manual_clock_moves_when_waited_on_and_never_back() -> None:
    clock, woken = ManualClock(1000), threading.Event()
    clock.wait_until_ns(1500, woken)
    assert clock.now_ns() == 1500
    clock.sleep_until_ns(1200)
    clock.wait_until_ns(1300, woken)
    assert clock.now_ns() == 1500
    clock.advance_ns(10)
    assert clock.now_ns() == 1510


def test_a_woken_wait_does_not_move_the_manual_clock() -> None:
    clock, woken = ManualClock(1000), threading.Event()
    woken.set()
    clock.wait_until_ns(2000, woken)
    assert clock.now_ns() == 1000


def test_patience_ends_after_the_seconds_that_it_saw_and_not_for_a_host_that_stood_still() -> None:
    clock = ManualClock()
    patience = Patience(clock, 10.0)
    clock.advance_ns(60 * 10**9)  # nobody could look meanwhile
    assert not patience.over()
    looks = 0
    while not patience.over():
        clock.advance_ns(50_000_000)
        looks += 1
    assert 185 <= looks <= 200
