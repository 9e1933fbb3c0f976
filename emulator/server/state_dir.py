"""The state folder: where the emulator keeps what."""

import os
from pathlib import Path

from emulator.core.database import STATE_FILE, NewerStateError, check_version
from emulator.server.errors import EmulatorError

FOLDER = "emulator"
"""The name of every state folder."""
START_BYTES = 4 * 1024 * 1024
"""The room that a start needs, in bytes."""


def state_dir() -> Path:
    """Return the state folder: `.lab/emulator` of the project, or `emulator` in `LAB_DIR`.

    Installed without the project, the package keeps its state in the current folder's `.lab`.
    """
    project = Path(__file__).resolve().parents[2]
    base = project if (project / "Pulumi.yaml").exists() else Path.cwd()
    return Path(os.environ.get("LAB_DIR") or base / ".lab").resolve() / FOLDER


def storage_folder(state: Path) -> Path:
    """Return the folder of the objects of Cloud Storage."""
    return state / "storage"


def remove_temp_files(state: Path) -> None:
    """Remove files that a killed emulator had not finished."""
    for draft in state.glob("*.draft"):
        draft.unlink()


def check_state_dir(state: Path) -> None:
    """Create the state folder, and check that it has room and that this version can read it.

    The emulator could report it in its log only, which is in that folder too.

    Raises:
        EmulatorError: the folder can't be written, or a newer emulator wrote its state
    """
    try:
        check_version(state / STATE_FILE)
    except NewerStateError as error:
        raise EmulatorError(str(error)) from None
    probe = state / "start.probe"
    try:
        state.mkdir(parents=True, exist_ok=True)
        try:
            with probe.open("wb") as file:
                file.write(bytes(START_BYTES))
                file.flush()
                os.fsync(file.fileno())
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise EmulatorError(
            f"The state folder {state} is not writable: {error.strerror}. Free some space there, "
            "make it writable, or set LAB_DIR to another folder."
        ) from error
