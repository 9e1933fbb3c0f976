"""The DIMSE adapter as a process, and the programs of DCMTK that talk to it."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.support.adapters import Adapter

AET = "ADAPTER"
COMMAND_SECONDS = 60


@contextmanager
def adapter(store: str, *options: str, environment: Mapping[str, str]) -> Iterator[Adapter]:
    """An adapter of a store on a free port of this machine."""
    address = ("--host", "127.0.0.1", "--port", "0", "--aet", AET)
    begun = Adapter(
        "workloads.dimse", *address, "--dicomweb-store", store, *options, environment=environment
    )
    try:
        yield begun
    finally:
        begun.kill()


def dcmtk(tool: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a program of DCMTK."""
    path = shutil.which(tool)
    assert path
    return subprocess.run(
        [path, *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=COMMAND_SECONDS,
        check=False,
    )
