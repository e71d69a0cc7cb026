"""Schedules: every mistake is named, every fault survives JSON and the removal of others."""

import json

import pytest

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.faults import KINDS, Fault, Schedule, read_schedule


def test_there_are_kinds_at_every_level_and_their_strengths_are_allowed():
    assert len(KINDS) >= 20
    assert {kind.level for kind in KINDS.values()} == {"byte", "link", "frame", "sensor", "clock"}
    for name, kind in KINDS.items():
        assert kind.main in kind.params
        for value in kind.strengths:
            assert Fault.of(name, **{kind.main: value}).strength == value


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"kind": "frame.dorp"}, "did you mean frame.drop"),
        ({"kind": "frame.drop", "rte": 0.1}, "did you mean rate"),
        ({"kind": "frame.drop", "rate": 1.5}, "rate: found 1.5; use 0 to 1"),
        ({"kind": "frame.drop", "rate": "much"}, "found 'much', which is no number"),
        ({"kind": "frame.drop", "rate": True}, "no number"),
        ({"kind": "frame.drop", "from_s": 3, "to_s": 2}, "to_s: found 2, which is not after from_s"),
        ({"kind": "frame.drop", "from_s": -1}, "from_s: found -1"),
        ({"kind": "frame.drop", "on": "a/b/c/d"}, "on: found 'a/b/c/d'"),
        ({"rate": 0.1}, "kind is missing"),
        ({"kind": 7}, "7 is no kind"),
        ({"kind": "frame.drop", "where": "x"}, "'where' is no key"),
    ],
)
def test_a_mistake_names_key_found_and_allowed(wrong, told):
    with pytest.raises(UsageError) as error:
        Schedule.from_dict({"fault": [{"kind": "byte.flip"}, wrong]}, "plan.toml")
    assert told in str(error.value)
    assert "plan.toml, fault 2" in str(error.value)


def test_a_schedule_comes_back_from_json():
    schedule = Schedule(4, (Fault.of("sensor.bias", "imu/imu/ax", 1, 2.5, offset=3), Fault.of("link.stall")))
    assert Schedule.from_dict(json.loads(json.dumps(schedule.as_dict()))) == schedule


def test_what_is_left_of_a_schedule_is_drawn_as_before():
    schedule = Schedule(4, (Fault.of("byte.flip"), Fault.of("byte.flip"), Fault.of("byte.drop")))
    left = Schedule(4, schedule.faults[1:])
    assert [left.series(fault) for fault in left.faults] == [schedule.series(fault) for fault in schedule.faults[1:]]
    assert len({fault.key for fault in schedule.faults}) == 3


def test_a_file_gives_a_schedule_and_a_seed_can_be_chosen(tmp_path):
    path = tmp_path / "faults.toml"
    path.write_text('seed = 2\n[[fault]]\nkind = "frame.drop"\non = "imu"\nrate = 0.5\n')
    assert read_schedule(path).seed == 2
    assert read_schedule(path, 9).seed == 9
    assert read_schedule(path).of("watch", ("frame",)).faults == ()
    path.write_text("[[fault]\n")
    with pytest.raises(UsageError, match="not TOML"):
        read_schedule(path)
    with pytest.raises(FileError):
        read_schedule(tmp_path / "none.toml")
