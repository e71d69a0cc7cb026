"""A generator makes what it is asked for: its class, its style, its noise, without a seam, the same for each seed."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from generate_toy import HERTZ, RATE, learnt, toy, toy_config

from firmware_bridge.errors import UsageError
from hil.models.fit import Progress
from hil.models.generate.file import pack_generator
from hil.models.generate.fit import train_and_write, train_generator
from hil.models.generate.generator import Generator, Wish

pytestmark = pytest.mark.training

SCRIPT = """
import signal
import sys
from pathlib import Path
from generate_toy import toy, toy_config
from hil.models.generate.fit import train_and_write
told_so_far = []
def told(at):
    print(at.step, flush=True)
    told_so_far.append(at)
    if len(told_so_far) == 5:
        signal.pause()  # whoever kills it may be late: it is never ready before
train_and_write(toy_config(steps=60), toy(), ["2"], Path(sys.argv[1]), told)
"""


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(learnt())


def strongest_hz(values: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(values - values.mean())) ** 2
    return float(np.fft.rfftfreq(len(values), 1 / RATE)[power.argmax()])


def test_what_is_asked_for_is_what_comes(generator: Generator) -> None:
    for label, hertz in HERTZ.items():
        for made in generator.draw([Wish(label)] * 3, 512, seed=5):
            assert strongest_hz(made[:, 0]) == pytest.approx(hertz, rel=0.3)
            assert made[:, 1].mean() == pytest.approx(1.0, abs=0.1)  # gravity is where it was


def test_a_person_s_strength_is_that_person_s(generator: Generator) -> None:
    weak, strong = generator.draw([Wish("fast", "1"), Wish("fast", "3")], 512, seed=1)[..., 0].std(axis=1)
    assert strong > 1.5 * weak  # the truth is 4 times


def test_the_style_of_somebody_it_never_met_is_followed(generator: Generator) -> None:
    someone = next(item for item in toy().series if item.person == "2" and item.labels[0] == 1)
    style = generator.style_of(someone.values)
    (made,) = generator.draw([Wish("fast", style=style)], 512, seed=2)
    assert made[:, 0].std() == pytest.approx(someone.values[:, 0].std(), rel=0.4)


def test_noise_that_is_asked_for_is_there(generator: Generator) -> None:
    calm, loud = (generator.draw([Wish("slow", noise=level)], 1024, seed=3)[0] for level in (0.0, 0.5))
    std = generator.contract.inputs[0].std

    def above_15_hz(values: np.ndarray) -> float:
        spectrum = np.abs(np.fft.rfft(values[:, 0])) ** 2
        return float(spectrum[np.fft.rfftfreq(len(values), 1 / RATE) > 15].mean() / len(values))

    assert above_15_hz(loud) == pytest.approx(
        (0.5 * std) ** 2, rel=0.5
    )  # white noise has its variance at any frequency
    assert above_15_hz(calm) < 0.2 * above_15_hz(loud)


def test_nothing_shows_where_windows_meet_nor_where_a_loop_closes(generator: Generator) -> None:
    hop = generator.contract.window // 2
    (made,) = generator.draw([Wish("slow")], 16 * hop, seed=4, loop=True)
    steps = np.abs(np.diff(made, axis=0, append=made[:1]))  # the last is from the end to the beginning
    assert steps[-1].max() < 4 * np.quantile(steps, 0.95)
    at_edges = steps.reshape(-1, hop, 2)[:, -1].mean()
    assert at_edges < 1.5 * steps.mean()


def test_a_loop_is_whole_half_windows_and_anything_else_is_as_long_as_asked(generator: Generator) -> None:
    assert generator.draw([Wish("slow")], 301, seed=0).shape == (1, 301, 2)
    assert generator.draw([Wish("slow")], 301, seed=0, loop=True).shape == (1, 320, 2)
    assert generator.draw([Wish("slow")], 1, seed=0).shape == (1, 1, 2)


def test_a_seed_fixes_every_value_and_another_gives_others(generator: Generator) -> None:
    one, same, other = (generator.draw([Wish("slow")], 100, seed=seed) for seed in (7, 7, 8))
    assert one.tobytes() == same.tobytes()
    assert not np.allclose(one, other)


def test_the_same_training_gives_the_same_file_and_a_held_out_person_leaves_no_trace() -> None:
    first = train_generator(toy_config(steps=4), toy(), ["2"])
    changed = replace(toy(), series=tuple(
        replace(item, values=item.values * 9) if item.person == "2" else item for item in toy().series
    ))  # fmt: skip
    second = train_generator(toy_config(steps=4), changed, ["2"])
    assert pack_generator(first.contract, first.weights) == pack_generator(second.contract, second.weights)
    assert first.contract.people == ("1", "3")
    assert train_generator(toy_config(steps=4, seed=1), toy(), ["2"]).sha256 != first.sha256


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish("jump"), "knows no 'jump'; ask for slow, fast"),
        (Wish("slow", "2"), "nobody called '2'"),
        (Wish("slow", noise=3.0), "noise 3 is not what it learnt; use 0 to 0.5"),
    ],
)
def test_what_it_cannot_make_is_refused_in_a_sentence(generator: Generator, wish: Wish, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        generator.draw([wish], 10, seed=0)
    assert words in str(caught.value)


def test_a_class_that_nobody_does_long_enough_is_named() -> None:
    short = replace(toy(), series=tuple(
        replace(item, values=item.values[:50], labels=item.labels[:50]) if item.labels[0] == 1 else item
        for item in toy().series
    ))  # fmt: skip
    with pytest.raises(UsageError, match="no stretch of fast has 64 samples"):
        train_generator(toy_config(), short, [])
    with pytest.raises(UsageError, match="nobody in the data is called 8"):
        train_generator(toy_config(), toy(), ["8"])


def test_a_generator_s_training_that_is_killed_goes_on_to_the_same_file_bit_for_bit(tmp_path: Path) -> None:
    """A real process is killed by SIGKILL somewhere between two checkpoints; the rest is cut off once more."""
    whole, cut = tmp_path / "whole.hilmodel", tmp_path / "cut.hilmodel"
    config, steps = toy_config(steps=60), list[int]()
    train_and_write(config, toy(), ["2"], whole, lambda at: steps.append(at.step))
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(cut)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent
    )  # fmt: skip
    assert process.stdout is not None
    for _ in range(3):
        process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.stdout.close()
    assert process.wait(150) == -signal.SIGKILL
    assert not cut.exists()
    rest: list[int] = []

    def cut_off(at: Progress) -> None:
        rest.append(at.step)
        if at.step >= 40:
            raise KeyboardInterrupt

    with pytest.raises(UsageError, match="checkpoint of another training"):
        train_and_write(config.model_copy(update={"seed": 1}), toy(), ["2"], cut)
    with pytest.raises(KeyboardInterrupt):
        train_and_write(config, toy(), ["2"], cut, cut_off)
    train_and_write(config, toy(), ["2"], cut, lambda at: rest.append(at.step))
    assert rest == steps[-len(rest) :]  # it went on and did not begin anew
    assert len(rest) <= len(steps) - 3
    assert cut.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob("*.ckpt*"))
