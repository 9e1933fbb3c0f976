"""Pulumi's command line: start a command, follow it through Ctrl-C, read its errors.

The Automation API is not used: it starts `pulumi version` for each workspace, and after each `up`
reads the outputs twice and the history once. A process costs 0.25 s of CPU, the import of the API
0.6 s. Its `export_stack` also decrypts every secret, and these scripts write states to disk.
"""

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Report = Callable[[str], None]
T = TypeVar("T")

_ERROR = re.compile(r"^\s*(error: .+?)\s*$", re.MULTILINE)
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_NO_STACK = re.compile(r"no stack named.*found")
_LOCKED = ("the stack is currently locked by", "Another update is currently in progress")


def advised(stack: str, command: str) -> str:
    """Return a command for a message, in backticks, that works in any shell.

    The engine of a local stack is not on PATH, and its environment says where the state is.

    Args:
        stack: whose environment it needs
        command: of `pulumi`, such as `stack ls`
    """
    return f"`.venv/bin/python -m engine run --stack {stack} -- pulumi {command}`"


@dataclass(frozen=True)
class CommandResult:
    """The result of a command that has ended.

    Attributes:
        code: its exit code
        stdout: its standard output
        stderr: its standard error; of a command that was streamed, the lines that name an error
    """

    code: int
    stdout: str
    stderr: str

    @property
    def is_stack_missing(self) -> bool:
        """Whether it failed because the backend has no such stack."""
        return bool(self.code and _NO_STACK.search(self.stderr))

    @property
    def is_locked(self) -> bool:
        """Whether it failed because another update holds the stack."""
        return bool(self.code) and any(text in self._output for text in _LOCKED)

    @property
    def errors(self) -> list[str]:
        """Pulumi's own error lines, each once."""
        return list(dict.fromkeys(_ERROR.findall(self._output)))

    @property
    def _output(self) -> str:
        return f"{self.stderr}\n{self.stdout}"


def run(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], stdin: str = ""
) -> CommandResult:
    """Run a command and collect its output.

    Args:
        arguments: of `pulumi`
        folder: of the program
        environment: variables over those of this process
        stdin: its standard input
    """
    done = finish_before_interrupt(
        lambda: subprocess.run(
            _command_line(arguments),
            cwd=folder,
            env={**os.environ, **environment},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
    )
    return CommandResult(done.returncode, done.stdout, done.stderr)


def stream(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], on_output: Report
) -> CommandResult:
    """Run a command and report each line of its output at once.

    Args:
        arguments: of `pulumi`
        folder: of the program
        environment: variables over those of this process
        on_output: called with each line of standard output and standard error
    """
    return finish_before_interrupt(lambda: _stream(arguments, folder, environment, on_output))


def _stream(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], on_output: Report
) -> CommandResult:
    errors = []
    with subprocess.Popen(
        _command_line(arguments),
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            on_output(line.rstrip("\n"))
            plain = _STYLE.sub("", line)
            if "error: " in plain or any(text in plain for text in _LOCKED):
                errors.append(plain)
    return CommandResult(process.returncode, "", "".join(errors))


def _command_line(arguments: Sequence[str]) -> list[str]:
    color = () if "--color" in arguments else ("--color", "never")
    return ["pulumi", *arguments, "--non-interactive", *color]


def finish_before_interrupt(act: Callable[[], T]) -> T:
    """Let Pulumi finish its current step when Ctrl-C is pressed, then raise KeyboardInterrupt.

    The terminal sends Ctrl-C to Pulumi too, which then stops after that step and releases its lock.
    If this process ended first, Pulumi's children would be orphans and its output lost.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(act)
        interrupted = False
        while not future.done():
            try:
                wait([future])
            except KeyboardInterrupt:
                interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    return future.result()
