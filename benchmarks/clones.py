"""Scratch clones of this checkout, so that a measurement never touches the user's own lab."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE_VARIABLES = (
    "GOCACHE",
    "GOMODCACHE",
    "GOPATH",
    "LAB_DIR",
    "PIP_CACHE_DIR",
    "PULUMI_HOME",
    "UV_CACHE_DIR",
    "VIRTUAL_ENV",
    "XDG_CACHE_HOME",
)


class BenchmarkError(Exception):
    """A measured command failed; the message holds the end of what it printed."""


def run(command: list[str], cwd: Path, environment: Mapping[str, str]) -> float:
    """Run a command quietly and give its seconds.

    Raises:
        BenchmarkError: the command ended with a non-zero exit code.
    """
    began = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env=dict(environment), capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        end = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise BenchmarkError(f"`{' '.join(command)}` ended with {done.returncode}:\n{end}")
    return seconds


@contextmanager
def clone(*, empty_home: bool) -> Iterator[tuple[Path, dict[str, str]]]:
    """Return a clone of the last commit and the environment to work in it.

    Args:
        empty_home: nothing is kept on the "machine" either: HOME and every cache are new.
    """
    folder = Path(tempfile.mkdtemp(prefix="gcp-healthcare-bench-"))
    environment = {k: v for k, v in os.environ.items() if k not in CACHE_VARIABLES}
    if empty_home:
        (folder / "home").mkdir()
        environment["HOME"] = str(folder / "home")
    else:
        environment |= {k: os.environ[k] for k in CACHE_VARIABLES[:3] if k in os.environ}
    checkout = folder / "checkout"
    try:
        run(["git", "clone", "--quiet", str(ROOT), str(checkout)], folder, environment)
        yield checkout, environment
    finally:
        python = checkout / ".venv/bin/python"
        if python.exists():
            subprocess.run([python, "-m", "emulator", "stop"], cwd=checkout, env=environment)
        # Go makes its module cache read-only.
        subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)
        shutil.rmtree(folder)
