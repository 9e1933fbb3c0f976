"""For all tests."""

# Before anything imports `engine.protocol`, which would register the SDK's packages bare.
import pulumi  # noqa: F401
import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="the long form of tests/soak")
    parser.addoption("--soak-seed", type=int, default=1, help="what tests/soak draws from")
