"""Real firmware with a bug in it: the sources as they are, copied, one place altered, compiled.

Rule of this room: what ships knows nothing of these. An alteration that no longer finds its place fails here, so that
no test goes on with firmware that is right.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.firmware.recipes import FOLDER, RECIPES


@dataclass(frozen=True)
class Bug:
    """One place of the firmware and what stands there instead."""

    file: str
    right: str
    wrong: str


BUGS = {
    "axis order": Bug(
        "core/hil_nn.c",
        "hil_nn_u16_at(column + 2u * c) * size",
        "hil_nn_u16_at(column + 2u * (c < 2u ? 1u - c : c)) * size"
    ),
    "scale": Bug(
        "core/hil_nn.c",
        "* hil_nn_i32_at(mult + 4u * c);",
        "* (c < 3u ? hil_nn_i32_at(mult + 4u * c) / 2 : hil_nn_i32_at(mult + 4u * c));"
    ),
    "window off by one": Bug("core/hil_nn.c", "uint32_t row = oldest;", "uint32_t row = (oldest + 1u) % nn->window;"),
    # Sixteen more bits behind the point than an int32 has room for, in the one layer with this dilation.
    "int32 overflow": Bug(
        "core/hil_nn.c",
        "const int32_t sum = acc[i] + hil_nn_i32_at(l.bias + 4u * o);",
        "int32_t sum = acc[i] + hil_nn_i32_at(l.bias + 4u * o);\n"
        "if (op->dilation == 4u) { sum = (int32_t)((uint32_t)sum * 65536u) / 65536; }",
    ),
    # The weights of the first two outputs of the last layer, exchanged once the network is there.
    "swapped weights": Bug(
        "core/hil_nn_load.c",
        "    nn->blob = blob;",
        "    const hil_nn_record last = hil_nn_record_at(blob, (uint16_t)(ops - 1u));\n"
        "    int8_t *weight = (int8_t *)(uintptr_t)hil_nn_layer_of(blob, &last).weight;\n"
        "    const uint32_t each = (uint32_t)last.kernel * last.in_channels;\n"
        "    for (uint32_t i = 0; i < each; i++) {\n"
        "        const int8_t kept = weight[i];\n"
        "        weight[i] = weight[each + i];\n"
        "        weight[each + i] = kept;\n"
        "    }\n"
        "    nn->blob = blob;",
    ),
    "lost frame": Bug(
        "core/hil_infer.c",
        "    const uint32_t tick = hal_tick();\n    const uint32_t total",
        "    if (run->model->key % 8u == 5u) { return true; }\n"
        "    const uint32_t tick = hal_tick();\n    const uint32_t total",
    ),
}  # fmt: skip


def built_with(bug: str, port: str, folder: Path) -> Path:
    """Return a port's firmware with a bug.

    Args:
        bug: Name in `BUGS`.
        port: Name in `firmware_bridge.firmware.recipes.RECIPES`.
        folder: Where to build it.
    """
    sources = folder / "firmware"
    shutil.copytree(FOLDER, sources, ignore=shutil.ignore_patterns("*.elf", "*.py", "__pycache__"))
    planted = BUGS[bug]
    place = sources / planted.file
    text = place.read_text()
    assert text.count(planted.right) == 1, f"{bug}: its place in {planted.file} is gone or there are several"
    place.write_text(text.replace(planted.right, planted.wrong))
    made = folder / RECIPES[port].output
    command = RECIPES[port].command(made)
    done = subprocess.run(command, cwd=sources, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return made
