"""A contract and a model file can be read where torch and onnxruntime are not; asking for them says what to install."""

import subprocess
import sys
from pathlib import Path

import hil.models

SHIPPED = Path(hil.models.__file__).parent / "exercise.hilmodel"


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=150)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_contract_and_file_load_neither_torch_nor_onnxruntime() -> None:
    out = python(
        "import sys, hil.models, hil.models.contract, hil.models.streaming, hil.models.training_config\n"
        f"model = hil.models.load_model({str(SHIPPED)!r})\n"
        "print(model.contract.name, [name for name in ('torch', 'onnxruntime', 'scipy') if name in sys.modules])"
    )
    assert out.split() == ["exercise", "[]"]


def test_without_the_library_one_sentence_says_what_to_install() -> None:
    out = python(
        "import sys\n"
        "sys.modules['torch'] = sys.modules['onnxruntime'] = None\n"
        "from hil.models import load_model\n"
        "from firmware_bridge.errors import MissingPart\n"
        f"model = load_model({str(SHIPPED)!r})\n"
        "for backend in ('eager', 'onnxruntime'):\n"
        "    try:\n"
        "        model.runner(backend=backend)\n"
        "    except MissingPart as error:\n"
        "        print(error)\n"
    )
    first, second = out.strip().splitlines()
    assert "torch is not installed" in first
    assert "pip install" in first
    assert "onnxruntime is not installed" in second
    assert "pip install" in second
