"""An adapter as a process of its own."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.clones import ROOT, BenchmarkError
from benchmarks.local import Local

PATIENCE_SECONDS = 60


@contextmanager
def adapter(local: Local, module: str, *options: str) -> Iterator[int]:
    """Run an adapter; yield its port.

    Args:
        local: the emulator that it uses
        module: such as `workloads.mllp`
        options: of its command line

    Raises:
        BenchmarkError: it does not start
    """
    command = [sys.executable, "-m", module, "--port", "0", *options]
    with tempfile.NamedTemporaryFile() as log:
        process = subprocess.Popen(command, cwd=ROOT, env=local.environment(), stderr=log)
        try:
            yield _port(module, Path(log.name), process)
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def _port(module: str, log: Path, process: "subprocess.Popen[bytes]") -> int:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if '"listening"' in line:
                return int(json.loads(line)["port"])
        time.sleep(0.02)
    raise BenchmarkError(f"{module} did not start:\n{log.read_text()[-1000:]}")
