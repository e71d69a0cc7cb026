"""`hil explain` as people and scripts meet it."""

import json
import re
import shutil
import signal
import sys
from pathlib import Path

import html5lib
import pytest

from hil.cli import main

ROOT = Path(__file__).resolve().parents[3]
MODEL = str(ROOT / "hil" / "models" / "exercise.hilmodel")
WATCH = str(ROOT / "scenarios" / "recordings" / "watch-unseen-9.mcap")


def hil(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line in this process, whose torch is loaded already; give the exit code."""
    monkeypatch.setattr(sys, "argv", ["hil", *arguments])
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as left:
            main()
    finally:
        signal.signal(signal.SIGTERM, before)
    return int(left.value.code or 0)


def test_a_decision_is_explained_as_json_and_as_a_page_with_bands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "why.html"
    assert hil(monkeypatch, "explain", MODEL, WATCH, "--at", "12.3", "--html", str(page), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["board"], told["stream"]) == (1, "watch", "imu")
    assert told["from_s"] < told["to_s"] == told["t_s"] <= 12.3
    assert told["method"] == "integrated gradients"
    assert told["completeness"]["relative"] < 0.02
    assert {one["channel"] for one in told["channels"]} == {"ax", "ay", "az", "wx", "wy", "wz"}
    assert all(one["from_s"] >= told["from_s"] - 0.02 for one in told["stretches"])
    html = page.read_text(encoding="utf-8")
    parser = html5lib.HTMLParser(strict=False)
    parser.parse(re.sub(r' d="[^"]*"', "", html))
    assert [error for _, error, _ in parser.errors] == []
    drawn = sum(abs(one) >= 0.03 * max(abs(two) for row in told["band"]["added"].values() for two in row)
                for added in told["band"]["added"].values() for one in added)  # fmt: skip
    assert len(re.findall(r"var\(--s[12]\); fill-opacity", html)) == drawn > 50
    assert "adds up to" in html
    assert hil(monkeypatch, "explain", MODEL, WATCH, "--at", "12.3", "--html", str(page)) == 2
    assert "never overwritten" in capsys.readouterr().err


def test_a_decision_is_explained_as_two_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hil(monkeypatch, "explain", MODEL, WATCH, "--at", "12.3", "--board", "watch") == 0
    out, err = capsys.readouterr()
    assert re.match(r"channel +share +added\n", out)
    assert "led by" in out
    assert re.search(r"above that of the training mean; what is shown adds up to .*% off\)", err)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "--at"),
        (("--at", "99999"), "is not in the recording"),
        (("--at", "0.5"), "decided nothing"),
        (("--at", "12.3", "--board", "nobody"), "nobody"),
        (("--at", "soon"), "not a valid float"),
    ],
)
def test_a_mistake_ends_in_one_sentence_and_exit_code_2(
    more: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hil(monkeypatch, "explain", MODEL, WATCH, *more, "--json") == 2
    out, err = capsys.readouterr()
    assert said in json.dumps(json.loads(out)["error"]) + err
    assert len(err.strip().splitlines()) == 1


def test_without_captum_the_verb_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "captum", None)
    copied = shutil.copy(WATCH, tmp_path / "w.mcap")
    assert hil(monkeypatch, "explain", MODEL, str(copied), "--at", "12.3") == 2
    assert capsys.readouterr().err.strip().endswith("run: pip install 'hil-testbench[explain]'")


def test_help_has_an_example(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert hil(monkeypatch, "explain", "--help") == 0
    assert "hil explain exercise.hilmodel session.mcap --at 12.3" in capsys.readouterr().out
