"""Whatever happens to the bytes of a recording: it opens, or one sentence says why not."""

from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.errors import FileError
from hil.recording.info import info
from hil.recording.reader import Recording
from hil.recording.recover import recover
from hil.recording.rederive import rederive

GOLDEN = Path(__file__).resolve().parents[2] / "data" / "golden" / "recording-v1.mcap"


def altered(seed: int) -> bytes:
    """Return the golden recording with a few flipped bytes, a replaced stretch, or a cut and a flip."""
    rng = np.random.default_rng(seed)
    data = bytearray(GOLDEN.read_bytes())
    if seed % 3 == 2:
        del data[int(rng.integers(1, len(data))) :]
    if seed % 3 == 1:
        place = int(rng.integers(len(data)))
        data[place : place + int(rng.integers(1, 400))] = rng.bytes(int(rng.integers(0, 400)))
    else:
        for _ in range(int(rng.integers(1, 4))):
            data[int(rng.integers(len(data)))] ^= int(rng.integers(1, 256))
    return bytes(data)


@pytest.mark.fuzz
@pytest.mark.parametrize("block", range(4))
def test_altered_bytes_end_in_readings_or_a_sentence(tmp_path: Path, block: int) -> None:
    path = tmp_path / "a.mcap"
    with Recording(GOLDEN) as golden:
        wanted = {known.stream.name: golden.read("watch", known.stream.name) for known in golden.streams()}
    opened = 0
    for seed in range(block * 60, block * 60 + 60):
        path.write_bytes(altered(seed))
        try:
            with Recording(path, skip_damaged=True) as recording:
                for known in recording.streams():
                    read = recording.read(known.board, known.stream.name)
                    whole = wanted.get(known.stream.name)
                    # What is read is what was written, or it is missing; no altered reading passes a checksum.
                    if whole is not None and known.stream == whole.stream:
                        assert np.isin(read.numbers, whole.numbers).all()
                        assert read.raw.tobytes() in whole.raw.tobytes() or len(read) == 0
                list(recording.arrivals())
                list(recording.events())
        except FileError:
            continue
        opened += 1
        told = info(path, check=True)
        assert told.lost or told.damaged or rederive(path).verdict in ("damaged", "not_verifiable", "diverged"), seed
        made = tmp_path / "made.mcap"
        made.unlink(missing_ok=True)
        recover(path, made)
        with Recording(made) as whole_again:
            assert whole_again.lost is None
    assert opened > 50
