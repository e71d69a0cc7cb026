"""Seeded random bytes, and random damage to good ones, through every dialect of this kind."""

import random
from pathlib import Path

import pytest
from speech import BOOT, SPEECH, cut, hear, tables

from firmware_bridge.wire.dialect import DialectSpec
from firmware_bridge.wire.dialects import make_dialect

EXAMPLES = sorted((Path(__file__).resolve().parents[3] / "scenarios" / "boards").glob("*.toml"))
SPECS = [
    DialectSpec("auto"), DialectSpec("auto", {"board_files": [file.read_text() for file in EXAMPLES]}),
    *(DialectSpec("lines", {"format": name}) for name in ("auto", "csv", "pairs", "json")),
    *(DialectSpec("boardfile", {"text": file.read_text()}) for file in EXAMPLES),
]  # fmt: skip
ROUNDS = 40


def spoken(rng: random.Random) -> bytes:
    """Good and random bytes in turns, some of them changed."""
    parts = []
    for _ in range(rng.randrange(1, 6)):
        kind = rng.randrange(4)
        if kind == 0:
            parts.append(rng.randbytes(rng.randrange(400)))
        elif kind == 1:
            parts.append(bytes(rng.choices(b'0123456789.,;:-{}[]"ex \t\r\n\xb5\x62', k=rng.randrange(400))))
        else:
            speech = BOOT + rng.choice(list(SPEECH.values()))
            start = rng.randrange(len(speech))
            parts.append(speech[start : start + rng.randrange(1500)])
    data = bytearray(b"".join(parts))
    for _ in range(rng.randrange(20) if data else 0):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


@pytest.mark.fuzz
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.name}-{len(spec.arguments)}")
def test_no_bytes_raise_and_every_byte_has_one_place(spec: DialectSpec) -> None:
    rng = random.Random(20240)
    for _ in range(ROUNDS):
        data = spoken(rng)
        places = [rng.randrange(len(data) + 1) for _ in range(rng.randrange(30))]
        tables(hear(make_dialect(spec), cut(data, places), rng.choice([0, 1_000_000, 300_000_000, 4_000_000_000])))
