"""GDCM, in a process of its own: on some pictures, damaged or not, it ends the whole process."""

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec, TypeVar

from emulator.healthcare.dicom.workers import end_with_parent

TRIES = 2
"""Another thread's picture may be what the process died of."""
_lock = threading.Lock()
_pool: ProcessPoolExecutor | None = None
P = ParamSpec("P")
T = TypeVar("T")


def call(function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Call a function of a module in that process.

    Raises:
        RuntimeError: the process died of it.
        Exception: what the function raises.
    """
    for _ in range(TRIES):
        pool = _executor()
        try:
            return pool.submit(function, *args, **options).result()
        except BrokenProcessPool:
            _drop(pool)
    raise RuntimeError("the codec died of this picture")


def _executor() -> ProcessPoolExecutor:
    global _pool
    with _lock:
        if _pool is None:
            context = multiprocessing.get_context("spawn")
            _pool = ProcessPoolExecutor(1, context, end_with_parent)
        return _pool


def _drop(pool: ProcessPoolExecutor) -> None:
    global _pool
    with _lock:
        if _pool is pool:
            _pool = None
    pool.shutdown(wait=False, cancel_futures=True)
