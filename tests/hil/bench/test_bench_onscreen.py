"""What the benchmark of the whole screen says of a run: figures are held against bars, no loss is forgiven."""

import os
import time

import pytest

from hil.bench.onscreen import Kind, Measured, _Reader, rows


def run(lost: int | None = 0, recorded: int = 900, late: int = 40, slower: float = 1.1, cpu: float = 20.0) -> Measured:
    def account(drawn: int, left_out: int) -> dict[str, object]:
        return {"drawn": drawn, "late": left_out, "wall_ms": {"p99": 31.0}, "cpu_ms": {"p99": 12.0}}

    alone = Kind(arrival_s=[1e-4] * 9)
    fast = Kind([cpu] * 9, [2.0] * 3, arrival_s=[slower * 1e-4] * 9, accounts=[account(300, 0)] * 3)
    slow = Kind([5.0] * 9, [2.0] * 3, arrival_s=[1e-4] * 9, accounts=[account(40, late)] * 3)
    return Measured({"alone": alone, "fast": fast, "slow": slow}, samples=900, recorded=recorded, lost=lost)


def missed(found: Measured) -> list[str]:
    return [row.name for row in rows(found) if not row.ok]


def test_a_good_run_clears_every_bar_and_tells_its_figures() -> None:
    table = rows(run())
    assert missed(run()) == []
    assert [row.value for row in table][:4] == [20.0, 2.0, 31.0, 12.0]
    assert [row.ratio for row in table][4:6] == [pytest.approx(1.1), 1.0]


@pytest.mark.parametrize(("facts", "word"), [
    ({"lost": 1}, "lost"), ({"lost": None}, "lost"), ({"recorded": 899}, "lost"), ({"late": 0}, "left out"),
    ({"slower": 1.3}, "arrival"), ({"cpu": 36.0}, "its CPU"),
])  # fmt: skip
def test_each_thing_that_goes_wrong_is_seen(facts, word) -> None:
    (name,) = missed(run(**facts))
    assert word in name


@pytest.mark.pty
def test_a_slow_line_takes_no_more_than_it_can() -> None:
    master, slave = os.openpty()
    reader = _Reader(master, 20_000)
    began = time.perf_counter()
    os.write(slave, b"x" * 6_000)
    while reader.count < 6_000 and time.perf_counter() < began + 30:
        time.sleep(0.01)
    assert reader.count == 6_000
    assert time.perf_counter() - began > 0.15  # at most a tenth of a second is made up for
    os.close(slave)
    reader.thread.join(150)
    os.close(master)
