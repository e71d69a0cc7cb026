"""Verbs of a generator: `hil generate train|record|evaluate|info`."""

from __future__ import annotations

import json as writer
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firmware_bridge.errors import MissingPart, UsageError
from hil.cli.common import Json, Quiet, Seed, fresh, print_json, print_table, talk, worked
from hil.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hil.models.generate.generator import Generator
    from hil.models.train import Progress

__all__ = ["GROUPS"]

Config = Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="What to learn to generate, from whom, and how.")]
Data = Annotated[Path | None, typer.Option("--data", help="Folder of the data files; default: beside CONFIG.")]
Made = Annotated[Path, typer.Argument(metavar="MODEL", help="A generator (.hilmodel), or `exercise`: the shipped one.")]
Steps = Annotated[int | None, typer.Option("--steps", min=1, help="In place of CONFIG's: a quick look.")]

generate = typer.Typer(
    help="Sensor readings that nobody recorded, of a class, in a person's style, and how good they are.",
    no_args_is_help=True, rich_markup_mode=None,
)  # fmt: skip


@generate.command("train")
def train(
    config: Config,
    output: Annotated[Path, typer.Option("-o", "--output", help="Generator to write; never overwritten.")],
    data: Data = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of all chance; default: CONFIG's.")] = None,
    steps: Steps = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn to generate the classes of a dataset; whoever CONFIG holds out is not learnt from.

    Killed, the same command goes on to the same bits.
    Example: hil generate train scenarios/models/exercise-generator.toml --data DATA -o mine.hilmodel
    """
    from hil.models.datasets import load_dataset
    from hil.models.generate.config import load_generate_config

    with _torch():
        from hil.models.generate.fit import train_and_write

    fresh(output, suffix=".hilmodel")
    chosen = _changed(load_generate_config(config), seed, steps)
    dataset = load_dataset(chosen.data, data or config.parent)
    people, labels = counted(len(dataset.people), "person", "people"), counted(len(dataset.labels), "label")
    talk(f"{len(dataset.series)} series of {people}, {labels}", quiet)
    with worked("steps", chosen.training.steps) as share:

        def tell(at: Progress) -> None:
            share(at.step / at.steps)
            if not quiet and at.step % max(1, at.steps // 10) < max(1, at.steps // 100):
                talk(f"step {at.step} of {at.steps}, loss {at.loss:.3f}")

        package = train_and_write(chosen, dataset, chosen.data.held_out, output, tell)
    one = package.contract
    told = {"schema": 1, "file": str(output), "name": one.name, "sha256": package.sha256, "loss": one.lineage["loss"],
            "parameters": one.shape.parameters, "people": list(one.people), "labels": list(one.labels)}  # fmt: skip
    if json:
        print_json(told)
    else:
        print_table(("figure", "value"), [("loss", f"{told['loss']:.3f}"), ("parameters", str(told["parameters"]))])
        print(output)


@generate.command("record")
def record(
    model: Made,
    output: Annotated[Path, typer.Option("-o", "--output", help="Recording to write; never overwritten.")],
    labels: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="NAME", help="What to generate; several in order. Default: all."),
    ] = None,
    seconds: Annotated[
        float, typer.Option("--for", "--seconds", metavar="SECONDS", min=0.1, max=86_400, help="Length of each class.")
    ] = 60.0,
    person: Annotated[
        str, typer.Option("--person", help="In whose style, of those it learnt from; default: near anyone's.")
    ] = "",
    like: Annotated[
        Path | None, typer.Option("--like", metavar="FILE", help="In the style of whoever wears the board there.")
    ] = None,
    noise: Annotated[
        float, typer.Option("--noise", min=0, help="White noise, in standard deviations of each channel.")
    ] = 0.0,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Generate a recording: labelled, and marked as generated, with the seed and the generator's digest in it.

    The same seed gives the same readings. Example: hil generate record exercise --class PEN --seed 3 -o pen.mcap
    """
    import hil

    with _torch():
        from hil.models.generate.generator import Wish
        from hil.models.generate.record import generated_recording
        from hil.models.generate.style import style_in

    if person and like is not None:
        raise UsageError("a style is that of a person or that of a recording", "--like", "give --person or --like")
    generator = _opened(model)
    style = None
    if like is not None:
        with hil.open(like) as recording:
            style = style_in(generator, recording)
    wishes = [Wish(label, person, noise, style) for label in labels or generator.contract.labels]
    made = generated_recording(generator, wishes, seconds, seed, output)
    if json:
        print_json({"schema": 1, **made.as_dict(), "seed": seed, "sha256": generator.package.sha256})
    else:
        talk(f"{made.samples} samples of {', '.join(made.labels)}, generated, not recorded", quiet)
        print(output)


@generate.command("info")
def info(model: Made, json: Json = False) -> None:
    """Say what a generator knows: classes, people, channels, where it comes from.

    Example: hil generate info exercise
    """
    with _torch():
        package = _opened(model).package
    from hil.models.datasets import ordered

    one = package.contract
    known: dict[str, Any] = {
        "name": one.name, "version": one.version, "sha256": package.sha256, "labels": list(one.labels),
        "people": ordered(one.people), "channels": [f"{item.channel} ({item.unit})" for item in one.inputs],
        "rate_hz": one.rate_hz, "window": one.window, "largest_noise": one.noise, "steps": one.steps,
        "parameters": one.shape.parameters, "held_out": one.lineage.get("held_out", []),
        "source": one.card.data_source, "licence": one.card.data_licence, "summary": one.card.summary,
        "limits": one.card.limits,
    }  # fmt: skip
    if json:
        print_json({"schema": 1, **known})
        return
    for name, value in known.items():
        print(f"{name.replace('_', ' ')}: {', '.join(map(str, value)) if isinstance(value, list) else value}")


@generate.command("evaluate")
def evaluate(
    config: Config,
    model: Annotated[
        Path,
        typer.Option("--model", metavar="CONFIG.toml", help="Training of the network that learns from what is made."),
    ],
    data: Data = None,
    folds: Annotated[int, typer.Option("--folds", min=2, help="Of people, in order of their names.")] = 5,
    seed: Seed = 0,
    share: Annotated[
        float, typer.Option("--share", min=0.01, max=0.95, help="Of generated among real readings.")
    ] = 0.3,
    steps: Steps = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="In place of those of --model.")] = None,
    judge_epochs: Annotated[
        int, typer.Option("--judge-epochs", min=1, help="Of the network that tells generated from real.")
    ] = 20,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="FOLDER", help="Of what is trained: killed, it goes on there.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="JSON to write; never overwritten.")] = None,
    page: Annotated[Path | None, typer.Option("--html", help="Write one self-contained page with plots.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge a generator on people that neither it nor anything that learnt from it has met, with intervals.

    Trained on generated and tested on real, told from real, spectra, Allan deviation, whether it copies, and what it
    adds to plain augmentation. In seconds: --folds 2 --steps 20 --epochs 1 --judge-epochs 1.
    Example: hil generate evaluate GENERATOR.toml --model scenarios/models/exercise.toml --html found.html
    """
    import tempfile

    from hil.models.datasets import load_dataset
    from hil.models.generate.config import load_generate_config
    from hil.models.training_config import load_config

    with _torch():
        from hil.validation.generated import GeneratorPlan, evaluate_generator

    fresh(output, page)
    if page is not None:
        from hil.report.svg import needs_matplotlib

        needs_matplotlib()  # before the work, not after it
    chosen, network = _changed(load_generate_config(config), seed, steps), load_config(model)
    if epochs is not None:
        network = network.model_copy(update={"training": network.training.model_copy(update={"epochs": epochs})})
    dataset = load_dataset(chosen.data, data or config.parent)
    plan = GeneratorPlan(folds, seed, share, judge_epochs)
    with tempfile.TemporaryDirectory() as passing, worked("evaluation") as told:
        folder = keep or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)

        def tell(part: float, line: str) -> None:
            told(part)
            if line:
                talk(line, quiet)

        found = evaluate_generator(chosen, network, dataset, plan, folder, tell)
    if output is not None:
        output.write_text(writer.dumps(found, indent=1) + "\n", encoding="utf-8")
    if page is not None:
        from hil.report.generatorpage import generator_page

        page.write_text(generator_page(found), encoding="utf-8")
        talk(f"page: {page}", quiet)
    if json:
        print_json(found)
        return
    keys = ("value", "low", "high")
    rows = [(row["name"].replace("_", " "), *(f"{row[key]:.3f}" for key in keys)) for row in found["figures"]]
    print_table(("figure", *keys), rows)
    gain = found["gain"][0]
    print(f"generated beside real: {gain['verdict']}, macro-F1 {gain['effect']:+.3f} ({gain['low']:+.3f} to "
          f"{gain['high']:+.3f}) over plain augmentation")  # fmt: skip


def _opened(model: Path) -> Generator:
    from hil.models.generate.generator import load_generator
    from hil.virtual.generated import SHIPPED

    return load_generator(SHIPPED if str(model) == "exercise" else model)


def _changed(config: Any, seed: int | None, steps: int | None) -> Any:
    if seed is not None:
        config = config.model_copy(update={"seed": seed})
    if steps is not None:
        config = config.model_copy(update={"training": config.training.model_copy(update={"steps": steps})})
    return config


@contextmanager
def _torch() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        if (error.name or "torch").split(".")[0] != "torch":
            raise
        raise MissingPart("torch is not installed", "hil generate", "run: pip install 'torch==2.13.*'") from None


GROUPS = ((generate, "generate"),)
