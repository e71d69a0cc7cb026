"""The pages of a run and of two runs: one file each that fetches nothing, is valid HTML and holds every figure."""

import builtins
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import html5lib
import pytest

from hil.report.runpage import run_page
from hil.report.runpairpage import run_pair_page
from hil.report.trend import outcome_strip, spark_line, spark_text
from hil.scenario.grammar.load import Loaded, parse_scenario
from hil.scenario.reporting import page_of, past_of
from hil.scenario.results.history import entry_of
from hil.scenario.results.outcome import CheckResult, ScenarioResult
from hil.scenario.results.runpair import pair_runs
from hil.scenario.run import RunOptions, run_scenario

WATCH = """
name = "A <watch> that loses frames"
[board.watch]
virtual = "watch?pause_s=0"
[readings]
to_s = 12.0
[model.exercise]
file = "exercise"
board = "watch"
deadline_ms = 50
[[fault]]
on = "watch"
kind = "frame.drop"
rate = 0.05
from_s = 5.0
to_s = 8.0
[[check]]
metric = "link.watch.samples_lost"
equals = 0
[[check]]
metric = "stream.watch.imu.ax.maximum"
at_most = -9
[[check]]
metric = "model.exercise.accuracy"
at_least = 1.1
[[check]]
metric = "stream.watch.imu.rate"
equals = 50
within_percent = 1
"""


@pytest.fixture(scope="module")
def results() -> list[ScenarioResult]:
    path = Path("/nowhere/watch.toml")
    failed = run_scenario(Loaded(path, WATCH, parse_scenario(WATCH, str(path))), RunOptions(exhibit=True))
    unknown = (CheckResult("a.b", None, "Hz", "= 0", "UNSET", "nobody counted </script> it"),)
    others = [ScenarioResult("dark", "u.toml", "virtual", "UNSET", checks=unknown, quarantined="strap (2026-01-02)"),
              ScenarioResult("gone", "g.toml", "", "TROUBLE", why="the port is busy")]  # fmt: skip
    return [failed, *others]


@pytest.fixture(scope="module")
def page(results: list[ScenarioResult]) -> str:
    before = [dict(entry_of(one, 0, "abc")) | {"outcome": "PASS"} for one in results]
    past = [past_of(one, before, entry_of(one, 10**9, "def")) for one in results]
    return page_of(results, past, 1.0, 1_700_000_000 * 10**9, "def")


@pytest.fixture(scope="module")
def pair(results: list[ScenarioResult]) -> str:
    runs = [json.loads(json.dumps({"schema": 1, "scenarios": [one.as_dict() for one in part]}))
            for part in (results, results[:2])]  # fmt: skip
    return run_pair_page(pair_runs(*runs), "a.json", "b.json")


class Fetched(HTMLParser):
    """Keeps what a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, said in attrs:
            if name in ("src", "href", "xlink:href", "action", "data", "poster") and said and said[0] != "#":
                self.found.append(said)
            if name == "id" and said:
                self.ids.append(said)
        if tag in ("link", "iframe", "object", "embed", "img"):
            self.found.append(tag)


@pytest.mark.parametrize("which", ["page", "pair"])
def test_a_page_is_valid_html_and_fetches_nothing(which: str, request: pytest.FixtureRequest) -> None:
    html: str = request.getfixturevalue(which)
    parser = html5lib.HTMLParser(strict=False)
    parser.parse(re.sub(r' d="[^"]*"', "", html))  # of the paths' points there are many, and they are no markup
    assert [error for _, error, _ in parser.errors] == []
    fetched = Fetched()
    fetched.feed(html)
    assert fetched.found == []
    assert "@import" not in html
    assert not re.findall(r"url\((?!#)", html)
    shown = re.sub(r'xmlns(:\w+)?="http://www\.w3\.org/[^"]*"', "", html)
    assert "http://" not in shown
    assert "https://" not in shown
    used, defined = set(re.findall(r"var\(--([\w-]+)\)", html)), set(re.findall(r"--([\w-]+):", html))
    assert used <= defined
    assert "prefers-color-scheme:dark" in html
    assert "width=device-width" in html


def test_every_failed_check_has_its_picture_and_every_check_its_line(page: str, results: list[ScenarioResult]) -> None:
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page, re.DOTALL)
    for check in results[0].checks:
        assert f"<th>{check.metric}</th>" in page
        pictured = any(check.metric in caption for caption in captions)
        assert pictured == (check.outcome != "PASS"), check.metric
    for part in ("From beginning to end", "watch/imu", "Latency", "Clock of watch"):
        assert any(part in caption for caption in captions) or f">{part}" in page
    for word in ("Ledger of watch", "frame.drop", "the port is busy", "in quarantine", "commit <b>def</b>",
                 "before that it passed once", "class=\"confusion\""):  # fmt: skip
        assert word in page, word
    assert page.index("A &lt;watch&gt;") < page.index("the port is busy")


def test_pictures_do_not_share_ids(page: str) -> None:
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    clips = [set(re.findall(r'<clipPath id="(\w+)"', picture)) for picture in pictures]
    assert sum(map(len, clips)) == len(set().union(*clips))


def test_the_page_holds_the_same_numbers_as_json(page: str, results: list[ScenarioResult]) -> None:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    held = json.loads(found[1].replace("<\\/", "</"))
    assert [one["name"] for one in held["scenarios"]] == [one.name for one in results]
    assert held["scenarios"][0]["checks"] == json.loads(json.dumps([one.as_dict() for one in results[0].checks]))
    assert len(page) < 1_500_000


@pytest.fixture
def no_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    true_import = builtins.__import__

    def refuse(name: str, *more: object) -> object:
        if name.partition(".")[0] == "matplotlib":
            raise ImportError(name)
        return true_import(name, *more)  # type: ignore[arg-type]

    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", refuse)


def test_without_matplotlib_the_page_is_whole_but_for_its_plots_and_says_so(
    no_matplotlib: None, results: list[ScenarioResult]
) -> None:
    html = page_of(results, [{} for _ in results], 1.0, 0, "")
    assert "hil-testbench[report]" in html
    assert "<figure" not in html
    assert "Ledger of watch" in html
    assert 'class="confusion"' in html


def test_the_page_of_two_runs_says_what_changed_and_folds_what_did_not(pair: str) -> None:
    assert "gone" in pair
    assert "are the same</summary>" in pair
    assert pair.index("gone</span>") < pair.index("are the same</summary>")


def test_an_empty_run_has_a_page() -> None:
    run = {"title": "Scenarios passed", "verdict": "good", "facts": [], "total": "none", "scenarios": []}
    assert "Scenarios passed" in run_page(run, [], [])


def test_trends_show_what_is_unknown_as_a_break() -> None:
    assert spark_text([1.0, None, 3.0, 2.0]) == "▁·█▅"
    assert spark_text([None, None]) == "··"
    assert spark_text([5.0, 5.0]) == "▄▄"
    assert spark_line([1.0, None], "x") == ""
    assert spark_line([1.0, 2.0, None, 1.0, 2.0], "x").count("<polyline") == 2
    assert outcome_strip(["PASS", "FAIL"]).count("<rect") == 2
