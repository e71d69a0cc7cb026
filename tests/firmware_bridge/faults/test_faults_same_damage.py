"""The same schedule and seed do the same damage, however bytes are split or samples grouped, on any target."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Rebooted
from firmware_bridge.faults import KINDS, Fault, Schedule
from firmware_bridge.faults.arrivals import damaged
from firmware_bridge.faults.detect import observe
from firmware_bridge.faults.dialect import faulty, plain
from firmware_bridge.faults.uplink import Uplink
from firmware_bridge.rehearsal import rehearse
from firmware_bridge.wire.dialect import DialectSpec
from firmware_bridge.wire.dialects import make_dialect
from firmware_bridge.wire.protocol import Session

IMU = "virtual://imu?seed=5&rate=500"
SAMPLE_KINDS = [name for name, kind in KINDS.items() if kind.level in ("frame", "sensor", "clock")]
LINK_KINDS = [name for name, kind in KINDS.items() if kind.level == "link"]
# Byte faults are the same for the same bytes; a living board is asked for its books after a loss and says more.


def schedule(name: str, seed: int = 3, place: int = 2, **more) -> Schedule:
    kind = KINDS[name]
    return Schedule(seed, (Fault.of(name, from_s=0.3, **{kind.main: kind.strengths[place]}, **more),))


@pytest.fixture(scope="module")
def recorded() -> list[Arrival]:
    return rehearse(IMU, 2.0)


NATIVE = DialectSpec("native")


def decode(arrivals, spec=NATIVE) -> list[Arrival]:
    session = Session("dut", make_dialect(spec), nonce=77)
    return [session.apply(Arrival(one.board, one.seq, one.t_ns, one.kind, one.data)) for one in arrivals]


def replayed(recorded, plan: Schedule) -> list[Arrival]:
    """The target `recording`: recorded bytes through the faults of the line and of the decoder."""
    return decode(damaged(recorded, plan), faulty(DialectSpec("native"), plan, "dut"))


def by_number(arrivals) -> dict[tuple[int, int], tuple]:
    """Values, and ticks since the boot's first sample, by (boot, sample number)."""
    out = {}
    for (_, _, boot), seen in observe(arrivals).seen.items():
        for number, tick, raw in zip(seen.numbers, seen.ticks - seen.ticks[0], seen.raw, strict=True):
            out[boot, int(number)] = (int(tick), raw.tobytes())
    return out


@pytest.mark.parametrize("name", [name for name in SAMPLE_KINDS if name != "clock.reboot"])
def test_a_recording_and_a_board_of_another_grouping_are_damaged_at_the_same_samples(name, recorded, tmp_path):
    plan = schedule(name)
    path = tmp_path / "faults.toml"
    fault = plan.faults[0].as_dict()
    lines = [f"{key} = {str(value) if isinstance(value, float) else repr(value)}" for key, value in fault.items()]
    path.write_text("seed = 3\n[[fault]]\n" + "\n".join(lines).replace("'", '"') + "\n")
    ours = by_number(replayed(recorded, plan))
    board = by_number(rehearse(f"{IMU}&group=3&faults={path}&role=dut", 2.0))
    both = ours.keys() & board.keys()
    last = min(max(ours), max(board))[1] - 20
    assert {key for key in ours if key[1] < last} == {key for key in board if key[1] < last}
    assert len(both) > 500
    assert [key for key in both if ours[key][1] != board[key][1]] == []
    assert max(abs(ours[key][0] - board[key][0]) for key in both) <= 1
    clean = by_number(recorded)
    changed = any(clean[key] != ours[key] for key in both) or any(key not in ours for key in clean if key[1] < last)
    harmless = name in ("frame.duplicate", "sensor.dead_row", "clock.wrap")
    assert changed != harmless


@pytest.mark.parametrize("name", LINK_KINDS + [name for name in SAMPLE_KINDS if name.startswith("frame")])
def test_a_live_line_is_damaged_as_its_recording_is(name, recorded):
    plan = schedule(name)
    ours, live = by_number(replayed(recorded, plan)), by_number(rehearse(IMU, 2.0, plan))
    if name == "link.disconnect":  # a virtual board that is opened again starts anew; a recorded one goes on
        ours = {key: value for key, value in ours.items() if key in live}
        live = {key: value for key, value in live.items() if key in ours}
        assert len(ours) > 100
    last = min(max(ours), max(live))[1] - 100
    assert {k: v for k, v in ours.items() if k[1] < last} == {k: v for k, v in live.items() if k[1] < last}


