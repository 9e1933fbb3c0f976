"""The two places that a stack can live in, and the environment that leads there.

A stack named `local`, or beginning with `local-`, lives on the local Google Cloud; every other one
on Google Cloud. This is the only room that knows; to all others a place is a set of variables.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine import cli, gcp_plugin
from engine.cli import EngineInfo
from engine.errors import EngineError
from engine.gcp_plugin import Plugin
from engine.loopback import is_loopback
from engine.versions import HOST_PYTHON

Report = Callable[[str], None]

ROOT = Path(__file__).resolve().parent.parent
PASSPHRASE = "local"  # noqa: S105 - opens nothing but a lab's own state
_ENDPOINTS = ("BIGQUERY_EMULATOR_HOST", "STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST")


@dataclass(frozen=True)
class Place:
    """Where a stack lives.

    Attributes:
        engine: The engine to use.
        gcp_plugin: Which plugin the engine will use.
        environment: The variables to add to one's own.
    """

    engine: EngineInfo
    gcp_plugin: Plugin
    environment: dict[str, str] = field(default_factory=dict)


def is_local(stack: str) -> bool:
    """Whether a stack lives on the local Google Cloud."""
    return stack == "local" or stack.startswith("local-")


def lab_dir() -> Path:
    """The folder of all local state: `.lab` in the project, or LAB_DIR."""
    return Path(os.environ.get("LAB_DIR") or ROOT / ".lab").resolve()


def prepare(stack: str, report: Report) -> Place:
    """Make a stack's place ready: an engine, and for a local stack the local Google Cloud.

    Args:
        stack: The stack's name.
        report: Told what takes long.

    Raises:
        EngineError: No engine can be had, the local Google Cloud does not start, or the
            environment leads elsewhere than the stack's name says.
    """
    if not is_local(stack):
        _refuse_local_variables(stack, os.environ)
        engine = cli.obtain(report)
        return Place(engine, "real", _engine_variables(engine))
    engine = cli.obtain(report)
    plugin = gcp_plugin.choose(lab_dir() / "pulumi/home", engine, _users_own(), report)
    return Place(engine, plugin, _local_variables(engine, _start(report)))


def leave(stack: str) -> None:
    """Stop what `prepare` started for a stack; its state stays.

    Raises:
        EngineError: It does not stop.
    """
    if is_local(stack):
        from emulator import processes

        try:
            processes.stop(lab_dir() / "emulator")
        except processes.EmulatorError as error:
            raise EngineError(f"The local Google Cloud does not stop: {error}") from error


def _start(report: Report) -> dict[str, str]:
    """Start the local Google Cloud, if it does not run, and give its variables."""
    # Imported late: a stack on Google Cloud needs none of the emulator's packages.
    try:
        from emulator import processes
    except ImportError as error:
        raise EngineError(
            f"The local Google Cloud is not installed ({error.name} is missing): run `make setup`."
        ) from None
    try:
        return processes.start(lab_dir() / "emulator", report=report).environment()
    except processes.EmulatorError as error:
        raise EngineError(f"The local Google Cloud does not start: {error}") from error


def _local_variables(engine: EngineInfo, endpoints: Mapping[str, str]) -> dict[str, str]:
    (lab_dir() / "pulumi/state").mkdir(parents=True, exist_ok=True)
    return {
        **_engine_variables(engine),
        "LAB_DIR": str(lab_dir()),
        **_private_variables(),
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        **endpoints,
    }


def _private_variables() -> dict[str, str]:
    """Where the engine keeps what belongs to the local place alone."""
    return {
        "PULUMI_HOME": str(lab_dir() / "pulumi/home"),
        # Without the side file that the engine keeps to each file: it is not written at one go, and
        # one that a killed engine left empty keeps the state from being read.
        "PULUMI_BACKEND_URL": f"file://{lab_dir() / 'pulumi/state'}?metadata=skip",
    }


def _engine_variables(engine: EngineInfo) -> dict[str, str]:
    """The engine first on PATH, this environment's Python next, and each only once."""
    mine = [str(engine.path), str(Path(sys.executable).parent)]
    others = [part for part in os.environ.get("PATH", "").split(os.pathsep) if part not in mine]
    return {
        "PATH": os.pathsep.join([*mine, *others]),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        # Read by the language host of an engine that was built from source.
        HOST_PYTHON: sys.executable,
    }


def _users_own() -> dict[str, str]:
    """The user's environment, without what an earlier `prepare` put into it."""
    private = _private_variables().items()
    return {name: value for name, value in os.environ.items() if (name, value) not in private}


def _refuse_local_variables(stack: str, environment: Mapping[str, str]) -> None:
    """Keep a stack on Google Cloud from the local endpoints, stand-in and state."""
    private = _private_variables()
    for name, value in environment.items():
        if (_is_endpoint(name) and is_loopback(value)) or private.get(name) == value:
            raise EngineError(
                f"Stack {stack!r} lives on Google Cloud, but {name}={value} leads to the local "
                "one. Use a shell without the local Google Cloud's variables, or a stack named "
                "`local` or `local-...`."
            )


def _is_endpoint(name: str) -> bool:
    custom = name.startswith("GOOGLE_") and name.endswith("_CUSTOM_ENDPOINT")
    return custom or name in _ENDPOINTS
