"""The errors that scripts show, and the exit codes."""

from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """The exit codes of the scripts; docs/scripts.md lists them too."""

    OK = 0
    FAILED = 1
    USAGE = 2
    PARTLY_FAILED = 3
    STILL_RUNNING = 4
    REFUSED = 5
    PROTECTED = 6
    INTERRUPTED = 130


class ScriptError(Exception):
    """A failure to show to a person: what went wrong, and what to do about it.

    Attributes:
        message: what happened, to which named resource
        hint: what to do about it; empty if that is not known
        exit_code: of the process
        details: facts for `--json`, already free of patient data
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        exit_code: ExitCode = ExitCode.FAILED,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
        self.details = details or {}

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def to_json(self) -> dict[str, Any]:
        """Return the shape that `--json` prints under `error`."""
        # `cure` is the key of earlier releases: it goes with the next one.
        shape = {"message": self.message, "hint": self.hint, "cure": self.hint}
        return shape | {"exit_code": int(self.exit_code)} | self.details


class UsageError(ScriptError):
    """An error of the command line; no service was called."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint, ExitCode.USAGE)