def test_a_restart_falls_on_the_same_sample_everywhere(recorded):
    plan = schedule("clock.reboot")
    ours, live = replayed(recorded, plan), rehearse(IMU, 2.0, plan)
    assert any(isinstance(item, Rebooted) for one in ours for item in one.items)
    first = [max(number for boot, number in by_number(run) if boot == 0) for run in (ours, live)]
    assert first == [149, 149]
    assert (1, 0) in by_number(ours)


@settings(max_examples=40)
@given(
    name=st.sampled_from([name for name in KINDS if KINDS[name].level in ("frame", "byte")]),
    seed=st.integers(0, 2**32),
    cuts=st.lists(st.integers(0, 20_000), max_size=30),
)
def test_bytes_are_damaged_the_same_however_they_are_split(name, seed, cuts):
    data = b"".join(one.data for one in RAW if one.kind == "rx")
    hello, rest = data[:2000], data[2000:22_000]
    plan = schedule(name, seed)
    plan = Schedule(seed, (Fault.of(name, **plan.faults[0].params),))
    outcomes = []
    for edges in ([], cuts):
        uplink = Uplink(plan)
        uplink.push(hello, 0)
        out = [uplink.pull(0)]
        for start, stop in zip([0, *sorted(edges)], [*sorted(edges), len(rest)], strict=True):
            uplink.push(rest[start:stop], 10)
            out.append(uplink.pull(10))
        outcomes.append(b"".join(out) + uplink.end())
    assert outcomes[0] == outcomes[1]
    assert outcomes[0] != data[:22_000]


RAW = rehearse("virtual://imu?seed=5&rate=500", 2.0)


@settings(max_examples=10)
@given(
    name=st.sampled_from([name for name in KINDS if KINDS[name].level in ("sensor", "clock")]),
    seed=st.integers(0, 2**32),
    splits=st.lists(st.integers(1, 400), min_size=1, max_size=20),
)
def test_readings_are_damaged_the_same_however_reads_were_split(name, seed, splits):
    spec = faulty(DialectSpec("native"), schedule(name, seed), "dut")
    whole = by_number(decode(RAW, spec))
    pieces = []
    for one in RAW:
        parts = [one.data]
        if one.kind == "rx":
            size = splits[one.seq % len(splits)]
            parts = [one.data[at : at + size] for at in range(0, len(one.data), size)]
        pieces += [Arrival("dut", 0, one.t_ns, one.kind, part) for part in parts]
    assert by_number(decode(pieces, spec)) == whole


def test_the_spec_of_a_faulty_dialect_gives_the_plain_one_back():
    spec = DialectSpec("native")
    assert plain(faulty(spec, schedule("sensor.bias"), "dut")) == spec
    assert faulty(spec, schedule("byte.flip"), "dut") is spec
    assert faulty(spec, schedule("sensor.bias", on="other"), "dut") is spec


def test_only_the_channel_that_is_named_is_damaged(recorded):
    got = replayed(recorded, schedule("sensor.bias", on="dut/imu/ay"))
    clean = {i.first: i for one in recorded for i in one.items if isinstance(i, Batch)}
    moved = np.zeros(6, bool)
    for one in got:
        for item in one.items:
            if isinstance(item, Batch):
                moved |= (item.raw != clean[item.first].raw).any(axis=0)
    assert moved.tolist() == [False, True, False, False, False, False]


def test_text_boards_have_faulty_sensors_too():
    port, spec = "virtual://text?seed=1&rate=50", DialectSpec("auto")
    clean, bad = (rehearse(port, 8.0, plan, dialect=spec) for plan in (None, schedule("sensor.bias")))
    ours, theirs = observe(clean), observe(bad)
    assert ours.seen.keys() == theirs.seen.keys()
    assert any((seen.raw != theirs.seen[key].raw).any() for key, seen in ours.seen.items())
