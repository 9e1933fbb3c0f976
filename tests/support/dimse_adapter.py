"""The DIMSE adapter as a process, and the peers that talk to it."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
AET = "ADAPTER"
STOP_SECONDS = 20
COMMAND_SECONDS = 60


class Adapter:
    """A started adapter, its log and its port."""

    def __init__(self, options: Sequence[str], environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "workloads.dimse", "--aet", AET, *options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr
        self.lines.extend(self.process.stderr)

    def entries(self, message: str, **fields: Any) -> list[dict[str, Any]]:
        """The entries of the log so far, with a message and values of fields.

        They come later than the answer of the adapter to its peer: `wait_for` waits for them.
        """
        wanted = {"message": message, **fields}.items()
        found = [json.loads(line) for line in list(self.lines) if line.startswith("{")]
        return [entry for entry in found if wanted <= entry.items()]

    def wait_for(self, message: str, number: int = 1, **fields: Any) -> dict[str, Any]:
        """Wait for so many entries with a message and values of fields; return the last."""

        def look() -> list[dict[str, Any]]:
            has_ended = not self._reader.is_alive()
            found = self.entries(message, **fields)
            if len(found) >= number:
                return found
            assert not has_ended, "".join(self.lines)
            return []

        return wait_until(look, f"no {message!r} in the log")[-1]

    @property
    def port(self) -> str:
        """The port that it listens on."""
        return str(self.wait_for("listening")["port"])

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> dict[str, int]:
        """End it in good order; return its counters."""
        self.process.terminate()
        code = self.process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)
        assert code == 0, "".join(self.lines)
        counters: dict[str, int] = self.entries("counters")[-1]["counters"]
        return counters


@contextmanager
def adapter(
    store: str, *options: str, environment: dict[str, str] | None = None
) -> Iterator[Adapter]:
    """An adapter of a store on a free port of this machine."""
    begun = Adapter(
        ["--host", "127.0.0.1", "--port", "0", "--dicomweb-store", store, *options],
        environment or dict(os.environ),
    )
    try:
        yield begun
    finally:
        if begun.process.poll() is None:
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
