"""`hil drift`: is the model wrong, or is the sensor different?"""

from __future__ import annotations

import json as writer
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firmware_bridge.errors import UsageError
from hil.cli.common import Json, Output, Quiet, Seed, print_json, print_table, talk, tell_lost, worked
from hil.cli.validate import Base, is_model, make_folder

if TYPE_CHECKING:
    from hil.drift.verdict import Change
    from hil.drift.watch import Watch

__all__ = ["VERBS", "drift"]


def drift(
    what: Annotated[
        str, typer.Argument(metavar="MODEL|CONFIG", help="A model; with --evaluate what `hil train` reads.")
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="PATH", help="Recordings; with --evaluate or --learn a dataset."),
    ] = None,
    base: Base = None,
    board: Annotated[str | None, typer.Option("--board", help="Role of the one board to read.")] = None,
    learn: Annotated[
        bool, typer.Option("--learn", help="Write the model with what its training looked like (-o).")
    ] = False,
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Judge the watch: seeded sensor faults, unseen people, an unseen class.")
    ] = False,
    folds: Annotated[
        int | None, typer.Option("--folds", min=1, help="Folds of two people to judge; default: all.")
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="In place of CONFIG's: a quick look.")] = None,
    kinds: Annotated[list[str] | None, typer.Option("--kind", help="Fault to inject; default: all kinds.")] = None,
    scores: Annotated[
        bool, typer.Option("--scores/--no-scores", help="Train a network for each fold and watch its scores, too.")
    ] = True,
    classes: Annotated[bool, typer.Option("--classes/--no-classes", help="Hold out a class, too.")] = True,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="FOLDER", help="Of the networks of every fold: a killed run goes on there."),
    ] = None,
    seed: Seed = 0,
    output: Output = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Tell a model that is wrong from a sensor that is different, over the time of recordings.

    hil drift exercise.hilmodel --data recordings/session.mcap

    hil drift exercise-small.toml --evaluate --data FOLDER --keep FOLDS -o drift.json

    With --evaluate people are kept apart: two are judged, four whom the network has not met set the limits of its
    scores, all others train it, and so in turn.

    Verdicts: fine, sensor different (which channel, and what: bias, gain, noise, stuck, swap, flip), model wrong (no
    sensor explains it). Live, they stand beside the model; in scenarios as model.NAME.drift.*.
    """
    if output is not None and output.exists():
        raise UsageError("the file exists and is never overwritten", str(output), "choose another name")
    if not data:
        raise UsageError("nothing was given to look at", "--data", "give --data FILE, or a dataset with --evaluate")
    if evaluate:
        _evaluate(
            what, base or data[0], folds, epochs, tuple(kinds or ()), scores, classes, keep, seed, output, json, quiet
        )
    elif learn:
        _learn(what, data[0], base, seed, output, json, quiet)
    else:
        _watch(what, data, board, json, quiet)


def _watch(what: str, files: list[Path], board: str | None, json: bool, quiet: bool) -> None:
    import hil
    from firmware_bridge.batch import Batch
    from hil.models.drifting import DriftTap, absent
    from hil.models.recorded import items_of

    model = hil.load_model(what)
    if why := absent(model.contract):
        raise UsageError(why.partition(":")[0], what, why.partition(": ")[2])
    found = []
    for file in files:
        with hil.open(file) as recording:
            tell_lost(recording)
            runner = model.runner(boards=None if board is None else [board])
            tap = runner.tap = DriftTap(model.package)
            start_ns, length_s = recording.start_ns, max(recording.duration_s, 1e-9)
            with worked("s of recording", length_s) as told:
                for item in items_of(recording, model.contract, board):
                    runner.push([item])
                    if isinstance(item, Batch) and len(item):
                        told((int(item.t_ns[-1]) - start_ns) / 1e9 / length_s)
        for (role, stream), watch in tap.watches.items():
            found.append({"file": str(file), "board": role, "stream": stream, **_plain(watch, start_ns)})
    if json:
        print_json({"schema": 1, "model": model.contract.name, "watched": found})
        return
    for one in found:
        print(f"{one['file']}, {one['board']}/{one['stream']}: {one['verdict']} at the end of {one['looks']} windows")
        for change in one["changes"]:
            print(f"  {change['t_s']:9.1f} s  {change['verdict']}{': ' if change['what'] else ''}{change['what']}")
        far = ", ".join(f"{name} {value:.2f}" for name, value in one["distances"].items())
        print(f"  distance from training, in its spread: {far}")
        if one["scores"]:
            talk(f"scores are not watched: {one['scores']}", quiet)


def _plain(watch: Watch, start_ns: int) -> dict[str, Any]:
    state = watch.state()
    return {
        "verdict": state.verdict, "looks": state.looks, "counts": dict(watch.counts),
        "changes": [_said(one, start_ns) for one in watch.changes],
        "distances": state.distances if state.looks else {}, "embedding": state.embedding, "scores": state.scores_known,
    }  # fmt: skip


def _said(change: Change, start_ns: int) -> dict[str, Any]:
    found = change.finding
    plain: dict[str, Any] = {"t_s": (change.t_ns - start_ns) / 1e9, "verdict": change.verdict, "what": ""}
    if found is not None:
        plain |= {
            "what": found.sentence, "kind": found.kind, "channels": list(found.channels), "amount": found.amount,
            "unit": found.unit, "share": found.share, "since_s": (found.since_ns - start_ns) / 1e9,
        }  # fmt: skip
    return plain


def _learn(what: str, data: Path, base: Path | None, seed: int, output: Path | None, json: bool, quiet: bool) -> None:
    from hil.cli.data import config_of
    from hil.models.datasets import load_dataset
    from hil.models.drifting import referenced
    from hil.models.model import load_model
    from hil.models.package import write_package

    if output is None:
        raise UsageError("models are never overwritten", "--learn", "name the new file with -o NEW")
    package = load_model(what).package
    contract = package.contract
    config, folder = config_of(data, base)
    if data.is_dir():
        config = config.model_copy(update={
            "channels": tuple(item.channel for item in contract.inputs), "labels": contract.labels,
            "rate_hz": contract.rate_hz, "conditioning": contract.conditioning,
        })  # fmt: skip
    dataset = load_dataset(config, folder)
    met = {str(one) for one in contract.lineage.get("trained_on", [])}
    series = [item for item in dataset.series if item.person in met]
    if not series:
        people = ", ".join(sorted(met)) or "nobody that it names"
        raise UsageError(f"the data have none of the people it was trained on ({people})", str(data), "give those data")
    made = referenced(package, series, [item for item in dataset.series if item.person not in met], seed=seed)
    reference = made.contract.reference
    if reference is None:
        raise UsageError("three people with a whole window each are needed", str(data), "give readings of more people")
    content: Any = dict(made.weights) if made.program is None else made.program
    write_package(output, made.contract, content, made.step)
    scores = [] if reference.scores is None else list(reference.scores.people)
    known = reference.left_out
    plain = {"schema": 1, "file": str(output), "people": list(reference.people), "hours": reference.hours,
             "scores_of": scores, "look_s": reference.samples / contract.rate_hz, "per_hour": reference.per_hour,
             "seed": seed, "left_out": None if known is None else known.model_dump()}  # fmt: skip
    if json:
        print_json(plain)
    else:
        whose = ", ".join(scores) or "nobody"
        print(f"{output}: {reference.hours:.2f} h of {len(reference.people)} people; scores of {whose}")
        if known is not None:
            strange = "" if known.strange is None else (
                f"; {known.strange:.0%} of {known.movements} left-out movements called a sensor's fault")  # fmt: skip
            print(f"each person left out: {known.sensor:.0%} of {known.sessions} sessions called a sensor's fault, "
                  f"{known.model:.0%} the model's{strange}")  # fmt: skip
    talk("its network is the same", quiet)


def _evaluate(
    what: str, folder: Path, folds: int | None, epochs: int | None, kinds: tuple[str, ...], scores: bool,
    classes: bool, keep: Path | None, seed: int, output: Path | None, json: bool, quiet: bool,
) -> None:  # fmt: skip
    from hil.models.datasets import load_dataset
    from hil.models.training_config import load_config
    from hil.validation.driftscore import DriftPlan, drift_score
    from hil.validation.injected import STRENGTHS

    if is_model(what):
        raise UsageError(
            "a watch is judged on people that no part of it has met, with a training for each fold", what,
            "give the training configuration",
        )  # fmt: skip
    if strange := [one for one in kinds if one not in STRENGTHS]:
        raise UsageError(f"there is no kind {strange[0]!r}", "--kind", f"use {', '.join(STRENGTHS)}")
    config = load_config(what)
    if epochs is not None:
        config = config.model_copy(update={"training": config.training.model_copy(update={"epochs": epochs})})
    dataset = load_dataset(config.data, folder)
    if keep is not None:
        make_folder(keep)

    def kept(found: dict[str, Any]) -> None:
        if output is not None:
            output.write_text(writer.dumps(found, indent=1) + "\n", encoding="utf-8")

    with worked("folds", folds or 1) as told:

        def tell(share: float, line: str) -> None:
            told(share)
            talk(line, quiet)

        found = drift_score(config, dataset, DriftPlan(folds, kinds, scores, classes, seed=seed), tell, kept, keep)
    if json:
        print_json(found)
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    for one in found["parts"]:
        whose = f"; limits of scores from {', '.join(one['scores_of'])}" if one["scores_of"] else ""
        known = f"; trained on {', '.join(one['trained_on'])}" if one["trained_on"] else ""
        print(f"judged {', '.join(one['judged'])}{whose}{known}")
    for kind, one in found["false_alarms"].items():
        print(f"false alarms, {kind}: {one['count']} in {one['hours']:.2f} h of unseen people: {one['per_hour']:.2f}/h "
              f"({one['low']:.2f} to {one['high']:.2f})")  # fmt: skip
    print_table(
        ("fault", "strength", "tries", "found", "low", "high", "in 60 s", "delay s", "p90 s", "right channel", "kind"),
        [
            (row["kind"], f"{row['strength']:g} {row['unit']}", row["tries"], f"{row['recall']['value']:.2f}",
             f"{row['recall']['low']:.2f}", f"{row['recall']['high']:.2f}", f"{row['recall_60s']['value']:.2f}",
             *("-" if row[key] is None else f"{row[key]:.0f}" for key in ("delay_median_s", "delay_p90_s")),
             *("-" if row[key] is None else f"{row[key]:.2f}" for key in ("right_channel", "right_kind")))
            for row in found["rows"]
        ],
    )  # fmt: skip
    for what, words in (("sensor", "called a sensor's fault"), ("model", "called the model's")):
        share = found[f"unseen_class_called_{what}"]
        if share is not None:
            tried = len(found["unseen_class"])
            print(f"an unseen class of unseen people is {words} in {share['value']:.2f} of {tried} sessions "
                  f"({share['low']:.2f} to {share['high']:.2f})")  # fmt: skip


VERBS = (drift,)
