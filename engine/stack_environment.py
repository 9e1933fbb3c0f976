"""Environment variables of a stack: the engine, the state and the endpoints.

A stack named `local`, or with a name that begins with `local-`, is on the local Google Cloud; every
other one is on Google Cloud. Only this module decides; all others use the variables.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine import gcp_plugin, pulumi_cli
from engine.errors import EngineError
from engine.gcp_plugin import Plugin
from engine.loopback import is_loopback
from engine.pulumi_cli import EngineInfo
from engine.versions import HOST_PYTHON

Report = Callable[[str], None]

ROOT = Path(__file__).resolve().parent.parent
PASSPHRASE = "local"  # noqa: S105 - opens nothing but a lab's own state
_ENDPOINTS = ("BIGQUERY_EMULATOR_HOST", "STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST")


@dataclass(frozen=True)
class StackEnvironment:
    """The environment of a stack's commands.

    Attributes:
        engine: the engine to use
        gcp_plugin: the plugin that the engine uses
        environment: variables to add to those of the process
    """

    engine: EngineInfo
    gcp_plugin: Plugin
    environment: dict[str, str] = field(default_factory=dict)


def is_local(stack: str) -> bool:
    """Whether a stack is on the local Google Cloud."""
    return stack == "local" or stack.startswith("local-")


def lab_dir() -> Path:
    """Return the folder of all local state: `.lab` in the project, or LAB_DIR."""
    return Path(os.environ.get("LAB_DIR") or ROOT / ".lab").resolve()


def prepare(stack: str, report: Report) -> StackEnvironment:
    """Install the engine if needed, start the local Google Cloud for a local stack.

    Args:
        stack: the name of the stack
        report: prints what takes long

    Raises:
        EngineError: the engine can't be installed, the local Google Cloud does not start, or the
            variables of the process contradict the name of the stack
    """
    if not is_local(stack):
        _refuse_local_variables(stack, os.environ)
        engine = pulumi_cli.obtain(report)
        return StackEnvironment(engine, "real", _engine_variables(engine))
    engine = pulumi_cli.obtain(report)
    plugin = gcp_plugin.choose(lab_dir() / "pulumi/home", engine, _user_environment(), report)
    return StackEnvironment(engine, plugin, _local_variables(engine, _start(report)))


def stop(stack: str) -> None:
    """Stop the local Google Cloud if a stack is on it; its state stays.

    Raises:
        EngineError: it does not stop
    """
    if is_local(stack):
        from emulator.server import lifecycle
        from emulator.server.errors import EmulatorError

        try:
            lifecycle.stop(lab_dir() / "emulator")
        except EmulatorError as error:
            raise EngineError(f"The local Google Cloud does not stop: {error}") from error


def _start(report: Report) -> dict[str, str]:
    """Start the local Google Cloud unless it runs; return its variables."""
    # Imported late: a stack on Google Cloud needs none of the emulator's packages.
    try:
        from emulator.server import lifecycle
        from emulator.server.errors import EmulatorError
    except ImportError as error:
        raise EngineError(
            f"The local Google Cloud is not installed ({error.name} is missing): run `make setup`."
        ) from None
    try:
        return lifecycle.start(lab_dir() / "emulator", report=report).environment()
    except EmulatorError as error:
        raise EngineError(f"The local Google Cloud does not start: {error}") from error


def _local_variables(engine: EngineInfo, endpoints: Mapping[str, str]) -> dict[str, str]:
    (lab_dir() / "pulumi/state").mkdir(parents=True, exist_ok=True)
    return {
        **_engine_variables(engine),
        "LAB_DIR": str(lab_dir()),
        **_local_state_variables(),
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        **endpoints,
    }


def _local_state_variables() -> dict[str, str]:
    """Return the variables of the folders that only local stacks use."""
    return {
        "PULUMI_HOME": str(lab_dir() / "pulumi/home"),
        # Without a metadata file beside each file: the engine does not write it atomically, and a
        # state beside an empty one, which a killed engine left, can't be read.
        "PULUMI_BACKEND_URL": f"file://{lab_dir() / 'pulumi/state'}?metadata=skip",
    }


def _engine_variables(engine: EngineInfo) -> dict[str, str]:
    """Return a PATH with the engine first and this environment's Python next, each once."""
    mine = [str(engine.path), str(Path(sys.executable).parent)]
    others = [part for part in os.environ.get("PATH", "").split(os.pathsep) if part not in mine]
    return {
        "PATH": os.pathsep.join([*mine, *others]),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        # Read by the language host of an engine that was built from source.
        HOST_PYTHON: sys.executable,
    }


def _user_environment() -> dict[str, str]:
    """Return the variables of the process without those that an earlier `prepare` added."""
    private = _local_state_variables().items()
    return {name: value for name, value in os.environ.items() if (name, value) not in private}


def _refuse_local_variables(stack: str, environment: Mapping[str, str]) -> None:
    """Refuse the local endpoints, stand-in and state for a stack on Google Cloud."""
    private = _local_state_variables()
    for name, value in environment.items():
        if (_is_endpoint(name) and is_loopback(value)) or private.get(name) == value:
            raise EngineError(
                f"Stack {stack!r} is on Google Cloud, but {name}={value} belongs to the local "
                "one. Use a shell without the local Google Cloud's variables, or a stack named "
                "`local` or `local-...`."
            )


def _is_endpoint(name: str) -> bool:
    custom = name.startswith("GOOGLE_") and name.endswith("_CUSTOM_ENDPOINT")
    return custom or name in _ENDPOINTS
