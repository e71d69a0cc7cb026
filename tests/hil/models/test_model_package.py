"""A model file is data: the same content gives the same bytes, and whatever is wrong with one ends in a sentence."""

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_boards import contract, readings, small_model
from pydantic import ValidationError
from safetensors.numpy import save

from firmware_bridge.errors import FileError
from hil.models import load_model
from hil.models.contract import Card, Contract, Metric, parse_contract
from hil.models.package import pack, read_package, unpack, write_package

MODEL = small_model()
WEIGHTS = dict(MODEL.package.weights)
GOOD = pack(MODEL.contract, WEIGHTS)


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return out.getvalue()


def members() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as held:
        return {name: held.read(name) for name in held.namelist()}


def altered(**changes: object) -> bytes:
    """The contract with some keys changed or, where None, taken away."""
    plain = json.loads(members()["contract.json"])
    for key, value in changes.items():
        if value is None:
            plain.pop(key)
        else:
            plain[key] = value
    return json.dumps(plain).encode()


def test_a_file_reads_back_as_written_and_decides_the_same(tmp_path: Path) -> None:
    path = tmp_path / "small.hilmodel"
    written = write_package(path, MODEL.contract, WEIGHTS)
    opened = load_model(path)
    assert opened.contract == MODEL.contract
    assert opened.package.sha256 == written.sha256 == MODEL.package.sha256
    values = readings(60).astype(np.float32) / 4096
    assert opened.predict(values) == MODEL.predict(values)
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_content_gives_the_same_bytes() -> None:
    backwards = dict(reversed(list(WEIGHTS.items())))
    assert pack(MODEL.contract, backwards) == GOOD


def test_a_file_of_version_1_is_read_and_written_for_ever() -> None:
    """`golden_v1.hilmodel` was written by the first version of the format; scores are what it decided then."""
    golden = Path(__file__).with_name("golden_v1.hilmodel")
    opened = load_model(golden)
    assert pack(opened.contract, dict(opened.package.weights)) == golden.read_bytes()
    (made,) = opened.predict(np.linspace(-1, 1, 3 * 25, dtype=np.float32).reshape(25, 3))
    assert (made.sample, made.label) == (24, "C")
    assert made.scores == pytest.approx((0.018027, 0.0411733, 0.5564662, 0.3843335), abs=1e-5)


def test_a_contract_survives_its_json() -> None:
    card = Card(summary="x", metrics=(Metric(name="macro_f1", value=0.9, how="unseen people"),), data_licence="BSD")
    full = contract(card=card, lineage={"people": ["1"], "seed": 3}, training_data_sha256="0" * 64)
    assert parse_contract(full.to_json(), "here") == full
    assert json.loads(full.to_json())["schema"] == 1
    assert "**macro_f1** 0.9: unseen people" in card.markdown("x")


BOMB = archive({"contract.json": b" " * (2 << 20), "weights.safetensors": b""}, zipfile.ZIP_DEFLATED)


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("run",))


def with_contract(**changes: object) -> bytes:
    return archive({**members(), "contract.json": altered(**changes)})


def with_weights(data: bytes | dict[str, np.ndarray]) -> bytes:
    return archive({**members(), "weights.safetensors": data if isinstance(data, bytes) else save(data)})


def architecture(name: str, **config: int) -> dict[str, object]:
    return {"name": name, "config": config}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "damaged or no .hilmodel"),
        (b"PK\x03\x04 and then nothing", "damaged or no .hilmodel"),
        (pickle.dumps(_Evil()), "damaged or no .hilmodel"),
        (archive({"weights.safetensors": b"x"}), "no contract.json"),
        (archive({**members(), "generator.json": b"{}"}), "it is a generator, which makes readings"),
        (archive({**members(), "../../evil.py": b"x"}), "it holds '../../evil.py'; a model holds only"),
        (archive({**members(), "data.pkl": pickle.dumps(_Evil())}), "data.pkl"),
        (archive({**members(), "program.onnx": b"x"}), "its contract asks for contract.json and weights.safetensors"),
        (archive({"contract.json": members()["contract.json"]}), "its contract asks for"),
        (BOMB, "larger than the 1048576 bytes allowed"),
        (archive({**members(), "contract.json": b"{"}), "contract.json is not JSON"),
        (archive({**members(), "contract.json": b"[" * 100_000}), "contract.json is not JSON"),
        (archive({**members(), "contract.json": b"[]"}), "names no schema"),
        (with_contract(schema=4), "has schema 4 and this version reads up to 3"),
        (with_contract(hop=0), "wrong at hop"),
        (with_contract(labels=["A", "A", "C", "D"]), "labels repeat"),
        (with_contract(memory_samples=7), "memory_samples is 7"),
        (with_contract(rate_hz=None), "wrong at rate_hz"),
        (with_contract(extra=1), "wrong at extra"),
        (with_contract(architecture=architecture("os.system")), "wrong at architecture.name"),
        (with_contract(architecture=architecture("tcn", inputs=3, classes=4, channels=512)), "100000 are allowed"),
        (with_weights(b"\x08" + b"\0" * 7 + b"not json"), "weights.safetensors is damaged"),
        (with_weights(struct.pack("<Q", 1 << 60)), "weights.safetensors is damaged"),
        (with_weights({"a": np.zeros(1, np.float32)}), "unknown weight 'a'"),
        (with_weights({k: v for k, v in WEIGHTS.items() if k != "head.bias"}), "lacks 'head.bias'"),
        (
            with_weights({**WEIGHTS, "head.bias": np.zeros(9, np.float32)}),
            r"head.bias is float32\[9\] and must be float32\[4\]",
        ),
        (with_weights({**WEIGHTS, "head.bias": np.zeros(4)}), "head.bias is float64"),
        (with_weights({**WEIGHTS, "head.bias": np.full(4, np.nan, np.float32)}), "not finite"),
    ],
)
def test_a_hostile_damaged_or_newer_file_ends_in_one_sentence(data: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "strange.hilmodel"
    path.write_bytes(data)
    with pytest.raises(FileError, match=said) as caught:
        read_package(path)
    assert caught.value.where == str(path)
    assert caught.value.next_step
    assert "\n" not in str(caught.value)


@settings(max_examples=150)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_noticed_or_harmless(at: int, mask: int) -> None:
    broken = bytearray(GOOD)
    broken[at] ^= mask
    try:
        opened = unpack(bytes(broken), "here")
    except FileError:
        return
    assert opened.contract == MODEL.contract
    assert all(np.array_equal(opened.weights[name], WEIGHTS[name]) for name in WEIGHTS)


@settings(max_examples=60)
@given(st.integers(0, len(GOOD) - 1))
def test_a_truncated_file_is_refused(size: int) -> None:
    with pytest.raises(FileError):
        unpack(GOOD[:size], "here")


def test_a_missing_file_and_a_folder_are_said_to_be_so(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.hilmodel", tmp_path):
        with pytest.raises(FileError, match="cannot be read"):
            load_model(path)


def test_a_contract_that_contradicts_itself_is_not_made() -> None:
    with pytest.raises(ValidationError, match="memory_samples"):
        contract(memory_samples=99)
    with pytest.raises(ValidationError, match="channel twice"):
        Contract.model_validate({**contract().model_dump(by_alias=True), "inputs": [contract().inputs[0]] * 3})
