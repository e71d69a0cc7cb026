"""Samples pushed into the C board in place of its sensor's come back as they were, as from its Python twin."""

from collections.abc import Callable

import numpy as np
import pytest
from firmware_core import both
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_host import Host, samples

from firmware_bridge.firmware.build import missing
from firmware_bridge.virtual.board import VirtualBoard
from firmware_bridge.wire.messages import Kind

pytestmark = [
    pytest.mark.firmware,
    pytest.mark.timeless,
    pytest.mark.skipif(bool(missing("host")), reason=missing("host")),
]

STIMULUS = np.random.default_rng(4).integers(-30000, 30000, (1200, 6)).astype("<i2")


def push(host: Host, first: int, n: int = 20) -> None:
    host.send(Kind.INJECT, STIMULUS[first : first + n].tobytes(), stream=0, n=n, first=first)


def ready(make: Callable[[], VirtualBoard]) -> Host:
    host = Host(make())
    host.start(nonce=9, injected=1)
    return host


@both
def test_a_host_that_keeps_within_its_credit_starves_nothing_and_gets_every_sample_back(make) -> None:
    host = ready(make)
    sent = 0
    while sent < 1000:
        credit = max(message.total for message in host.answers(Kind.CREDIT))
        while sent < 1000 and sent + 20 <= credit:
            push(host, sent)
            sent += 20
        host.run(0.05)
    host.run(0.4)
    numbers, ticks, raw = samples(host.heard, "imu")
    assert numbers.tolist() == list(range(1000))
    assert (raw == STIMULUS[:1000]).all()
    assert set(np.diff(ticks[:990])) == {1000}
    row = host.status()[0]
    assert (row["consumed"], row["credit"], row["dropped"]) == (1000, 1256, 0)


@both
def test_nothing_is_due_before_the_first_injected_sample(make) -> None:
    host = ready(make)
    assert host.answers(Kind.CREDIT)[-1].total == 256
    assert host.run(0.5) == []
    assert host.status()[0]["starved"] == 0


@both
@settings(max_examples=15)
@given(lost=st.lists(st.booleans(), min_size=10, max_size=120), step_ms=st.integers(10, 60))
def test_go_back_n_brings_every_sample_in_order_however_frames_are_lost(make, lost, step_ms) -> None:
    host = ready(make)
    expected, drops = 0, iter(lost)
    for _ in range(120):
        at = expected
        while at < 300 and min(at + 20, 300) <= max(message.total for message in host.answers(Kind.CREDIT)):
            if not next(drops, False):
                push(host, at, min(20, 300 - at))
            at += 20
        host.run(step_ms / 1000)
        assert all(nak.reason == 6 for nak in host.answers(Kind.NAK))
        expected = host.status()[0]["consumed"]
        if expected >= 300:
            break
    host.run(0.05)
    numbers, _, raw = samples(host.heard, "imu")
    assert numbers.tolist() == list(range(300))
    assert (raw == STIMULUS[:300]).all()


@both
def test_a_hole_is_refused_with_the_number_expected_and_too_much_with_no_room(make) -> None:
    host = ready(make)
    push(host, 0)
    push(host, 40)
    assert [(nak.of, nak.reason, nak.detail) for nak in host.answers(Kind.NAK)] == [(Kind.INJECT, 6, 20)]
    for first in range(20, 260, 20):
        push(host, first)
    nak = host.answers(Kind.NAK)[-1]
    assert (nak.reason, nak.detail) == (5, 240)


@both
def test_a_starved_slot_passes_and_the_next_sample_keeps_its_number(make) -> None:
    host = ready(make)
    push(host, 0)
    host.run(0.2)
    push(host, 20)
    host.run(0.1)
    numbers, ticks, raw = samples(host.heard, "imu")
    assert numbers.tolist() == list(range(40))
    assert (raw == STIMULUS[:40]).all()
    assert host.status()[0]["starved"] >= 170
    assert ticks[20] - ticks[19] >= 170_000
