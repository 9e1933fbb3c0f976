"""A `pulumi` command that notes each call and answers from files."""

import json
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.lib.pulumi_stack import PulumiStack

# The answer to a command is in files of its name: its first word, or two after `stack`.
_SCRIPT = f"""#!{sys.executable}
import json, os, pathlib, sys
here = pathlib.Path(__file__).parent
words = [word for word in sys.argv[1:] if not word.startswith("-")]
given = sys.stdin.read() if words[:2] == ["stack", "import"] else ""
backend = os.environ.get("PULUMI_BACKEND_URL", "")
with (here / "calls").open("a") as log:
    log.write(json.dumps([sys.argv[1:], backend, os.getcwd(), given]) + "\\n")
if words[:2] == ["stack", "init"]:
    file = pathlib.Path(f"Pulumi.{{words[2].rpartition('/')[2]}}.yaml")
    text = file.read_text() if file.exists() else ""
    made = text.removesuffix("}}") + ", encryptionsalt: 'v1:c+/o:py='}}"
    file.write_text(made if text.endswith("}}") else text + "\\nencryptionsalt: v1:c+/o:py=\\n")
for flag in ("--import-file", "--event-log"):
    if flag in sys.argv and (here / flag).exists():
        pathlib.Path(sys.argv[sys.argv.index(flag) + 1]).write_text((here / flag).read_text())
name = "-".join(words[:2]) if words[0] == "stack" else words[0]
name += ".secrets" if "--show-secrets" in sys.argv else ""
sys.stdout.write((here / name).read_text() if (here / name).exists() else "")
sys.stdout.flush()
error = here / (name + ".error")
if error.exists():
    sys.stderr.write(error.read_text())
    sys.exit(255)
"""


@dataclass(frozen=True)
class Call:
    """One call of the command."""

    arguments: list[str]
    backend: str
    folder: str
    stdin: str

    def __contains__(self, words: str) -> bool:
        """Whether the command line holds these words, one after the other."""
        return f" {words} " in f" {' '.join(self.arguments)} "


class FakePulumi:
    """A program with a stack `acme/dev`, and a `pulumi` on the PATH of its environment."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.program = folder / "bin", folder / "program"
        self.bin.mkdir()
        self.program.mkdir()
        pulumi = self.bin / "pulumi"
        pulumi.write_text(_SCRIPT)
        pulumi.chmod(pulumi.stat().st_mode | stat.S_IXUSR)
        (self.program / "Pulumi.yaml").write_text("name: imaging\nruntime: python\n")
        (self.program / "__main__.py").write_text("print(1)")
        self.configure("config:\n  gcp:project: p\nencryptionsalt: v1:own\n")
        self.stack = PulumiStack("acme/dev", self.program, self.environment())

    def environment(self, backend: str = "file://own") -> Mapping[str, str]:
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "PULUMI_BACKEND_URL": backend}

    def configure(self, text: str) -> None:
        (self.program / "Pulumi.dev.yaml").write_text(text)

    def answer(self, name: str, content: object) -> None:
        """Have a command print this, or `NAME.error` to standard error, and fail."""
        text = content if isinstance(content, str) else json.dumps(content)
        (self.bin / name).write_text(text)

    @property
    def calls(self) -> list[Call]:
        return [Call(*json.loads(line)) for line in (self.bin / "calls").read_text().splitlines()]

    @property
    def call(self) -> Call:
        """The only call."""
        [found] = self.calls
        return found
