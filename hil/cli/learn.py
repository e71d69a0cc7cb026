"""Verbs of models: `hil train` and `hil predict`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firmware_bridge.errors import MissingPart, UsageError
from hil.cli.common import Json, Quiet, fresh, print_json, print_table, talk, tell_lost, worked
from hil.counted import counted

if TYPE_CHECKING:
    from firmware_bridge.events import Prediction
    from hil.models.train import Progress

__all__ = ["VERBS", "predict", "train"]


def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="What to learn, from whom, and how.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Model file to write; never overwritten.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of the data files; default: beside CONFIG.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Seed of every random choice; default: CONFIG's.")
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="In place of CONFIG's: a quick look.")] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="cpu, cuda, mps or auto; default: CONFIG's, else cpu.")
    ] = None,
    spool: Annotated[
        Path | None,
        typer.Option("--spool", metavar="FOLDER", help="Keep readings in a file there: data larger than memory."),
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write one self-contained page with the curves.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a model on recordings and judge it on people it never met.

    Killed, it goes on where it was when called again. The curves are written beside the model, as NAME.training.json.

    Example: hil train scenarios/models/exercise.toml --data FOLDER -o exercise.hilmodel --epochs 1
    """
    from hil.models.datasets import load_dataset, unseen_labels
    from hil.models.spool import Spool
    from hil.models.training_config import load_config

    try:
        from hil.models.train import train_and_judge
    except ImportError as error:
        if (error.name or "torch").split(".")[0] != "torch":
            raise
        raise MissingPart("torch is not installed", "hil train", "run: pip install 'torch==2.13.*'") from None

    fresh(output, suffix=".hilmodel")
    fresh(html)
    chosen = load_config(config)
    if device is not None and device not in ("cpu", "cuda", "mps", "auto"):
        raise UsageError(f"{device!r} is no device", "--device", "use cpu, cuda, mps or auto")
    changes: dict[str, Any] = {"seed": seed, "device": device}
    chosen = chosen.model_copy(update={key: value for key, value in changes.items() if value is not None})
    if epochs is not None:
        chosen = chosen.model_copy(update={"training": chosen.training.model_copy(update={"epochs": epochs})})
    if html is not None:
        from hil.report.svg import needs_matplotlib

        needs_matplotlib()  # before the work, not after it
    dataset = load_dataset(chosen.data, data or config.parent, None if spool is None else Spool(spool))
    people, labels = counted(len(dataset.people), "person", "people"), counted(len(dataset.labels), "label")
    talk(f"{len(dataset.series)} series of {people}, {labels}", quiet)
    for cause, count in dataset.left_out.items():
        talk(f"left out: {count} readings ({cause})", quiet)
    for label in unseen_labels(dataset, chosen.data.held_out):
        talk(f"nobody who is learnt from shows {label}: the model cannot know it", quiet)
    with worked("epochs", chosen.training.epochs) as share:
        made = train_and_judge(chosen, dataset, output, None if quiet else _Told(share), config.parent)
    package = made.package
    card = package.contract.card
    curves = {**made.curves, "metrics": {metric.name: metric.value for metric in card.metrics}}
    output.with_suffix(".training.json").write_text(dumps(curves, indent=1) + "\n", encoding="utf-8")
    if html is not None:
        from hil.report.trainpage import training_page

        html.write_text(training_page(curves, package.contract.model_dump(mode="json")), encoding="utf-8")
    if json:
        metrics = {metric.name: metric.value for metric in card.metrics}
        print_json(
            {
                "schema": 1,
                "file": str(output),
                "name": package.contract.name,
                "metrics": metrics,
                "worst_person": card.worst_person,
            }
        )
    else:
        print_table(("figure", "value", "measured"), [(m.name, f"{m.value:.3f}", m.how) for m in card.metrics])
        print(f"{output}")


class _Told:
    """Tells how a training goes: a bar on a terminal, a line every tenth of the way elsewhere.

    Args:
        share: Told the share that is done.
    """

    def __init__(self, share: Callable[[float], None]) -> None:
        self._share = share
        self._tenth = -1

    def __call__(self, at: Progress) -> None:
        self._share(at.step / at.steps)
        tenth = 10 * at.step // at.steps
        if tenth != self._tenth and not sys.stderr.isatty():
            self._tenth = tenth
            apart = "" if at.validation_loss is None else f", {at.validation_loss:.3f} on those set apart"
            talk(f"{at.stage}: step {at.step} of {at.steps}, loss {at.loss:.3f}{apart}")


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A .hilmodel or .onnx file.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recordings.")],
    board: Annotated[str | None, typer.Option("--board", help="Role of the one board to read.")] = None,
    backend: Annotated[
        str | None, typer.Option("--backend", help="eager or onnxruntime; default: the model's.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Let a model decide on recordings.

    Example: hil predict hil/models/exercise.hilmodel scenarios/recordings/watch-unseen-9.mcap
    """
    import hil

    opened = hil.load_model(model)
    found = []
    for file in files:
        recording = hil.open(file)
        tell_lost(recording)
        decisions = opened.stream(recording, board=board, backend=backend)
        with worked("s of recording", recording.duration_s) as told:
            for item in decisions:
                told((item.t_ns - recording.start_ns) / 1e9 / max(recording.duration_s, 1e-9))
                found.append(_row(file, item, recording.start_ns))
    if json:
        print_json({"schema": 1, "model": opened.contract.name, "predictions": found})
    else:
        rows = [(r["file"], r["board"], f"{r['t_s']:.3f}", r["label"], f"{r['confidence']:.3f}") for r in found]
        print_table(("file", "board", "t_s", "label", "confidence"), rows)
    talk(f"{counted(len(found), 'decision')}", quiet)


def _row(file: Path, item: Prediction, start_ns: int) -> dict[str, Any]:
    return {
        "file": str(file), "board": item.board, "stream": item.stream, "boot": item.boot, "sample": item.sample,
        "t_s": (item.t_ns - start_ns) / 1e9, "label": item.label, "confidence": item.confidence,
    }  # fmt: skip


VERBS = (train, predict)
