"""Labels that readings contradict: confident learning (Northcutt et al. 2021) on windows, out of fold by groups.

Rule of this room: a window is judged by a forest that has seen nobody of its group; it is suspect where another class
reaches that class's own mean confidence. A label is told where most of its windows in a recording are suspect alike.
It is a hint and never more than a warning: people differ too. What two people say of one stretch contradicts itself.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_bridge.errors import MissingPart
from hil.data.features import simple_features, window_ends
from hil.data.finding import NOTE, WARNING, Finding
from hil.data.parts import codes, group_of, labels_in
from hil.models.datasets import NONE, window_truth
from hil.models.labelled import TWICE, Part

__all__ = ["contested", "label_noise", "out_of_fold", "suspects"]

Ints = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]
_SECONDS = 2.0
_MARGIN = 0.25
_HOPELESS = 0.3
"""Share of suspect windows from which the forest, not the labels, is in doubt."""


@dataclass(frozen=True, slots=True)
class _Window:
    part: int
    stretch: int
    end: int


def contested(parts: Sequence[Part]) -> Iterator[Finding]:
    """Yield recordings in which labels overlap."""
    for part in parts:
        if count := part.left_out[TWICE]:
            what = f"{count} readings ({count / part.rate_hz:.1f} s) lie in two labels and count as unlabelled"
            yield Finding(WARNING, "overlapping labels", part.path, what,
                          "take one away (`hil data label FILE --remove ID`)")  # fmt: skip


def label_noise(parts: Sequence[Part], by: str, seed: int = 0) -> Iterator[Finding]:
    """Yield labelled stretches that read like another class, and how much of the labels is suspect."""
    labels = labels_in(parts)
    groups = [group_of(part, by) for part in parts]
    if len(labels) < 2 or len(set(groups)) < 2:
        what = f"labels were not checked: there are {len(labels)} classes and {len(set(groups))} groups"
        yield Finding(NOTE, "label noise", "all recordings", what, "label two classes of two groups at least")
        return
    where, features, truth, who = _windows(parts, labels, groups)
    try:
        scores = out_of_fold(features, truth, who, len(labels), seed)
    except MissingPart as error:
        yield Finding(NOTE, "label noise", "all recordings", f"labels were not checked: {error.what}", error.next_step)
        return
    told = suspects(scores, truth)
    share = f"{(told != NONE).mean():.1%} of {len(truth)} windows"
    what = f"{share} read like another class to a forest that has not met their {by}"
    next_step = "hard cases and wrong labels look alike: see the recordings named here, if any"
    if (told != NONE).mean() > _HOPELESS:
        next_step = "so many that no label can be checked so: these classes do not carry over, or the labels are wrong"
    yield Finding(NOTE, "label noise", "all recordings", what, next_step)
    if (told != NONE).mean() > _HOPELESS:
        return
    marked: dict[tuple[int, int], list[int]] = {}
    for at, one in enumerate(where):
        marked.setdefault((one.part, int(truth[at])), []).append(at)
    for (part, label), rows in marked.items():
        other, count = Counter(told[rows].tolist()).most_common(1)[0]
        margin = float((scores[rows, other] - scores[rows, label]).mean()) if other != NONE else 0.0
        if other != NONE and 2 * count > len(rows) >= 2 and margin >= _MARGIN:
            whole = parts[part]
            begin, end = (_time(whole, where[rows[at]], back) for at, back in ((0, True), (-1, False)))
            place = f"{whole.stretches[where[rows[0]].stretch].source}, {begin:.1f} to {end:.1f} s"
            what = f"it is labelled {labels[label]}; {count} of {len(rows)} windows read like {labels[other]}"
            next_step = "look at it and correct the label (`hil data label`), or keep it"
            yield Finding(WARNING, "label noise", f"{place} ({by} {groups[part]})", what, next_step)


def _time(part: Part, one: _Window, begin: bool) -> float:
    """Return when a window begins or ends, in seconds of its recording."""
    back = max(2, round(_SECONDS * part.rate_hz)) if begin else 0
    return part.stretches[one.stretch].start_s + (one.end - back) / part.rate_hz


def _windows(
    parts: Sequence[Part], labels: Sequence[str], groups: Sequence[str]
) -> tuple[list[_Window], Float, Ints, list[str]]:
    where: list[_Window] = []
    features: list[Float] = []
    truth: list[Ints] = []
    who: list[str] = []
    width = len(parts[0].channels)
    for number, part in enumerate(parts):
        window = max(2, round(_SECONDS * part.rate_hz))
        for place, stretch in enumerate(part.stretches):
            if stretch.values.shape[1] != width:
                continue
            ends = window_ends(len(stretch.values), window, max(1, window // 2))
            known = window_truth(codes(stretch, labels), ends, window, len(labels))
            ends, known = ends[known != NONE], known[known != NONE]
            features.append(np.nan_to_num(simple_features(stretch.values, ends, window)))
            truth.append(known)
            where += [_Window(number, place, end) for end in ends.tolist()]
            who += [groups[number]] * len(ends)
    return where, np.concatenate(features), np.concatenate(truth), who


def out_of_fold(features: Float, truth: Ints, who: Sequence[str], classes: int, seed: int, folds: int = 5) -> Float:
    """Return `(N, classes)` probabilities by a forest that was trained on other groups.

    Raises:
        MissingPart: scikit-learn is not installed.
    """
    try:
        from sklearn.ensemble import ExtraTreesClassifier
    except ImportError:
        raise MissingPart(
            "scikit-learn is not installed", "hil data check", "pip install 'hil-testbench[lab]'"
        ) from None
    everyone = list(dict.fromkeys(who))
    place = np.array([everyone.index(one) for one in who]) % min(folds, len(everyone))
    scores = np.zeros((len(truth), classes))
    for fold in range(min(folds, len(everyone))):
        away = place == fold
        forest = ExtraTreesClassifier(60, min_samples_leaf=2, class_weight="balanced", random_state=seed)
        forest.fit(features[~away], truth[~away])
        scores[np.ix_(np.flatnonzero(away), forest.classes_)] = forest.predict_proba(features[away])
    return scores


def suspects(scores: Float, truth: Ints) -> Ints:
    """Return the class that each row rather is by the confident joint, `NONE` where its label stands.

    Args:
        scores: `(N, classes)` out-of-fold probabilities.
        truth: `(N,)` labels given.
    """
    classes = scores.shape[1]
    limit = np.array([scores[truth == j, j].mean() if (truth == j).any() else np.inf for j in range(classes)])
    sure = np.where(scores >= limit, scores, -1.0)
    best = sure.argmax(axis=1)
    found = np.where((sure.max(axis=1) >= 0) & (best != truth), best, NONE)
    return found.astype(np.int64)
