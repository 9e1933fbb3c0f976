"""Doing what a message advises: the command or the option is taken out of the message itself."""

import json
import re
import shlex
import subprocess
from dataclasses import dataclass

from tests.support.labs import Stack


@dataclass(frozen=True)
class Reader:
    """A person who reads the messages of scripts about one stack, and does what they say."""

    stack: Stack

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a script on the stack, to its end, whatever that is."""
        return self.stack.lab.script(script, *arguments, "--stack", self.stack.name)

    def refused(self, script: str, *arguments: str) -> str:
        """Run a script that fails; its message on one line."""
        done = self.run(script, *arguments)
        assert done.returncode != 0, done.stdout
        assert "Traceback" not in done.stderr
        return " ".join((done.stdout + done.stderr).split())

    def passes(self, script: str, *arguments: str) -> str:
        """Run a script that must succeed; what it printed."""
        done = self.run(script, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def obey(self, message: str, *beginnings: str) -> str:
        """Run the commands in a message that begin so, one after another; what they printed.

        Args:
            message: with commands in backticks
            beginnings: of the commands, such as `make up`
        """
        commands = re.findall(r"`([^`]+)`", message)
        printed = []
        for beginning in beginnings:
            found = [command for command in commands if command.startswith(beginning)]
            assert found, f"no `{beginning}` in: {message}"
            printed.append(self._run_command(found[0].replace("...", self.stack.name)))
        return "\n".join(printed)

    def _run_command(self, command: str) -> str:
        """Run a command of the shell: `make` as its recipe does, on this test's own stack."""
        program, *words = shlex.split(command)
        if program != "make":
            return self._run_program(program, words)
        verb, stack = words
        assert stack == f"STACK={self.stack.name}"
        if verb in ("up", "refresh"):
            return self.stack.change(verb)
        assert verb == "adopt", command
        return self.passes(verb, "--cwd", str(self.stack.lab.program))

    def _run_program(self, program: str, words: list[str]) -> str:
        if program.endswith("python") and words[0].startswith("scripts/"):
            script = words[0].removeprefix("scripts/").removesuffix(".py")
            return self.passes(script, *words[1:])
        if program == "gcloud":
            return self._run_gcloud(words)
        assert program.endswith("python"), program
        return self.stack.lab.python(*words).stdout

    def _run_gcloud(self, words: list[str]) -> str:
        """Enable a service, by the call that `gcloud` makes."""
        *verb, service, option, project = words
        assert (verb, option) == (["services", "enable"], "--project")
        path = f"v1/projects/{project}/services/{service}:enable"
        return json.dumps(self.stack.lab.call("POST", path, {}))


def advised(pattern: str, message: str) -> tuple[str, ...]:
    """Return the groups of a pattern that a message must match."""
    match = re.search(pattern, message)
    assert match, f"no {pattern} in: {message}"
    return match.groups()
