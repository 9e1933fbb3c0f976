"""The memory of a process and its children, watched while something runs."""

import threading
from types import TracebackType

import psutil

EVERY_SECONDS = 0.5


class Watch:
    """The most memory that a process and all below it held at once, while the context lasts.

    Pages that several of them share count once: their proportional set size is summed up, or,
    where the system does not report it, the private memory of each

    Args:
        pid: of the process
        worker: a word of the command lines whose processes are looked at one by one too
    """

    def __init__(self, pid: int, worker: str = "") -> None:
        self.peak_mb = 0.0
        self.peak_worker_mb = 0.0
        self._worker = worker
        self._root = psutil.Process(pid)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="memory", daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _keep(self) -> None:
        while True:
            self.look()
            if self._stop.wait(EVERY_SECONDS):
                return

    def look(self) -> None:
        """Look once, beside the looks at intervals."""
        self.peak_mb = max(self.peak_mb, self._now() / 1e6)

    def _now(self) -> int:
        try:
            found = [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:  # it has ended since the last look
            return 0
        sizes = [(process, _bytes(process)) for process in found]
        for process, size in sizes if self._worker else ():
            if self._worker in _command(process):
                self.peak_worker_mb = max(self.peak_worker_mb, size / 1e6)
        return sum(size for _, size in sizes)


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:
        return []


def _bytes(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except psutil.NoSuchProcess:
        return 0
    return int(getattr(memory, "pss", memory.uss))
