"""The virtual environment of the pipelines: `pipelines/.venv`, made from the lock file.

It takes some seconds, and half a gigabyte, the first time, and nothing after that, until the lock
file changes. Several processes may ask for it at once.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
_LOCK = _FOLDER / "requirements.txt"
_VENV = _FOLDER / ".venv"
_DIGEST = _VENV / ".made-from"
"""Written last: the digest of the lock file that the environment holds."""


class EnvironmentSetupError(Exception):
    """The virtual environment of the pipelines can't be made."""


def ensure() -> Path:
    """Make the environment, unless it is there and up to date.

    Returns:
        Its interpreter.

    Raises:
        EnvironmentSetupError: uv is missing or failed; the message has what it said
    """
    digest = hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    if _holds(digest):
        return _interpreter()
    try:
        from filelock import FileLock
        from uv import find_uv_bin

        program = find_uv_bin()
    except (ImportError, FileNotFoundError) as error:
        raise EnvironmentSetupError(
            "uv or filelock is missing from this environment: make setup"
        ) from error
    with FileLock(_FOLDER / ".venv.lock"):
        if not _holds(digest):
            _make(program, digest)
    return _interpreter()


def main() -> int:
    """Make the environment; 1 if that fails."""
    try:
        ensure()
    except EnvironmentSetupError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _interpreter() -> Path:
    return _VENV / ("Scripts" if sys.platform == "win32" else "bin") / "python"


def _holds(digest: str) -> bool:
    return _DIGEST.is_file() and _DIGEST.read_text() == digest and _interpreter().exists()


def _make(program: str, digest: str) -> None:
    sys.stderr.write("Setting up Apache Beam in pipelines/.venv (some 600 MB, once) ...\n")
    _uv(program, "venv", "--quiet", "--clear", "--python", sys.executable, str(_VENV))
    python = str(_interpreter())
    _uv(program, "pip", "sync", "--quiet", "--require-hashes", "--python", python, str(_LOCK))
    _DIGEST.write_text(digest)
    sys.stderr.write("Apache Beam is set up.\n")


def _uv(program: str, *arguments: str) -> None:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise EnvironmentSetupError(
            f"uv {arguments[0]} failed for the pipelines ({_LOCK}). It said:\n{done.stderr}\n"
            "Fix what uv names (often the network or a proxy), then run this again."
        )


if __name__ == "__main__":
    sys.exit(main())
