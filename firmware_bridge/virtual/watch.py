"""The virtual watch: readings of real people who were held out of the shipped model, spoken by a native board.

Two people do seven exercises, each on the right and the left wrist (see `watch_unseen.SOURCE.txt`). The board plays the
series one after the other, in the file's order for seed 0 and shuffled for any other, with a rest of `pause_s` between
them, and begins anew after the last. When a series begins it logs the line `label: NAME person P side S` (NAME `none`
during a rest), whose tick is that of the first sample, so that a model's answer can be compared with the truth.

A rest is made, not recorded: acceleration goes in a straight line from the last reading to the next one, rotation is 0.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import FileError, UsageError
from firmware_bridge.streams import Stream
from firmware_bridge.virtual.parameters import LINK, Parameter, read_parameters, settings_from
from firmware_bridge.virtual.playback import PlaybackBoard, Series, notes_at
from firmware_bridge.virtual.settings import Identity

__all__ = ["PARAMETERS", "make"]

_FILE = Path(__file__).with_name("watch_unseen.npz")

PARAMETERS = (
    *LINK,
    Parameter("person", 0, "only this person, 9 or 10; 0: both", 0, 10),
    Parameter("series", "", "only these: exercises or numbers 0 to 27 with commas between, such as PEN,ROW"),
    Parameter("pause_s", 2.0, "rest between two series, seconds", 0, 60),
)
"""What `virtual://watch` takes."""


def make(given: Mapping[str, str]) -> PlaybackBoard:
    """Return the board of `virtual://watch?...`."""
    values = read_parameters("watch", given, PARAMETERS)
    try:
        with np.load(_FILE, allow_pickle=False) as held:
            data = {name: held[name] for name in held.files}
    except (OSError, ValueError) as error:
        raise FileError(f"the readings of the watch cannot be read ({error})", str(_FILE),
                        "install the package again") from error  # fmt: skip
    labels = [str(name) for name in data["labels"]]
    chosen = _choose(data, labels, values["person"], values["series"])
    if values["seed"]:
        chosen = list(np.random.Generator(np.random.Philox(values["seed"])).permutation(chosen))
    rate = float(data["rate_hz"])
    ends = np.cumsum(data["length"])
    parts: list[npt.NDArray[np.int16]] = []
    starts: list[int] = []
    notes: list[str] = []
    at = 0
    series = [data["raw"][ends[which] - data["length"][which] : ends[which]] for which in chosen]
    for place, which in enumerate(chosen):
        side = "right" if data["side"][which] else "left"
        rest = _rest(series[place], series[(place + 1) % len(series)], round(values["pause_s"] * rate))
        for part, text in (
            (series[place], f"label: {labels[data['label'][which]]} person {data['subject'][which]} side {side}"),
            (rest, "label: none"),
        ):
            if len(part):
                starts.append(at)
                notes.append(text)
                parts.append(part)
                at += len(part)
    stream = Stream("imu", tuple(map(str, data["channels"])), tuple(map(str, data["units"])), "<i2", (6,),
                    values["rate"] or rate, tuple(float(factor) for factor in data["scale"]))  # fmt: skip
    who = Identity("hil-watch", values["serial"] or f"VIRTUAL-{values['seed']:04d}", "virtual-1", {"labels": labels})
    return PlaybackBoard(
        who, [Series(stream, np.concatenate(parts))], settings_from(values), notes_at(starts, notes, at)
    )


def _choose(data: Mapping[str, npt.NDArray[np.int64]], labels: list[str], person: int, wanted: str) -> list[int]:
    """Return the indices of the series to play, in the file's order."""
    chosen = [index for index, who in enumerate(data["subject"]) if person in (0, who)]
    if not chosen:
        people = " and ".join(str(who) for who in sorted(set(data["subject"].tolist())))
        raise UsageError(f"person={person} is not among the readings", "virtual://watch", f"there are {people}")
    if not wanted:
        return chosen
    names = [name.strip() for name in wanted.split(",")]
    for name in names:
        if name.upper() not in labels and not (name.isdecimal() and int(name) < len(data["label"])):
            raise UsageError(f"series={name} is not known", "virtual://watch",
                             f"use {', '.join(labels)} or 0 to {len(data['label']) - 1}")  # fmt: skip
    picked = {labels.index(name.upper()) for name in names if name.upper() in labels}
    numbers = {int(name) for name in names if name.isdecimal()}
    kept = [index for index in chosen if data["label"][index] in picked or index in numbers]
    if not kept:
        raise UsageError(f"person={person} and series={wanted} leave nothing", "virtual://watch", "drop one of them")
    return kept


def _rest(before: npt.NDArray[np.int16], after: npt.NDArray[np.int16], n: int) -> npt.NDArray[np.int16]:
    part = (np.arange(1, n + 1) / (n + 1))[:, None]
    reading = (1 - part) * before[-1] + part * after[0]
    reading[:, 3:] = 0
    made: npt.NDArray[np.int16] = np.rint(reading).astype(np.int16)
    return made
