"""For all tests."""

import multiprocessing

# Before anything imports `engine.protocol`, which would register the SDK's packages bare.
import pulumi  # noqa: F401
import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="the long form of tests/soak")
    parser.addoption("--soak-seed", type=int, default=1, help="what tests/soak draws from")


def pytest_unconfigure() -> None:
    """End the workers that are left: the interpreter waits for its pools, and one may be stuck."""
    for process in multiprocessing.active_children():
        process.terminate()
