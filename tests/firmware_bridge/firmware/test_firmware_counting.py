"""An emulated board that counts its instructions: how it is asked for, and that only it is told to count."""

import pytest

from firmware_bridge.errors import UsageError
from firmware_bridge.firmware.images import MARK, PREBUILT, image_of, provisioned
from firmware_bridge.firmware.wanted import wanted


def test_counting_is_asked_for_by_what_an_instruction_takes() -> None:
    assert wanted("firmware://qemu").icount == 0
    assert wanted("firmware://qemu?icount=5&cpu=m7").icount == 5
    with pytest.raises(UsageError, match="out of range"):
        wanted("firmware://qemu?icount=11")


@pytest.mark.parametrize("kind", ["native", "unicorn", "simavr"])
def test_what_runs_in_real_time_is_not_asked_to_count(kind: str) -> None:
    with pytest.raises(UsageError, match="icount"):
        wanted(f"firmware://{kind}?icount=5")


@pytest.mark.parametrize("port", PREBUILT)
def test_an_image_is_told_what_an_instruction_takes_and_nothing_else_of_it_changes(port: str) -> None:
    image = image_of(port)
    real, counted = provisioned(image, 7, 0, "A"), provisioned(image, 7, 0, "A", 32)
    at = image.index(MARK)
    assert [index - at for index, (one, two) in enumerate(zip(real, counted, strict=True)) if one != two] == [40]
    assert counted[at + 40] == 32
