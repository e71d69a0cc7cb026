"""A generator's file is data: whatever is wrong with one ends in a sentence, and nothing of it is executed."""

import json
import pickle
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from generate_toy import toy, toy_config
from hypothesis import given, settings
from hypothesis import strategies as st

import hil.models
from firmware_bridge.errors import BridgeError, FileError
from hil.models.generate.file import pack_generator, read_generator, unpack_generator
from hil.models.generate.fit import train_generator
from hil.models.package import read_package, zipped


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('executed')",))


@pytest.fixture(scope="module")
def packed() -> bytes:
    package = train_generator(toy_config(steps=1), toy(), ["2"])
    return pack_generator(package.contract, package.weights)


def members(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_is_written_is_read_back_to_the_last_bit(packed: bytes) -> None:
    one = unpack_generator(packed, "here")
    assert pack_generator(one.contract, one.weights) == packed
    assert one.contract.lineage["held_out"] == ["2"]
    assert (one.contract.card.data_source, one.contract.card.data_licence) == ("a sine", "none")


def _json(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    def changed(held: dict[str, bytes]) -> dict[str, bytes]:
        plain = json.loads(held["generator.json"])
        change(plain)
        return {**held, "generator.json": json.dumps(plain).encode()}

    return changed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda held: {**held, "evil.pkl": pickle.dumps(_Evil())}, "'evil.pkl'"),
        (lambda held: {**held, "program.onnx": b"x"}, "no generator"),
        (lambda held: {**held, "weights.safetensors": pickle.dumps(_Evil())}, "damaged"),
        (lambda held: {"generator.json": held["generator.json"]}, "weights.safetensors"),
        (lambda held: {**held, "generator.json": b"{"}, "not JSON"),
        (lambda held: {**held, "generator.json": b"[" * 100_000}, "not JSON"),
        (lambda held: {**held, "generator.json": b" " * (5 << 20)}, "larger than"),
        (_json(lambda plain: plain.update(schema=2)), "update this program"),
        (_json(lambda plain: plain.pop("schema")), "names no schema"),
        (_json(lambda plain: plain.update(command="rm")), "command"),
        (_json(lambda plain: plain["shape"].update(widths=[256, 256, 256])), "weights and 400000 are allowed"),
        (_json(lambda plain: plain["shape"].update(widths=[16, 16, 20])), "must be float32"),
        (_json(lambda plain: plain["shape"].update(inputs=3)), "shape.inputs is 3"),
        (_json(lambda plain: plain.update(styles=plain["styles"][1:])), "shape.styles"),
        (_json(lambda plain: plain.update(steps=10**9)), "steps"),
    ],
)
def test_a_hostile_damaged_or_newer_file_is_one_sentence(
    packed: bytes, change: Callable[[dict[str, bytes]], dict[str, bytes]], words: str
) -> None:
    with pytest.raises(FileError) as caught:
        unpack_generator(zipped(change(members(packed))), "here.hilmodel")
    said = str(caught.value)
    assert words in said
    assert "\n" not in said


def test_weights_that_are_no_numbers_are_refused(packed: bytes) -> None:
    one = unpack_generator(packed, "here")
    with pytest.raises(FileError, match="not finite"):
        pack_generator(one.contract, {**one.weights, "colour": np.full_like(one.weights["colour"], np.nan)})


def test_a_model_that_decides_is_no_generator_and_a_generator_decides_nothing(tmp_path: Path, packed: bytes) -> None:
    with pytest.raises(FileError, match="a model that decides"):
        read_generator(Path(hil.models.__file__).parent / "exercise.hilmodel")
    (tmp_path / "one.hilmodel").write_bytes(packed)
    with pytest.raises(FileError, match="it is a generator"):
        read_package(tmp_path / "one.hilmodel")
    with pytest.raises(FileError, match="cannot be read"):
        read_generator(tmp_path / "none.hilmodel")


@given(st.data())
@settings(max_examples=60)
def test_a_flipped_bit_is_refused_or_changes_the_digest(packed: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(packed) - 1))
    hurt = bytearray(packed)
    hurt[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = unpack_generator(bytes(hurt), "here")
    except BridgeError:
        return
    whole = unpack_generator(packed, "here")
    same = members(bytes(hurt)) == members(packed)
    assert (found.sha256 == whole.sha256) == same
