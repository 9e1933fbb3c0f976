"""A virtual environment that is created from a lock file, and again when that changes."""

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


class EnvironmentSetupError(Exception):
    """A virtual environment can't be created."""


@dataclass(frozen=True)
class LockedEnvironment:
    """The virtual environment of a part of this repository: `.venv` in its folder.

    Several processes may ask for it at once.

    Attributes:
        folder: of the part, with its `requirements.txt`
        title: of the part, for messages
        effort: what the first time takes, for messages
    """

    folder: Path
    title: str
    effort: str

    @property
    def interpreter(self) -> Path:
        """Its Python."""
        return self._venv / ("Scripts" if sys.platform == "win32" else "bin") / "python"

    def ensure(self) -> Path:
        """Create the environment, unless it is there and up to date.

        Returns:
            Its interpreter.

        Raises:
            EnvironmentSetupError: uv is missing or failed; the message has what it said
        """
        digest = hashlib.sha256(self._lock.read_bytes()).hexdigest()
        if self._holds(digest):
            return self.interpreter
        try:
            from filelock import FileLock
            from uv import find_uv_bin

            program = find_uv_bin()
        except (ImportError, FileNotFoundError) as error:
            raise EnvironmentSetupError(
                "uv or filelock is missing from this environment: make setup"
            ) from error
        with FileLock(self.folder / ".venv.lock"):
            if not self._holds(digest):
                self._create(program, digest)
        return self.interpreter

    def main(self) -> int:
        """Create the environment as a command does; return the exit code."""
        try:
            self.ensure()
        except EnvironmentSetupError as error:
            sys.stderr.write(f"error: {error}\n")
            return 1
        return 0

    @property
    def _venv(self) -> Path:
        return self.folder / ".venv"

    @property
    def _lock(self) -> Path:
        return self.folder / "requirements.txt"

    @property
    def _digest(self) -> Path:
        """The file that is written last: the digest of the lock file."""
        return self._venv / ".made-from"

    def _holds(self, digest: str) -> bool:
        is_made_from = self._digest.is_file() and self._digest.read_text() == digest
        return is_made_from and self.interpreter.exists()

    def _create(self, program: str, digest: str) -> None:
        where = f"{self.folder.name}/.venv"
        sys.stderr.write(f"Setting up {self.title} in {where} ({self.effort}) ...\n")
        self._uv(program, "venv", "--quiet", "--clear", "--python", sys.executable, str(self._venv))
        options = ["--quiet", "--require-hashes", "--python", str(self.interpreter)]
        self._uv(program, "pip", "sync", *options, str(self._lock))
        self._digest.write_text(digest)

    def _uv(self, program: str, *arguments: str) -> None:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise EnvironmentSetupError(
                f"uv {arguments[0]} failed for {self.title} ({self._lock}). It said:\n"
                f"{done.stderr}\n"
                "Fix what uv names (often the network or a proxy), then run this again."
            )
