"""GDCM in a process of its own: some pictures, damaged or not, crash the process of GDCM."""

from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec, TypeVar

from emulator.core.processes.spawned_pool import SpawnedPool

TRIES = 2
"""Another thread's picture may have crashed the process."""
P = ParamSpec("P")
T = TypeVar("T")


class GdcmProcess:
    """A process for GDCM, started by the first call and again after a crash."""

    def __init__(self) -> None:
        self._pool = SpawnedPool(1)

    def run(self, function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Call a function of a module in the process.

        Raises:
            RuntimeError: the process crashed
            Exception: what the function raises
        """
        for _ in range(TRIES):
            executor = self._pool.executor()
            try:
                return executor.submit(function, *args, **options).result()
            except BrokenProcessPool:
                self._pool.discard(executor)
        raise RuntimeError("the codec crashed on this picture")

    def close(self) -> None:
        """End the process."""
        self._pool.close()
