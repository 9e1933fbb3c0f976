"""Shutdown of a process that the engine started: by a signal, or after the engine ended."""

import os
import signal
import threading

POLL_INTERVAL_SECONDS = 0.5
"""Seconds between two checks whether the engine still runs."""


class ShutdownSignal:
    """Waits for SIGINT, SIGTERM or the end of the engine; create it before the first can arrive.

    An engine that was killed sends no signal, and another process becomes the parent of its child.
    `PR_SET_PDEATHSIG` of Linux does not help: it fires when the engine's thread ends that started
    the child.
    """

    def __init__(self) -> None:
        self._engine_pid = os.getppid()
        self._received = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._received.set())

    def wait(self) -> bool:
        """Wait for a signal or the end of the engine.

        Returns:
            Whether a signal arrived
        """
        while not self._received.wait(POLL_INTERVAL_SECONDS):
            if os.getppid() != self._engine_pid:
                return False
        return True
