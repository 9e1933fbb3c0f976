"""The local Google Cloud: the Healthcare API and the services around it, on loopback.

From Python, an emulator is started and stopped by its state folder:

    running = emulator.start()
    requests.get(f"{running.url}/v1/projects/local-project")
    subprocess.run(command, env={**os.environ, **running.environment()})
    emulator.stop()

Importing this package is cheap: what the functions need is imported when they are called.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from emulator.server.errors import EmulatorError
from emulator.server.server_file import Ports, ServerInfo

__all__ = ["EmulatorError", "Ports", "ServerInfo", "reset", "start", "status", "stop"]

LOG = logging.getLogger(__name__)


def start(
    state: Path | None = None,
    ports: Ports | None = None,
    *,
    all_services_enabled: bool = False,
    enforce_iam: bool = False,
    images: Mapping[str, str] | None = None,
    report: Callable[[str], None] = LOG.info,
) -> ServerInfo:
    """Start the emulator in the background and wait until it is ready; keep one that runs.

    Args:
        state: its state folder, which must be called `emulator`; by default `.lab/emulator`, or
            `emulator` in `LAB_DIR`
        ports: ports to listen on; a port of 0 is the one used last, or any free one
        all_services_enabled: whether every service counts as enabled in every project
        enforce_iam: whether every call is decided by the roles of its caller; so it is too where
            the variable EMULATOR_ENFORCE_IAM is 1
        images: name of a container image -> the Python module or file that runs in its place; those
            of earlier starts stay, an empty program removes one
        report: called with each message about the start

    Raises:
        EmulatorError: A port is in use, a service does not start, the state folder has another
            name, or it is not writable.
    """
    from emulator.server import lifecycle

    return lifecycle.start(
        state or _state_dir(),
        ports,
        all_services_enabled=all_services_enabled,
        enforce_iam=enforce_iam,
        images=images,
        report=report,
    )


def status(state: Path | None = None) -> ServerInfo | None:
    """Return the emulator that serves a state folder; None if there is none."""
    from emulator.server import lifecycle

    return lifecycle.status(state or _state_dir())


def stop(state: Path | None = None) -> bool:
    """Stop the emulator; its state stays.

    Returns:
        Whether one was running.

    Raises:
        EmulatorError: The process does not end.
    """
    from emulator.server import lifecycle

    return lifecycle.stop(state or _state_dir())


def reset(state: Path | None = None) -> ServerInfo | None:
    """Delete the state except the public bucket; a running emulator keeps running.

    Returns:
        The running emulator, if there is one.

    Raises:
        EmulatorError: The running emulator is not ready again in time.
    """
    from emulator.server import lifecycle

    return lifecycle.reset(state or _state_dir())


def _state_dir() -> Path:
    from emulator.server.state_dir import state_dir

    return state_dir()
