"""The engine built from its Go module, which `go install` refuses: it has replace directives.

`go.mod` and `go.sum` beside this file pin everything that is built, by checksum; `tools.go` names
the command. The build takes patched copies of modules: see `patches.py`.
"""

import hashlib
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
from engine.gobuild import go_toolchain, patches
from engine.versions import HOST_PYTHON, PULUMI

MODULE = "github.com/pulumi/pulumi/pkg/v3"
COMMAND = f"{MODULE}/cmd/pulumi"
SDK = "github.com/pulumi/pulumi/sdk/v3"
VERSION_VARIABLE = f"{SDK}/go/common/version.Version"
LAUNCHER = "pulumi-language-python-exec"
HERE = Path(__file__).parent
LOCK = ("go.mod", "go.sum", "tools.go")
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


def digest() -> str:
    """Return a short digest of all that is built: engines of different digests differ."""
    lock = b"".join((HERE / name).read_bytes() for name in LOCK)
    return hashlib.sha256(lock + patches.digest().encode()).hexdigest()[:12]


def install(folder: Path, report: Callable[[str], None], path: str | None = None) -> None:
    """Build the engine into a folder, with the SDK's launcher of Python programs beside it.

    Args:
        folder: Where `bin/` is made.
        report: Told how far it is.
        path: The PATH with Go; by default this process's.

    Raises:
        EngineError: There is no Go that is new enough and none can be had, or the build fails.
    """
    go = go_toolchain.find(path, report)
    report(
        f"building the Pulumi engine {PULUMI} from Go modules: 2 to 6 minutes, once on this machine"
    )
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="pulumi-build-") as source:
        for name in LOCK:
            shutil.copy(HERE / name, source)
        sdk = _build(go, source, folder / "bin/pulumi", report)
    launcher = folder / "bin" / LAUNCHER
    shutil.copyfile(sdk / "python/cmd" / LAUNCHER, launcher)
    launcher.chmod(0o755)
    _write_host(folder / "bin")


def _build(go: str, source: str, out: Path, report: Callable[[str], None]) -> Path:
    """Build the command in a folder with the lock files, and return the SDK's folder."""
    _run(go, source, ["mod", "download", MODULE, patches.STRENGTH], None, report)
    patches.copy(_folder_of(MODULE, go, source, report), Path(source) / "patched")
    strength = _folder_of(patches.STRENGTH, go, source, report)
    patches.copy_strength(strength, Path(source) / "strength")
    replaced = {MODULE: "./patched", patches.STRENGTH: "./strength"}
    flags = [f"-replace={module}={folder}" for module, folder in replaced.items()]
    _run(go, source, ["mod", "edit", *flags], None, report)
    modules = len(re.findall(r"^\s*[\w.-]+/\S+ v\S+", (HERE / "go.mod").read_text(), re.M))
    fetch = Step("Go modules downloaded", modules, re.compile("^go: downloading "))
    # Not `go mod download`: it also asks for what no build needs and not every proxy serves.
    options = ["-mod=readonly", f"-tags={patches.TAGS}"]
    packages = _run(go, source, ["list", "-deps", *options, COMMAND], fetch, report).splitlines()
    patches.check(packages)
    compile_ = Step("packages compiled", len(packages), re.compile(r"^\S+$"))
    options += ["-v", "-trimpath", "-buildvcs=false"]
    # The linker drops the debug information anyway (-s -w): the compiler need not write it.
    options += ["-gcflags=all=-dwarf=false", "-ldflags", f"-s -w -X {VERSION_VARIABLE}=v{PULUMI}"]
    _run(go, source, ["build", *options, "-o", str(out), COMMAND], compile_, report)
    return _folder_of(SDK, go, source, report)


def _folder_of(module: str, go: str, source: str, report: Callable[[str], None]) -> Path:
    """Return the folder of a downloaded module."""
    return Path(_run(go, source, ["list", "-m", "-f", "{{.Dir}}", module], None, report))


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
    with log.open("w") as errors, output.open("w") as answer:
        process = subprocess.Popen(
            [go, *arguments],
            cwd=source,
            stdout=answer,
            stderr=errors,
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
