"""Adapters in processes of their own, as on Google Cloud."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

PATIENCE_SECONDS = 60.0


class Adapter:
    """A process of an adapter.

    Args:
        module: `workloads.mllp` or another
        arguments: of its command line
        environment: that leads it to the emulator
    """

    def __init__(self, module: str, *arguments: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env={**os.environ, **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        self._unread: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.lines: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait_for(self, message: str) -> dict[str, Any]:
        """Return the next line of the log with this message."""
        while line := self._unread.get(timeout=PATIENCE_SECONDS):
            if line["message"] == message:
                return line
        raise AssertionError(f"the adapter ended without {message!r}: {self.lines}")

    def wait_for_error(self) -> str:
        """Return the sentence that it ends with."""
        while line := self._unread.get(timeout=PATIENCE_SECONDS):
            if line["message"].startswith("error: "):
                return str(line["message"])
        raise AssertionError(f"the adapter ended without an error: {self.lines}")

    def terminate(self) -> int:
        """Stop it by SIGTERM; return its exit code."""
        self._process.terminate()
        return self.wait()

    def kill(self) -> None:
        """Stop it by SIGKILL."""
        self._process.kill()
        self.wait()

    def wait(self) -> int:
        """Wait for its end; return its exit code."""
        code = self._process.wait(PATIENCE_SECONDS)
        self._thread.join(PATIENCE_SECONDS)
        return code

    def _read(self) -> None:
        assert self._process.stderr
        for text in self._process.stderr:
            line = json.loads(text) if text.startswith("{") else {"message": text.strip()}
            self.lines.append(line)
            self._unread.put(line)
        self._unread.put(None)
        self._process.stderr.close()
