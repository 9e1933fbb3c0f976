"""Set up the pack's own virtual environment: `python -m policy.environment`.

The engine runs the pack with `policy/.venv`, made here from the lock file. It takes seconds the
first time and nothing after that, until the lock file changes.
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
    """The pack's virtual environment can't be made."""


def ensure() -> Path:
    """Make the environment, unless it is there and up to date.

    Returns:
        Its interpreter.

    Raises:
        EnvironmentSetupError: uv is missing or failed; the message has what it said.
    """
    digest = hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    scripts = "Scripts" if sys.platform == "win32" else "bin"
    interpreter = _VENV / scripts / "python"
    if not _DIGEST.is_file() or _DIGEST.read_text() != digest or not interpreter.exists():
        sys.stderr.write("Setting up the policy pack in policy/.venv (a few seconds) ...\n")
        _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(_VENV))
        _uv("pip", "sync", "--quiet", "--require-hashes", "--python", str(interpreter), str(_LOCK))
        _DIGEST.write_text(digest)
    return interpreter


def _uv(*arguments: str) -> None:
    try:
        from uv import find_uv_bin

        program = find_uv_bin()
    except (ImportError, FileNotFoundError) as error:
        raise EnvironmentSetupError("uv is missing from this environment: make setup") from error
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise EnvironmentSetupError(
            f"uv {arguments[0]} failed for the policy pack ({_LOCK}). It said:\n{done.stderr}\n"
            "Fix what uv names (often the network or a proxy), then run this again."
        )


def main() -> int:
    """Set the environment up; 1 if that fails."""
    try:
        ensure()
    except EnvironmentSetupError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
