"""Adapters in processes of their own, as on Google Cloud."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0


class Adapter:
    """A process of an adapter, and the lines of its log.

    Args:
        module: `workloads.mllp` or another
        arguments: of its command line
        environment: that leads it to the emulator, beside that of this process
    """

    def __init__(self, module: str, *arguments: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens at."""
        return int(self.wait_for("listening")["port"])

    @property
    def counters(self) -> dict[str, int]:
        """The counters that it logged at its end."""
        return dict(self.entries("counters")[-1]["counters"])

    def entries(self, message: str, **fields: Any) -> list[dict[str, Any]]:
        """The lines of the log so far, with a message and values of fields.

        They come later than the answer of the adapter to its peer: `wait_for` waits for them.
        """
        wanted = {"message": message, **fields}
        return [
            line
            for line in list(self.lines)
            if all(line.get(name) == value for name, value in wanted.items())
        ]

    def wait_for(self, message: str, number: int = 1, **fields: Any) -> dict[str, Any]:
        """Wait for so many lines with a message and values of fields; return the last."""

        def look() -> list[dict[str, Any]]:
            has_ended = not self._thread.is_alive()
            found = self.entries(message, **fields)
            if len(found) >= number:
                return found
            assert not has_ended, f"it ended without {message!r}: {self.lines}"
            return []

        return wait_until(look, f"no {message!r} in the log", PATIENCE_SECONDS)[-1]

    def wait_for_error(self, code: int) -> str:
        """Wait for its end with an exit code; return the sentence that it ends with."""
        assert self.wait() == code, self.lines
        message = str(self.lines[-1]["message"])
        assert message.startswith("error: "), self.lines
        return message

    def stop(self) -> None:
        """Stop it by SIGTERM; it ends in good order."""
        self._process.terminate()
        assert self.wait() == 0, self.lines

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
        with self._process.stderr as stream:
            for text in stream:
                line = json.loads(text) if text.startswith("{") else {"message": text.strip()}
                self.lines.append(line)
