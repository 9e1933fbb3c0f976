"""The engine built from its Go module, which `go install` refuses: it has replace directives.

`go.mod` and `go.sum` beside this file pin everything that is built, by checksum; `tools.go` names
the command.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError
from engine.gobuild import tool_chain
from engine.versions import HOST_PYTHON, PULUMI

COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK = "github.com/pulumi/pulumi/sdk/v3"
VERSION_VARIABLE = f"{SDK}/go/common/version.Version"
LAUNCHER = "pulumi-language-python-exec"
HERE = Path(__file__).parent
_EVERY_SECONDS = 10.0


@dataclass(frozen=True)
class Step:
    """A long step of the build, and how far it is by its log.

    Attributes:
        what: What is counted.
        total: How many there are at most; what Go's own caches hold is not counted again.
        line: The lines of the log that count.
    """

    what: str
    total: int
    line: re.Pattern[str]

    def progress(self, log: Path) -> str:
        """Such as `120 of 1650 packages compiled`."""
        with log.open(errors="replace") as lines:
            done = sum(1 for line in lines if self.line.search(line))
        return f"{done} of {self.total} {self.what}"


def install(folder: Path, report: Callable[[str], None], path: str | None = None) -> None:
    """Build the engine into a folder, with the SDK's launcher of Python programs beside it.

    Args:
        folder: Where `bin/` is made.
        report: Told how far it is.
        path: The PATH to find Go on; by default this process's.

    Raises:
        EngineError: There is no Go that is new enough and none can be had, or the build fails.
    """
    go = tool_chain.find(path, report)
    report(
        f"building the Pulumi engine {PULUMI} from Go modules: 3 to 8 minutes, once on this machine"
    )
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="pulumi-build-") as source:
        for name in ("go.mod", "go.sum", "tools.go"):
            shutil.copy(HERE / name, source)
        # Not `go mod download`: it also asks for what no build needs and not every proxy serves.
        modules = len(re.findall(r"^\s*[\w.-]+/\S+ v\S+", (HERE / "go.mod").read_text(), re.M))
        fetch = Step("Go modules downloaded", modules, re.compile("^go: downloading "))
        packages = _run(go, source, ["list", "-deps", COMMAND], fetch, report)
        compile_ = Step("packages compiled", len(packages.splitlines()), re.compile(r"^\S+$"))
        flags = ["-v", "-trimpath", "-buildvcs=false", "-mod=readonly"]
        flags += ["-ldflags", f"-s -w -X {VERSION_VARIABLE}=v{PULUMI}"]
        out = folder / "bin/pulumi"
        _run(go, source, ["build", *flags, "-o", str(out), COMMAND], compile_, report)
        sdk = Path(_run(go, source, ["list", "-m", "-f", "{{.Dir}}", SDK], None, report))
    launcher = folder / "bin" / LAUNCHER
    shutil.copyfile(sdk / "python/cmd" / LAUNCHER, launcher)
    launcher.chmod(0o755)
    _write_host(folder / "bin")


def _write_host(folder: Path) -> None:
    """Put a language host beside the engine, where it looks for one first.

    The engine is kept for all clones of a user: the host runs in the Python that the place names.
    """
    host = folder / "pulumi-language-python"
    host.write_text(
        f"""#!/bin/sh
: "${{{HOST_PYTHON}:?start this engine by python -m engine run -- pulumi ...}}"
exec "${HOST_PYTHON}" -P -m engine.language_host \\
  --host-version v{PULUMI} --exec "$(dirname "$0")/{LAUNCHER}" "$@"
"""
    )
    host.chmod(0o755)


def _run(
    go: str, source: str, arguments: list[str], step: Step | None, report: Callable[[str], None]
) -> str:
    """Run Go and say from time to time how far it is.

    Returns:
        Its output.
    """
    began = time.monotonic()
    log, output = Path(source) / "go.log", Path(source) / "go.out"
    with log.open("w") as said, output.open("w") as answer:
        process = subprocess.Popen(
            [go, *arguments],
            cwd=source,
            stdout=answer,
            stderr=said,
            # A user's own flags could lead elsewhere than the lock beside this file.
            env={**os.environ, "GOFLAGS": "", "GOWORK": "off"},
        )
    try:
        while True:
            try:
                code = process.wait(_EVERY_SECONDS)
                break
            except subprocess.TimeoutExpired:
                if step:
                    report(f"  {step.progress(log)}, {time.monotonic() - began:.0f} s")
    except BaseException:
        process.kill()
        process.wait()
        raise
    if code:
        raise EngineError(f"`go {arguments[0]}` failed: {_last(log.read_text())}")
    if step:
        report(f"  {step.progress(log)}, {time.monotonic() - began:.0f} s: done")
    return output.read_text().strip()


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or "no reason given"
