"""Results as JUnit XML, as Jenkins and GitLab read it: valid against the schemas of Jenkins and of Surefire.

Rule of this room: a scenario is a suite, a check a case. FAIL and UNSET are failures, TROUBLE is an error, NA and
quarantine are skips; what kept a whole scenario from running is a case of its own, so that nothing is silent. A kept
recording is attached to the cases that did not pass by `[[ATTACHMENT|PATH]]`, a line by itself, absolute.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from firmware_bridge.errors import FileError
from hil.scenario.results.outcome import FAIL, NA, TROUBLE, UNSET, CheckResult, ScenarioResult
from hil.scenario.results.table import figure

__all__ = ["write_junit"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, results: Iterable[ScenarioResult]) -> None:
    """Write results as JUnit XML.

    Raises:
        FileError: The file cannot be written.
    """
    root = Element("testsuites")
    totals = [_suite(root, result) for result in results]
    for at, key in enumerate(("tests", "failures", "errors")):  # the schema gives the whole no `skipped`
        root.set(key, str(sum(total[at] for total in totals)))
    root.set("time", f"{sum(float(suite.get('time', '0')) for suite in root):.3f}")
    indent(root)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise FileError(f"it cannot be written ({error.strerror})", str(path), "check the folder") from None


def _suite(root: Element, result: ScenarioResult) -> tuple[int, int, int, int]:
    suite = SubElement(root, "testsuite", name=_clean(result.name), time=f"{result.seconds:.3f}")
    properties = SubElement(suite, "properties")
    told = {"file": result.path, "target": result.target, "outcome": result.outcome, "seed": str(result.seed),
            "quarantined": result.quarantined, "again": result.again,
            **{f"remark.{at}": remark for at, remark in enumerate(result.remarks, 1)},
            **{f"attachment.{what}": place for what, place in result.files.items()}}  # fmt: skip
    for name, value in told.items():
        if value:
            SubElement(properties, "property", name=name, value=_clean(value))
    cases = list(result.checks) or [CheckResult("scenario", None, "", "", result.outcome, result.why)]
    if result.outcome == TROUBLE and result.checks and all(case.outcome != TROUBLE for case in cases):
        cases.append(CheckResult("scenario", None, "", "", TROUBLE, result.why))
    counts = [0, 0, 0]
    for case in cases:
        counts = [a + b for a, b in zip(counts, _case(suite, result, case), strict=True)]
    for key, count in zip(("tests", "failures", "errors", "skipped"), (len(cases), *counts), strict=True):
        suite.set(key, str(count))
    return len(cases), counts[0], counts[1], counts[2]


def _case(suite: Element, result: ScenarioResult, case: CheckResult) -> tuple[int, int, int]:
    name = f"{case.metric} {case.limit}".strip()
    element = SubElement(suite, "testcase", classname=_clean(result.path), name=_clean(name), time="0.000")
    message = _clean(f"{case.outcome}: {figure(case.value, case.unit)}{f'; {case.why}' if case.why else ''}")
    bad = case.outcome in (FAIL, UNSET, TROUBLE)
    counts = (0, 0, 0)
    if result.quarantined and bad:
        SubElement(element, "skipped", message=_clean(f"in quarantine: {result.quarantined}; {message}"))
        counts = (0, 0, 1)
    elif case.outcome in (FAIL, UNSET):
        SubElement(element, "failure", message=message, type=case.outcome).text = message
        counts = (1, 0, 0)
    elif case.outcome == TROUBLE:
        SubElement(element, "error", message=message, type=case.outcome).text = message
        counts = (0, 1, 0)
    elif case.outcome == NA:
        SubElement(element, "skipped", message=message)
        counts = (0, 0, 1)
    if bad and "recording" in result.files:
        place = Path(result.files["recording"]).absolute()
        SubElement(element, "system-out").text = _clean(f"\nagain: {result.again}\n[[ATTACHMENT|{place}]]\n")
    return counts


def _clean(text: str) -> str:
    """Return text without what XML cannot hold."""
    return _NOT_XML.sub("?", text)
