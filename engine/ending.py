"""How a process that the engine has started ends: told to, or with the engine."""

import os
import signal
import threading

ORPHAN_SECONDS = 0.5
"""How soon a process notices that the engine is gone."""


class Ending:
    """Waits for the end; make it before the engine may send a signal.

    An engine that was killed says nothing; its child is then adopted by another process. Linux
    could send a signal instead, but does so when the engine's thread ends that started the child.
    """

    def __init__(self) -> None:
        self._engine = os.getppid()
        self._told = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._told.set())

    def wait(self) -> bool:
        """Wait until the engine says stop, or is gone.

        Returns:
            Whether it said so.
        """
        while not self._told.wait(ORPHAN_SECONDS):
            if os.getppid() != self._engine:
                return False
        return True
