"""docs/emulator.md is complete: commands, options, variables, control calls."""

import re
from pathlib import Path

import pytest
import typer

from emulator import __main__ as command_line
from emulator.api_coverage import offline_cloud
from emulator.control.models import Control, Inspected, NoBackends
from emulator.control.routes import routes
from emulator.server.environment import environment
from emulator.services.healthcare.stores.store_types import STORE_TYPES

PAGE = (Path(__file__).parents[3] / "docs/emulator.md").read_text()
COMMANDS = typer.main.get_command(command_line.app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_with_its_options(name: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |"))

    options = [option for parameter in COMMANDS[name].params for option in parameter.opts]
    assert [option for option in options if option.startswith("--") and option not in row] == []


def test_no_command_that_is_not_there() -> None:
    assert set(re.findall(r"python -m emulator (\w+)", PAGE)) <= set(COMMANDS)


def test_every_variable() -> None:
    variables = environment(Path(), port=1)

    assert [name for name in variables if f"`{name}`" not in PAGE] == []


def test_every_control_call_and_store_type() -> None:
    with offline_cloud() as cloud:
        inspected = Inspected(
            cloud.healthcare.resources, cloud.iam.policies, cloud.pubsub, cloud.containers
        )
        control = Control(NoBackends(), cloud.operations, cloud.reset, inspected)
    paths = [route.path.partition("{")[0].rstrip("/") for route in routes(control)]

    assert [path for path in paths if path not in PAGE] == []
    assert [store_type for store_type in STORE_TYPES if f"`{store_type}`" not in PAGE] == []
