"""Command and environment that run a module of this repository in a process of its own."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def command(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command line; a folder of the module's name in the current one is ignored."""
    return sys.executable, "-P", "-m", module, *arguments


def environment() -> dict[str, str]:
    """Return the variables that it needs: where the module is found."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
