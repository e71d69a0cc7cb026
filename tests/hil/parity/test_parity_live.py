"""What a board says of its own samples is held against a model that runs beside it, and against its 8-bit reference."""

import zlib
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from parity_board import SMALL, WATCH

from firmware_bridge.batch import Batch
from firmware_bridge.events import Arrival, Connected, Item, Prediction, Rebooted, Reply
from firmware_bridge.oplist.ops import OpList
from firmware_bridge.oplist.reference import run
from firmware_bridge.streams import BoardInfo, Stream
from hil.models import load_model
from hil.models.int8.deploy import deploy
from hil.parity.boards import some_of
from hil.parity.run import windows_in
from hil.recording.reader import Recording
from hil.serving.boardsaid import BoardSaid

START = 10**18


@dataclass
class Known:
    """A model of the bench."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Board:
    """A minute of a board that samples, decides itself and is decided on, piece by piece."""

    oplist: OpList
    crc32: int
    stream: Stream
    pieces: list[list[Item]]
    labels: tuple[str, ...]

    def met(self, crc32: int | None = None) -> Connected:
        network = {"network": {"crc32": self.crc32 if crc32 is None else crc32}}
        return Connected("watch", START, BoardInfo("hil-imu6", "1", "", (self.stream,), "native", extra=network), 0)


@pytest.fixture(scope="module")
def board() -> Board:
    opened = load_model(SMALL)
    with Recording(WATCH) as recording:
        arrays = recording["watch/imu"]
    raw = np.ascontiguousarray(arrays.raw[:3000])
    raw.flags.writeable = False
    made = deploy(opened, some_of(windows_in(opened, [WATCH]), 40))
    numbers = np.arange(len(raw))
    decided = {one.sample: one for one in opened.runner(boards=["watch"]).push(
        [Batch("watch", arrays.stream, 0, 0, numbers * 20_000, START + numbers * 20_000_000, raw)])}  # fmt: skip
    window = made.oplist.window
    pieces: list[list[Item]] = []
    for first, end in pairwise([*range(0, 3000, 50), 3000]):
        part = numbers[first:end]
        items: list[Item] = [Batch("watch", arrays.stream, 0, first, part * 20_000, START + part * 20_000_000,
                                   raw[first:end])]  # fmt: skip
        if end >= window:
            outputs = run(made.oplist, raw[end - window : end][None])[-1].reshape(-1)
            fields = {"keyed_by": 1, "stream": 0, "key": end - 1, "layer": 255, "dtype": 0, "n": len(outputs)}
            items.append(Reply("watch", START + end * 20_000_000, "RESULT", fields, outputs.tobytes()))
        items += [decided[end - 1]] if end - 1 in decided else []
        pieces.append(items)
    return Board(made.oplist, zlib.crc32(made.blob), arrays.stream, pieces, tuple(opened.contract.labels))


def heard(board: Board, said: BoardSaid, pieces: list[list[Item]], crc32: int | None = None) -> None:
    for items in [[board.met(crc32)], *pieces]:
        said.accept([Arrival("watch", 0, START, "rx", b"", tuple(items))])
        said.view("exercise-small", "watch")  # somebody looks meanwhile


def bench(board: Board, *models: Known) -> BoardSaid:
    return BoardSaid(models or (Known("exercise-small", board.labels),), lambda: {board.crc32: board.oplist})


def test_results_are_joined_to_the_same_windows_here_and_are_the_reference_bit_for_bit(board: Board) -> None:
    said = bench(board)
    assert said.view("exercise-small", "watch") is None
    heard(board, said, board.pieces)
    found = said.view("exercise-small", "watch")
    assert found is not None
    results = sum(isinstance(item, Reply) for items in board.pieces for item in items)
    assert (found.results, found.compared) == (results, results)
    assert found.same / found.compared > 0.95
    assert found.checked >= results - 5
    assert found.exact == found.checked
    assert found.sentence == ""


def test_a_board_that_says_something_else_is_told_by_the_window(board: Board) -> None:
    def wrong(item: Item) -> Item:
        if not isinstance(item, Reply) or item.fields["key"] < 1000:
            return item
        return replace(item, data=np.roll(np.frombuffer(item.data, np.int8), 1).tobytes())

    said = bench(board)
    heard(board, said, [[wrong(item) for item in items] for items in board.pieces])
    found = said.view("exercise-small", "watch")
    assert found is not None
    assert found.exact is not None
    assert 0 < found.exact < found.checked
    assert found.same < found.compared
    assert found.differs.startswith("sample 2999: board ")


@pytest.mark.parametrize("turned", [False, True], ids=["board first", "model first"])
def test_it_does_not_matter_who_is_the_first_to_say_it(board: Board, turned: bool) -> None:
    pieces = [items[:1] + items[:0:-1] if turned else items for items in board.pieces]
    said = bench(board)
    heard(board, said, pieces)
    found = said.view("exercise-small", "watch")
    assert found is not None
    assert found.compared >= sum(len(items) == 3 for items in pieces) - 1


def test_what_cannot_be_compared_says_why_and_is_no_zero(board: Board) -> None:
    said = bench(board, Known("other", ("a", "b")))
    heard(board, said, board.pieces, crc32=7)
    found = said.view("other", "watch")
    assert found is not None
    assert (found.compared, found.exact, found.label) == (0, None, "")
    assert "7 outputs and this one 2 labels" in found.sentence
    said = bench(board)
    heard(board, said, board.pieces, crc32=7)
    unknown = said.view("exercise-small", "watch")
    assert unknown is not None
    assert unknown.exact is None
    assert "hil model deploy MODEL -o FILE.hiln" in unknown.sentence


def test_no_window_reaches_over_a_reboot_or_a_hole(board: Board) -> None:
    said = bench(board)
    heard(board, said, board.pieces[:20])
    before = said.view("exercise-small", "watch")
    assert before is not None
    said.accept([Arrival("watch", 0, START, "rx", b"", (Rebooted("watch", START, 1, False),))])
    hole = [items for at, items in enumerate(board.pieces[20:26]) if at != 1]
    heard(board, said, hole)
    after = said.view("exercise-small", "watch")
    assert after is not None
    assert after.exact == after.checked
    assert after.checked - before.checked < len(hole)
    assert not any(isinstance(item, Prediction) and item.boot for items in hole for item in items)
