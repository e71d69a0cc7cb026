"""pytest collects `scenarios/**/*.toml`: one item a scenario, the checks as its sub-results.

Rule of this room: lazy. Collecting reads TOML and loads neither torch nor a recording; a mistake in a file is an error
of collection that reads like `hil scenario check`. FAIL and UNSET fail the item, TROUBLE is an error of its set-up (the
bench's fault, not the device's), NA skips it with the reason. In quarantine a failure is an expected one.
"""

import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hil.pytest_checks import CheckReport, put_checks, show_checks, status_of

if TYPE_CHECKING:
    from hil.api import Bench
    from hil.recording.reader import Recording
    from hil.scenario.grammar.load import Loaded
    from hil.scenario.results.outcome import ScenarioResult

__all__ = ["ScenarioFile", "ScenarioItem", "bench", "board", "pytest_addoption", "pytest_collect_file",
           "pytest_configure", "pytest_report_teststatus", "pytest_runtest_makereport",
           "recording", "virtual_board"]  # fmt: skip

_BEGAN = pytest.StashKey[int]()

TURN_S = 60.0
"""How long a process of pytest-xdist waits for a board that another one of them may hold."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of scenarios."""
    group = parser.getgroup("hil", "hardware-in-the-loop scenarios")
    group.addoption("--hil-on", default=None, help="target of scenarios: recording, virtual, PORT or ROLE=PORT")
    group.addoption("--hil-seed", type=int, default=0, help="added to the seeds of scenarios")
    group.addoption("--hil-twice", action="store_true", help="run each scenario in two ways and compare")
    group.addoption(
        "--hil-bench",
        default=None,
        metavar="FILE",
        help="port of each board; default: $HIL_BENCH, or bench.toml of this folder",
    )
    group.addoption(
        "--hil-keep", default="hil-runs", metavar="DIR", help="where recordings of failures are kept; '': nowhere"
    )
    group.addoption(
        "--hil-wait", type=float, default=None, metavar="SECONDS",
        help="wait so long for a port that somebody holds; 0, and with -n 60: its processes take turns at a board",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker that scenarios bear, and refuse a bench file that is none."""
    if config.option.hil_bench is not None:
        from firmware_bridge.errors import BridgeError

        try:
            _bench(config)
        except BridgeError as error:
            raise pytest.UsageError(str(error)) from None
    config.addinivalue_line("markers", "scenario: a scenario file (*.toml)")
    config.pluginmanager.register(_Shown(config), "hil-checks")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ScenarioFile | None":
    """Collect scenario files below a folder called `scenarios`, and those that were named."""
    if file_path.suffix != ".toml":
        return None
    named = any(Path(arg.partition("::")[0]).absolute() == file_path for arg in parent.config.args)
    root = next((folder for folder in file_path.parents if folder.name == "scenarios"), None)
    if not named:
        from hil.scenario.grammar.load import is_scenario_file

        if root is None or not is_scenario_file(file_path, root):
            return None
    found: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
    return found


class ScenarioFile(pytest.File):
    """A scenario file."""

    def collect(self) -> Iterator["ScenarioItem"]:
        """Yield its one scenario.

        Raises:
            CollectError: It has mistakes; all of them are told.
        """
        from firmware_bridge.errors import BridgeError
        from hil.scenario.grammar.load import load_scenario

        try:
            loaded = load_scenario(self.path)
        except BridgeError as error:
            raise self.CollectError(str(error)) from None
        yield ScenarioItem.from_parent(self, name=self.path.stem, loaded=loaded)


def _bench(config: pytest.Config) -> tuple[tuple[tuple[str, str], ...], str]:
    """Return the port of each board and the file that names them, found as `hil run` finds it."""
    from hil.scenario.grammar.benchfile import find_bench, read_bench

    chosen = find_bench(config.option.hil_bench)
    return ((), "") if chosen is None else (read_bench(chosen[0]), str(chosen[0]))


def _wait_s(config: pytest.Config) -> float:
    given: float | None = config.option.hil_wait
    if given is not None:
        return given
    return TURN_S if hasattr(config, "workerinput") else 0.0


def _folder(config: pytest.Config) -> str:
    from hil.scenario.afterwards.kept import run_folder

    if _BEGAN not in config.stash:
        config.stash[_BEGAN] = time.time_ns()
    return str(run_folder(config.option.hil_keep, config.stash[_BEGAN])) if config.option.hil_keep else ""


class ScenarioEnded(Exception):
    """A scenario did not pass; the message is the report's table and the command that reproduces it."""


class ScenarioTrouble(ScenarioEnded):
    """The bench failed, not the device."""


class ScenarioFailed(ScenarioEnded):
    """A check failed, or what should have been measured was not."""


class ScenarioItem(pytest.Item):
    """A scenario as a test."""

    def __init__(self, *, loaded: "Loaded", **more: Any) -> None:
        super().__init__(**more)
        self.loaded = loaded
        self.result: ScenarioResult | None = None
        self.add_marker("scenario")

    def setup(self) -> None:
        """Run the scenario: trouble of the bench is an error of the set-up."""
        from firmware_bridge.errors import BridgeError
        from hil.scenario.results.outcome import NA, TROUBLE
        from hil.scenario.run import RunOptions, run_scenario

        options = self.config.option
        try:
            ports, bench_file = _bench(self.config)
        except BridgeError as error:
            raise ScenarioTrouble(str(error)) from None
        chosen = RunOptions(
            on=options.hil_on, seed=options.hil_seed, twice=options.hil_twice, bench=ports,
            bench_file=bench_file, wait_s=_wait_s(self.config), keep=_folder(self.config),
        )  # fmt: skip
        self.result = run_scenario(self.loaded, chosen)
        if self.result.outcome == TROUBLE and not self.result.quarantined:
            raise ScenarioTrouble(self._told())
        if self.result.outcome == NA:
            pytest.skip(self.result.why or "nothing in it can be had on this target")

    def runtest(self) -> None:
        """Judge it.

        Raises:
            ScenarioFailed: A check is FAIL or UNSET.
        """
        from hil.scenario.results.outcome import FAIL, TROUBLE, UNSET

        assert self.result is not None
        if self.result.quarantined and self.result.outcome in (FAIL, UNSET, TROUBLE):
            pytest.xfail(f"in quarantine: {self.result.quarantined}")
        if self.result.outcome in (FAIL, UNSET):
            raise ScenarioFailed(self._told())

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file and the name that a report shows."""
        return self.path, 0, self.loaded.scenario.name

    def _told(self) -> str:
        from hil.scenario.results.table import headline, result_lines

        assert self.result is not None
        lines = [headline(self.result), *result_lines(self.result, verbose=True), f"again: {self.result.again}"]
        return "\n".join(lines)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the report of a scenario tell its table in place of a traceback, and carry its checks."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, ScenarioEnded):
        report.longrepr = str(call.excinfo.value)
    elif isinstance(item, ScenarioItem) and isinstance(report.longrepr, tuple):
        report.longrepr = (str(item.path), 1, report.longrepr[2])
    ended = report.when == "call" or (report.when == "setup" and not report.passed)
    if ended and isinstance(item, ScenarioItem) and item.result is not None:
        put_checks(report, item.result)
    return report


class _Shown:
    """Shows checks beside the items they belong to."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Show the checks of an item before it."""
        show_checks(report, self._config)


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(
    report: pytest.CollectReport | pytest.TestReport, config: pytest.Config
) -> tuple[str, str, str] | None:
    """Name a check that the terminal shows."""
    return status_of(report, config) if isinstance(report, CheckReport) else None


@pytest.fixture
def bench() -> Iterator[Callable[..., "Bench"]]:
    """Open live boards for a test in Python: `bench("watch=/dev/ttyACM0")`; they are closed after it."""
    import hil

    opened: list[Bench] = []

    def connect(*ports: str, **more: Any) -> "Bench":
        made = hil.connect(*ports, **more).__enter__()
        opened.append(made)
        return made

    yield connect
    for one in opened:
        one.close()


@pytest.fixture
def board(bench: Callable[..., "Bench"], pytestconfig: pytest.Config) -> "Bench":
    """The live board of `--hil-on PORT`; without one the test is skipped with a sentence."""
    port = pytestconfig.option.hil_on
    if port in (None, "recording", "virtual", "firmware"):
        pytest.skip("no board: name its port with --hil-on PORT")
    opened: Bench = bench(port)
    return opened


@pytest.fixture
def virtual_board(bench: Callable[..., "Bench"]) -> Callable[[str], "Bench"]:
    """Open a virtual board for a test in Python: `virtual_board("imu?seed=7")`."""

    def make(name: str) -> "Bench":
        return bench(f"virtual://{name}")

    return make


@pytest.fixture
def recording() -> Iterator[Callable[[Path | str], "Recording"]]:
    """Open recordings for a test in Python: `recording("run.mcap")`; they are closed after it."""
    import hil

    opened: list[Recording] = []

    def open_one(path: Path | str) -> "Recording":
        made = hil.open(path)
        opened.append(made)
        return made

    yield open_one
    for one in opened:
        one.close()
