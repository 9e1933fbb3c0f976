"""For all tests: the options of a run, its order on several workers, and the report of the soak."""

import gc
import multiprocessing
from datetime import date

# Before anything imports `engine.pulumi_proto`, which would register the SDK's packages bare.
import pulumi  # noqa: F401
import pytest

from tests.support import schedule
from tests.support.soak_report import LINES


def pytest_addoption(parser: pytest.Parser) -> None:
    today = int(date.today().strftime("%Y%m%d"))
    parser.addoption("--soak", action="store_true", help="the long form of tests/soak")
    parser.addoption(
        "--soak-seed", type=int, default=today, help="what tests/soak draws from; today's date"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LINES] = []
    gc.disable()  # whatever is imported and collected stays


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the files that take longest; `--dist loadfile` keeps a file on one worker."""
    items.sort(key=schedule.rank)


def pytest_collection_finish() -> None:
    """Look for garbage among objects of the tests alone, not of the modules that they import."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand a worker's lines over to the run."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["soak"] = session.config.stash[LINES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take a worker's lines over; one that has crashed has none."""
    output = getattr(node, "workeroutput", {})
    node.config.stash[LINES].extend(output.get("soak", []))  # type: ignore[attr-defined]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if lines := config.stash[LINES]:
        terminalreporter.section(f"soak, seed {config.getoption('--soak-seed')}")
        for line in lines:
            terminalreporter.line(line)


def pytest_unconfigure() -> None:
    """End the workers that are left: the interpreter waits for its pools, and one may be stuck."""
    for process in multiprocessing.active_children():
        process.terminate()
