"""`verify`: what is in a recording follows from its raw bytes, and the smallest change is found and placed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recording_live import header, live, record
from recording_samples import IMU, arrivals
from recording_samples import header as plain_header

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, ClockReading, Gap, Mark, Prediction
from firmware_bridge.roles import Expect
from hil.models.verify import verify
from hil.recording.files import parse_split, part_path
from hil.recording.reader import Recording
from hil.recording.recover import recover
from hil.recording.rederive import Verdict, rederive
from hil.recording.writer import RecordingWriter


@pytest.mark.parametrize(("board", "seconds"), [("imu", 3.0), ("thermal", 3.0), ("ppg", 3.0)])
def test_a_live_recording_is_reproduced_exactly(tmp_path: Path, board: str, seconds: float) -> None:
    verdict = rederive(record(tmp_path / "a.mcap", live(board, seconds, {"seed": "3"}, damage=[50, 51, 90])))
    assert (verdict.verdict, verdict.exact) == ("reproduced", True), verdict
    assert verdict.first_difference is None
    assert verdict.compared["samples"] > 20
    assert verdict.compared["events"] > 2
    assert verdict.compared["clock"] > 10
    assert verdict.compared["ledger"] >= 3


def test_text_boards_are_reproduced(tmp_path: Path) -> None:
    entries = live("text", 3.0, dialect="auto")
    verdict = rederive(record(tmp_path / "a.mcap", entries, header(dialect="auto")))
    assert (verdict.verdict, verdict.exact) == ("reproduced", True), verdict
    assert verdict.compared["samples"] > 20


def altered(tmp_path: Path, change: Callable[[list[Arrival]], list[Arrival]]) -> Verdict:
    """Record a live run with a change made after decoding, as if somebody had edited the file; verify it."""
    return rederive(record(tmp_path / "a.mcap", change(live("imu", 3.0, {"seed": "1"}))))


def place_of(entries: list[Arrival], kind: type) -> tuple[int, int]:
    """Return arrival and item of the middle one of a kind."""
    found = [(a, i) for a, entry in enumerate(entries) for i, item in enumerate(entry.items) if isinstance(item, kind)]
    return found[len(found) // 2]


def test_an_altered_byte_on_the_wire_is_found(tmp_path: Path) -> None:
    lost: list[int] = []

    def change(entries: list[Arrival]) -> list[Arrival]:
        place, at = place_of(entries, Batch)
        entry = entries[place]
        batch = entry.items[at]
        assert isinstance(batch, Batch)
        lost.extend([batch.first, batch.end])
        data = bytearray(entry.data)
        data[len(data) // 2] ^= 0x5A
        entries[place] = replace(entry, data=bytes(data))
        return entries

    verdict = altered(tmp_path, change)
    assert verdict.verdict == "diverged"
    assert verdict.first_difference is not None
    assert verdict.first_difference.stage == "samples"
    assert verdict.first_difference.board == "watch"
    assert lost[0] <= (verdict.first_difference.sample or 0) < lost[1] + 10
    assert {difference.stage for difference in verdict.differences} >= {"samples", "events", "ledger"}


def test_one_altered_sample_is_found(tmp_path: Path) -> None:
    where: list[int] = []

    def change(entries: list[Arrival]) -> list[Arrival]:
        place, at = place_of(entries, Batch)
        batch = entries[place].items[at]
        assert isinstance(batch, Batch)
        raw = batch.raw.copy()
        raw[len(raw) // 2, 2] += 1
        where.append(batch.first + len(raw) // 2)
        items = list(entries[place].items)
        items[at] = replace(batch, raw=raw)
        entries[place] = replace(entries[place], items=tuple(items))
        return entries

    verdict = altered(tmp_path, change)
    assert verdict.verdict == "diverged"
    assert [difference.stage for difference in verdict.differences] == ["samples"]
    assert verdict.first_difference is not None
    assert (verdict.first_difference.stream, verdict.first_difference.sample) == ("imu", where[0])
    assert "raw is stored as" in verdict.first_difference.what


def test_one_altered_clock_exchange_is_found(tmp_path: Path) -> None:
    def change(entries: list[Arrival]) -> list[Arrival]:
        place, at = place_of(entries, ClockReading)
        items = list(entries[place].items)
        items[at] = replace(items[at], tick=items[at].tick + 1)  # type: ignore[arg-type, union-attr]
        entries[place] = replace(entries[place], items=tuple(items))
        return entries

    verdict = altered(tmp_path, change)
    assert [difference.stage for difference in verdict.differences] == ["clock"]
    assert "tick is stored as" in verdict.sentence


def test_samples_left_out_and_put_in_are_found(tmp_path: Path) -> None:
    def drop(entries: list[Arrival]) -> list[Arrival]:
        place, at = place_of(entries, Batch)
        items = [item for number, item in enumerate(entries[place].items) if number != at]
        entries[place] = replace(entries[place], items=tuple(items))
        return entries

    assert altered(tmp_path, drop).verdict == "diverged"

    def invent(entries: list[Arrival]) -> list[Arrival]:
        gap = Gap("watch", entries[-1].t_ns, "imu", 0, 5, 1, "lost")
        entries[-1] = replace(entries[-1], items=(*entries[-1].items, gap))
        return entries

    verdict = rederive(record(tmp_path / "b.mcap", invent(live("imu", 1.0))))
    assert [difference.stage for difference in verdict.differences] == ["events"]


def test_a_flipped_byte_in_the_file_is_damage(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mcap", live("imu", 2.0))
    data = bytearray(path.read_bytes())
    with Recording(path) as recording:
        chunk = recording.file.chunks[2]
    data[chunk.offset + chunk.length - chunk.compressed // 2] ^= 1
    path.write_bytes(data)
    verdict = rederive(path)
    assert verdict.verdict == "damaged"
    assert f"the chunk at byte {chunk.offset}" in verdict.sentence
    kept = recover(path, tmp_path / "kept.mcap")
    assert len(kept.left_out) == 1
    with Recording(kept.path) as recording:
        assert recording.lost is None


def test_a_torn_recording_is_partial(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mcap", live("imu", 4.0))
    with Recording(path) as recording:
        chunks = recording.file.chunks
        cut = chunks[-3].offset + 10
    torn = tmp_path / "torn.mcap"
    torn.write_bytes(path.read_bytes()[:cut])
    verdict = rederive(torn)
    assert verdict.verdict == "partial"
    assert "cut off" in verdict.sentence
    assert verdict.compared["samples"] > 1000
    made = recover(torn, tmp_path / "whole.mcap")
    assert made.lost
    again = rederive(tmp_path / "whole.mcap")
    assert (again.verdict, again.compared["samples"]) == ("partial", verdict.compared["samples"])


def test_imported_readings_are_not_verifiable(tmp_path: Path) -> None:
    entries = [Arrival("watch", 0, 0, "note", b"", entry.items) for entry in arrivals(IMU, [10, 10])]
    verdict = rederive(record(tmp_path / "a.mcap", entries, plain_header()))
    assert verdict.verdict == "not_verifiable"


def test_a_board_that_never_said_a_word_takes_nothing_from_the_verdict(tmp_path: Path) -> None:
    entries = live("watch", 2.0)
    verdict = rederive(record(tmp_path / "a.mcap", entries, header(("watch", "pulled"))))
    assert (verdict.verdict, verdict.exact) == ("reproduced", True)


def test_parts_are_verified_with_those_before_them(tmp_path: Path) -> None:
    whole = tmp_path / "a.mcap"
    record(whole, live("imu", 5.0), split=parse_split("2s"))
    verdict = rederive(part_path(whole, 2))
    assert (verdict.verdict, verdict.exact) == ("reproduced", True), verdict
    assert verdict.first_difference is None
    last = rederive(part_path(whole, 3))
    assert (last.verdict, last.exact) == ("reproduced", True), last
    part_path(whole, 1).unlink()
    assert rederive(part_path(whole, 2)).verdict == "not_verifiable"


def test_a_label_that_runs_is_in_every_part_until_it_ends(tmp_path: Path) -> None:
    whole, entries = tmp_path / "a.mcap", live("imu", 7.0)
    first = entries[0].t_ns

    def note(kind: str, at_s: float) -> Arrival:
        t_ns = first + round(at_s * 1e9)
        return Arrival("", -1, t_ns, "note", items=(Mark("", t_ns, "squat", kind, "ann"),))

    labelled = sorted([*entries, note("start", 0.5), note("stop", 4.5)], key=lambda entry: entry.t_ns)
    record(whole, labelled, split=parse_split("2s"))
    spans = []
    for part in (1, 2, 3):
        with Recording(part_path(whole, part)) as recording:
            begin = recording.start_ns
            spans += [(part, one.text, one.start_ns - begin, one.stop_ns) for one in recording.labels]
    assert [(part, text, stop is None) for part, text, _, stop in spans] == [
        (1, "squat", True), (2, "squat", True), (3, "squat", False),
    ]  # fmt: skip
    assert all(-0.05e9 < start < 0.6e9 for _, _, start, _ in spans)
    assert rederive(part_path(whole, 3)).verdict == "reproduced"


class Counter:
    """A stand-in for a model: decides every 100 samples of a board, by what it has seen."""

    def __init__(self) -> None:
        self.seen: dict[str, float] = {}

    def push(self, items: object) -> list[Prediction]:
        made = []
        for arrival in items:  # type: ignore[attr-defined]
            for batch in arrival.items:
                if not isinstance(batch, Batch):
                    continue
                for place in range(len(batch)):
                    number = batch.first + place
                    self.seen[batch.board] = 0.9 * self.seen.get(batch.board, 0.0) + float(batch.values[place, 0])
                    if number % 100 == 99:
                        share = float(1 / (1 + np.exp(-self.seen[batch.board])))
                        t_ns = int(batch.t_ns[place])
                        scores = (share, 1 - share)
                        made.append(
                            Prediction(batch.board, t_ns, "count", "imu", batch.boot, number, "a", share, scores)
                        )
        return made


def with_decisions(entries: list[Arrival]) -> list[Arrival]:
    runner = Counter()
    out = []
    for entry in entries:
        out.append(entry)
        made = runner.push([entry])
        if made:
            out.append(Arrival(entry.board, -1, entry.t_ns, "note", b"", tuple(made)))
    return out


def test_decisions_are_reproduced_and_one_altered_is_found(tmp_path: Path) -> None:
    entries = with_decisions(live("imu", 3.0))
    path = record(tmp_path / "a.mcap", entries)
    verdict = rederive(path, lambda *_: (Counter(), 100))
    assert (verdict.verdict, verdict.exact) == ("reproduced", True), verdict
    assert verdict.compared["predictions"] > 20
    place, at = place_of(entries, Prediction)
    decision = entries[place].items[at]
    assert isinstance(decision, Prediction)
    items = (replace(decision, scores=(decision.scores[0], decision.scores[1] + 1e-9)),)
    entries[place] = replace(entries[place], items=items)
    altered_verdict = rederive(record(tmp_path / "b.mcap", entries), lambda *_: (Counter(), 100))
    assert altered_verdict.verdict == "diverged"
    assert altered_verdict.first_difference is not None
    assert altered_verdict.first_difference.stage == "predictions"
    assert altered_verdict.first_difference.sample == decision.sample


def test_without_the_model_a_recording_is_partial(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mcap", with_decisions(live("imu", 2.0)))
    verdict = verify(path)
    assert verdict.verdict == "partial"
    assert "count" in verdict.sentence
    assert "--model" in verdict.sentence


@pytest.mark.training
def test_decisions_of_a_real_model_are_reproduced_to_the_last_bit(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from hil.models.model import load_model

    shipped = Path(__file__).resolve().parents[3] / "hil" / "models" / "exercise.hilmodel"
    runner = load_model(shipped).runner()
    head = header()
    writer = RecordingWriter(tmp_path / "a.mcap", head)
    for arrival in live("watch", 12.0, {"pause_s": "0"}):
        writer.write(arrival)
        if made := runner.push([arrival]):
            writer.write(Arrival("watch", -1, arrival.t_ns, "note", b"", tuple(made)))
    writer.metadata("hil/model", runner.identity())
    writer.attach("models/exercise.hilmodel", "application/zip", shipped.read_bytes())
    writer.close()
    verdict = verify(tmp_path / "a.mcap")
    assert (verdict.verdict, verdict.exact) == ("reproduced", True), verdict
    assert verdict.compared["predictions"] >= 8


def test_a_refused_board_is_refused_again(tmp_path: Path) -> None:
    judge = Expect("hil-watch", "").judge
    entries = live("imu", 1.0, judge=judge)
    assert not [item for entry in entries for item in entry.items if isinstance(item, Batch)]
    head = header()
    head = replace(head, boards=(replace(head.boards[0], expect_model="hil-watch"),))
    verdict = rederive(record(tmp_path / "a.mcap", entries, head))
    assert (verdict.verdict, verdict.exact) == ("reproduced", True), verdict
    assert rederive(record(tmp_path / "b.mcap", entries)).verdict == "diverged"
