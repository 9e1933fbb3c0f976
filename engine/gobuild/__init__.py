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
from pathlib import Path

from engine.errors import EngineError
from engine.versions import HOST_PYTHON, MINIMUM_GO, PULUMI

COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK = "github.com/pulumi/pulumi/sdk/v3"
VERSION_VARIABLE = f"{SDK}/go/common/version.Version"
LAUNCHER = "pulumi-language-python-exec"
HERE = Path(__file__).parent
_EVERY_SECONDS = 20.0


def install(folder: Path, report: Callable[[str], None], path: str | None = None) -> None:
    """Build the engine into a folder, with the SDK's launcher of Python programs beside it.

    Args:
        folder: Where `bin/` is made.
        report: Told how far it is.
        path: The PATH to find Go on; by default this process's.

    Raises:
        EngineError: There is no Go that is new enough, or the build fails.
    """
    go = _go(path)
    report(
        f"building the Pulumi engine {PULUMI} from Go modules: 3 to 8 minutes, once on this machine"
    )
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="pulumi-build-") as source:
        for name in ("go.mod", "go.sum", "tools.go"):
            shutil.copy(HERE / name, source)
        _run(go, source, ["mod", "download"], "downloading Go modules", report)
        flags = ["-trimpath", "-buildvcs=false", "-mod=readonly"]
        flags += ["-ldflags", f"-s -w -X {VERSION_VARIABLE}=v{PULUMI}"]
        out = folder / "bin/pulumi"
        _run(go, source, ["build", *flags, "-o", str(out), COMMAND], "compiling", report)
        sdk = Path(_output(go, source, ["list", "-m", "-f", "{{.Dir}}", SDK]))
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


def _go(path: str | None) -> str:
    go = shutil.which("go", path=path)
    wanted = ".".join(map(str, MINIMUM_GO))
    if go is None:
        raise EngineError(f"it can't be built either: there is no Go on PATH (it needs {wanted})")
    found = re.search(r"go(\d+)\.(\d+)", _output(go, None, ["version"]))
    if found is None or (int(found[1]), int(found[2])) < MINIMUM_GO:
        version = found[0].removeprefix("go") if found else "of an unknown version"
        raise EngineError(f"it can't be built either: {go} is {version}, it needs {wanted}")
    return go


def _output(go: str, source: str | None, arguments: list[str]) -> str:
    done = subprocess.run([go, *arguments], cwd=source, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineError(f"`go {arguments[0]}` failed: {_last(done.stderr)}")
    return done.stdout.strip()


def _run(
    go: str, source: str, arguments: list[str], doing: str, report: Callable[[str], None]
) -> None:
    """Run one long step and say from time to time that it goes on."""
    began = time.monotonic()
    log = Path(source) / "go.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [go, *arguments],
            cwd=source,
            stdout=output,
            stderr=output,
            # A user's own flags could lead elsewhere than the lock beside this file.
            env={**os.environ, "GOFLAGS": "", "GOWORK": "off"},
        )
    try:
        while True:
            report(f"  {doing} ... {time.monotonic() - began:.0f} s")
            try:
                code = process.wait(_EVERY_SECONDS)
                break
            except subprocess.TimeoutExpired:
                continue
    except BaseException:
        process.kill()
        process.wait()
        raise
    if code:
        raise EngineError(f"`go {arguments[0]}` failed: {_last(log.read_text())}")


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or "no reason given"
