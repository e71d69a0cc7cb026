"""Starting the screen: quick, without torch, and kind where there is no terminal."""

import io
import subprocess
import sys
import threading

import pytest
import screen_fakes as fakes
from typer.testing import CliRunner

from firmware_bridge.clock import ManualClock
from firmware_bridge.errors import BridgeError, PortMissing, UsageError
from hil.cli import app
from hil.tui import start
from hil.tui.feed import Answer, Feed, Reply
from hil.tui.nobench import NoBench
from hil.tui.opening import Opening
from hil.views.view import View


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stdin", "stderr"), [(io.StringIO(), Tty()), (Tty(), io.StringIO()), (None, Tty())])
def test_without_a_terminal_it_says_so_in_one_sentence(monkeypatch, stdin, stderr) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(sys, "stderr", stderr)
    sentence = start.needs_terminal()
    assert sentence is not None
    assert "needs a terminal" in sentence
    assert "--plain" in sentence
    assert start.run_tui(fakes.FakeClient()) == 2
    assert stderr.getvalue() == f"{sentence}\n"


def test_a_terminal_is_recognised_and_a_dumb_one_refused(monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", Tty())
    monkeypatch.setattr(sys, "stderr", Tty())
    monkeypatch.setenv("TERM", "xterm-256color")
    assert start.needs_terminal() is None
    monkeypatch.setenv("TERM", "dumb")
    assert "dumb" in (start.needs_terminal() or "")


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(' '.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_the_screen_needs_neither_torch_nor_scipy_and_asking_for_a_terminal_needs_nothing() -> None:
    assert not {"torch", "scipy", "pandas", "serial", "mcap", "firmware_bridge.events"} & loaded_by(
        "import hil.tui.app"
    )
    assert not {"textual", "numpy"} & loaded_by("import hil.tui.start")
    assert "textual" not in loaded_by(
        "import hil.tui.charts.canvas, hil.tui.charts.chart, hil.tui.lines.panes, hil.tui.stage, hil.tui.state.deeds"
    )


class SlowClient(fakes.FakeClient):
    """An engine that answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.free = threading.Event(), threading.Event()

    def snapshot(self, view: View):
        self.asked.set()
        assert self.free.wait(30)
        return super().snapshot(view)


def test_a_slow_engine_makes_the_screen_skip_pictures_and_nothing_queues_up() -> None:
    client, came = SlowClient(), []
    delivered = threading.Event()
    feed = Feed(client, lambda what: (came.append(what), delivered.set()))
    feed.start()
    assert feed.ask(View())
    assert client.asked.wait(30)
    assert not any(feed.ask(View()) for _ in range(5))
    assert feed.skipped == 5
    client.free.set()
    assert delivered.wait(30)
    assert not feed.ask(View())
    feed.taken()
    assert feed.ask(View())
    feed.stop(30)
    assert all(isinstance(what, Answer) for what in came)
    assert len(client.views) <= 2


def test_commands_are_given_in_order_and_before_the_end() -> None:
    client, came = fakes.FakeClient(), []
    feed = Feed(client, came.append)
    feed.start()
    for number in range(20):
        feed.command("mark", text=str(number))
    feed.stop(30)
    assert [args["text"] for _, args in client.commands] == [str(number) for number in range(20)]
    assert all(isinstance(what, Reply) and not what.trouble for what in came)


def test_an_engine_that_starts_late_is_waited_for_and_one_that_cannot_is_told() -> None:
    class Late(fakes.FakeClient):
        summary = None
        closed = False

        def close(self) -> None:
            self.closed = True

    made = Late()
    with Opening(lambda: made) as client:
        assert client.snapshot(View()).mode == "live"
        client.command("mark", text="x")
    assert made.closed
    assert made.commands == [("mark", {"text": "x"})]

    def refuse() -> Late:
        raise PortMissing("there is no such port", "/dev/ttyACM9", "see `hil ports`")

    with Opening(refuse) as client:
        with pytest.raises(PortMissing, match="ttyACM9"):
            client.snapshot(View())
        assert isinstance(client.failure, PortMissing)


def test_an_engine_that_nobody_asked_for_never_starts() -> None:
    started: list[str] = []
    with Opening(lambda: started.append("yes")) as client:  # type: ignore[arg-type, func-returns-value]
        assert client.summary is None
    with pytest.raises(BridgeError, match="left before it started"):
        client.snapshot(View())
    assert started == []


def test_who_waits_for_a_picture_loads_no_other_family_of_verbs_and_nothing_of_the_engine() -> None:
    asking = "import sys; sys.argv = ['hil', 'ui', '--help']; import hil.cli, contextlib, io\n"
    code = f"{asking}with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): hil.cli.main()"
    loaded = {name for name in loaded_by(code) if name.startswith("hil.cli.")}
    assert loaded == {"hil.cli.common", "hil.cli.verbs", "hil.cli.live"}
    screen = loaded_by("import hil.tui.app, hil.tui.opening, hil.door.attach")
    assert not {"pydantic", "hil.config", "hil.engine.engine"} & screen


@pytest.mark.parametrize("words", [["a.mcap", "virtual://imu"], ["a.mcap", "b.mcap"]])
def test_two_things_to_show_are_refused_before_there_is_a_screen(words, monkeypatch) -> None:
    monkeypatch.setattr(start, "needs_terminal", lambda: None)
    refused = CliRunner().invoke(app, ["ui", *words])
    assert "one recording, or ports, not both" in str(refused.exception)
    assert getattr(refused.exception, "exit_code", None) == 2


def test_a_screen_without_a_bench_shows_no_board_and_says_how_to_get_one() -> None:
    client = NoBench(ManualClock())
    assert client.snapshot(View()).boards == ()
    with pytest.raises(UsageError, match="hil ui PORT"):
        client.command("record")


@pytest.mark.parametrize(("words", "sentence"), [
    (["{folder}", "virtual://imu"], "a folder stands alone"), (["--plain"], "lines need a bench"),
    (["{folder}", "--json"], "lines need a bench"),
])  # fmt: skip
def test_what_a_screen_cannot_begin_with_is_refused_in_a_sentence(tmp_path, words, sentence) -> None:
    refused = CliRunner().invoke(app, ["ui", *(word.format(folder=tmp_path) for word in words)])
    assert sentence in str(refused.exception)
    assert getattr(refused.exception, "exit_code", None) == 2
