"""The firmware built by zig (a Python package) in place of a cross compiler: the same board, word for word."""

import sys
from pathlib import Path

import numpy as np
import pytest
from firmware_bench import bench, count, items, needs, until
from firmware_core import reading

from firmware_bridge.batch import Batch
from firmware_bridge.errors import MissingPart
from firmware_bridge.events import Reply, Status
from firmware_bridge.firmware import build as building
from firmware_bridge.firmware import start
from firmware_bridge.firmware.build import absent, build, chosen, has_zig, missing
from firmware_bridge.firmware.recipes import RECIPES
from firmware_bridge.streams import BoardInfo
from firmware_bridge.wire.messages import Kind, Message

pytestmark = [pytest.mark.firmware, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")]

by_zig = pytest.mark.skipif(not has_zig(), reason='ziglang is not installed; pip install "hil-testbench[firmware]"')


def spoken(port: str) -> tuple[BoardInfo, list[list[int]], list[str], dict[str, int]]:
    """Who a board is, 200 readings, what it answers, and its books after five readings that the host gave it."""
    given = np.arange(30, dtype="<i2").reshape(5, 6)
    out: list = []
    with bench(port) as bridge:
        until(bridge, out, lambda out: count(out) >= 200)
        (state,) = bridge.boards()
        bridge.send("b0", Message(Kind.START, {"nonce": 77, "streams": 0, "injected": 1})).result(60)
        bridge.send("b0", Message(Kind.INJECT, {"stream": 0, "n": 5, "first": 0}, given.tobytes()))
        bridge.send("b0", Message(Kind.INJECT, {"stream": 0, "n": 5, "first": 9}, given.tobytes()))  # out of order
        back = lambda: [batch for batch in items(out, Batch) if batch.boot == 1]  # noqa: E731
        until(bridge, out, lambda _: sum(map(len, back())) >= 5)
        until(bridge, out, lambda out: any(reply.kind == "NAK" for reply in items(out, Reply)))
        bridge.send("b0", Message(Kind.STOP)).result(60)
        bridge.send("b0", Message(Kind.GET_STATUS)).result(60)
        row = lambda: items(out, Status)[-1].fields["streams"]["imu"]  # noqa: E731
        until(bridge, out, lambda out: bool(items(out, Status)) and row()["consumed"] == 5)
    assert np.concatenate([batch.raw for batch in back()])[:5].tolist() == given.tolist()
    first = [batch for batch in items(out, Batch) if batch.boot == 0]
    ticks = np.concatenate([batch.ticks for batch in first]).tolist()
    numbers = np.concatenate([np.arange(batch.first, batch.end) for batch in first]).tolist()
    raw = np.concatenate([batch.raw for batch in first]).tolist()
    assert raw == [reading(3, number, tick) for number, tick in zip(numbers, ticks, strict=True)]
    refused = [str(reply.fields) for reply in items(out, Reply) if reply.kind == "NAK"]
    assert state.info is not None
    return state.info, raw[:100], refused, {key: row()[key] for key in ("dropped", "consumed")}


@by_zig
@pytest.mark.parametrize(("kind", "port"), [("qemu", "mps2"), ("qemu?cpu=m7", "mps2-m7"), ("unicorn", "unicorn"),
                                               ("native", "native")])  # fmt: skip
def test_a_board_built_by_zig_holds_the_conversation_of_the_other_compilers(
    kind: str, port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(kind)
    recipe = RECIPES[port].otherwise
    assert recipe is not None
    bare, _, own = kind.partition("?")
    address = f"firmware://{bare}?rate=1000&seed=3&{own}".rstrip("&")
    usual = spoken(address)
    program = build(recipe, tmp_path)
    monkeypatch.setattr(start, "built", lambda _: program)
    monkeypatch.setattr(start, "image_of", lambda _: program.read_bytes())
    of_zig = spoken(address)
    assert (of_zig[0], of_zig[3]) == (usual[0], usual[3])
    assert len(of_zig[2]) == len(usual[2]) == 1


def test_of_two_ways_the_cross_compiler_comes_first_and_zig_in_its_place(monkeypatch) -> None:
    monkeypatch.setattr(building, "has_zig", lambda: True)
    monkeypatch.setattr(building.shutil, "which", lambda name: f"/bin/{name}")
    assert chosen("mps2") is RECIPES["mps2"]
    monkeypatch.setattr(building.shutil, "which", lambda name: None)
    assert chosen("mps2") is RECIPES["mps2"].otherwise
    assert missing("mps2") == ""
    assert missing("avr") == "avr-gcc is not installed"  # zig knows no ATmega328P start-up code


def test_without_any_compiler_one_sentence_names_both(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(building, "has_zig", lambda: False)
    monkeypatch.setattr(building.shutil, "which", lambda name: None)
    assert missing("mps2-m7") == "arm-none-eabi-gcc is not installed, and neither is zig"
    assert absent(RECIPES["mps2-m7"]) == "arm-none-eabi-gcc is not installed"
    with pytest.raises(MissingPart, match=r'apt-get install .* \(or pip install "hil-testbench\[firmware\]"\)'):
        build(chosen("mps2-m7"), tmp_path)
