"""A board that says what goes on labels its own recording."""

from pathlib import Path

from firmware_bridge.events import Arrival, Disconnected, Log
from hil.monitor.told import BoardLabels


def said(board: str, t_ns: int, text: str) -> Arrival:
    return Arrival(board, 0, t_ns, "rx", items=(Log(board, t_ns, "info", text),))


def test_labels_start_and_stop_as_the_board_says() -> None:
    stage = BoardLabels()
    told = [said("watch", 1, "label: squat person 9"), said("rig", 2, "label: turn"), said("watch", 5, "label: none")]
    ended = Arrival("rig", 1, 9, "close", items=(Disconnected("rig", 9, "unplugged"),))
    marks = [mark for arrival in stage.process([*told, ended]) if arrival.kind == "note" for mark in arrival.items]
    assert [(mark.board, mark.t_ns, mark.kind, mark.text) for mark in marks] == [  # type: ignore[union-attr]
        ("watch", 1, "start", "squat"),
        ("rig", 2, "start", "turn"),
        ("watch", 5, "stop", "squat"),
        ("rig", 9, "stop", "turn"),
    ]


def test_what_a_board_merely_says_is_no_label() -> None:
    arrivals = [said("watch", 1, "the label: is loose")]
    assert BoardLabels().process(arrivals) == arrivals


def test_a_capture_of_the_watch_is_labelled_by_it(tmp_path: Path) -> None:
    from engines import captured

    import hil
    from hil.config import EngineConfig, PortConfig, RecordConfig

    path = tmp_path / "watch.mcap"
    ports = (PortConfig(port="virtual://watch?series=ROW", role="watch"),)
    captured(EngineConfig(ports=ports, record=RecordConfig(path=str(path))), 10)
    with hil.open(path) as recording:
        (label,) = recording.labels
        assert (label.text, label.board) == ("ROW", "watch")
        assert label.stop_ns is not None
