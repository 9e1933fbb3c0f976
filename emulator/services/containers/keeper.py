"""The thread of one container: it starts the process, reads its output, and starts it again."""

import logging
import os
import selectors
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO

from emulator.core.backoff import delays
from emulator.core.processes import child
from emulator.services.containers.models import CannotRunError, Container, Phase, Restart, State
from emulator.services.containers.output import Output
from emulator.services.containers.pids import Pids

LOG = logging.getLogger(__name__)
INITIAL_DELAY_SECONDS, MAX_DELAY_SECONDS = 0.5, 60.0
"""Before a container that ended is started again."""
STABLE_SECONDS = 60.0
"""A container that ran this long is started again after the first delay."""
STARTING_POLL_SECONDS, POLL_SECONDS = 0.05, 0.25
"""Between two looks at the process, before and after it is ready."""
_CONNECT_SECONDS = 1.0
_READ_BYTES = 1 << 16
_MAX_LAST_READS = 100

Launch = Callable[[], tuple[Sequence[str], dict[str, str], Path]]
"""Returns the command, the environment and the current folder of the process."""
Listener = Callable[[State], None]


class Keeper:
    """Runs one container until it is stopped.

    Args:
        container: what to run
        launch: called before each start of its process; raises OSError or CannotRunError
        outputs: the logs of its output and its errors
        pids: has the process written down while it runs
        on_change: called in the thread of the container whenever its state changes
    """

    def __init__(
        self,
        container: Container,
        launch: Launch,
        outputs: Callable[[], tuple[Output, Output]],
        pids: Pids,
        on_change: Listener,
    ) -> None:
        self._container = container
        self._launch = launch
        self._outputs = outputs
        self._pids = pids
        self._on_change = on_change
        self._stop = threading.Event()
        self._has_been_ready = False
        self.state = State(Phase.STARTING)
        self._thread = threading.Thread(target=self._keep, name=container.name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Have the process end, without waiting."""
        self._stop.set()

    def join(self) -> None:
        """Wait until the process has ended."""
        self._thread.join()

    def _keep(self) -> None:
        waits = delays(INITIAL_DELAY_SECONDS, MAX_DELAY_SECONDS)
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                ended = self._run()
            except CannotRunError as error:
                self._become(Phase.FAILED, str(error))
                return
            except OSError as error:
                LOG.exception("%s can't be started", self._container.name)
                self._become(Phase.FAILED, f"The container can't be started: {error}.")
                return
            if self._stop.is_set():
                return
            if not self._is_restarted():
                self._become(*ended)
                return
            if time.monotonic() - began > STABLE_SECONDS:
                waits = delays(INITIAL_DELAY_SECONDS, MAX_DELAY_SECONDS)
            self._restart_after(next(waits), ended)

    def _restart_after(self, seconds: float, ended: tuple[Phase, str, int | None]) -> None:
        _, reason, code = ended
        LOG.warning("%s is started again: %s", self._container.name, reason)
        self._become(Phase.RESTARTING, reason, code, restarts=self.state.restarts + 1)
        self._stop.wait(seconds)

    def _is_restarted(self) -> bool:
        restart = self._container.restart
        return restart == Restart.ALWAYS or (restart == Restart.ONCE_READY and self._has_been_ready)

    def _run(self) -> tuple[Phase, str, int | None]:
        """Run the process once; return what became of it."""
        command, environment, folder = self._launch()
        process = child.launch(
            command,
            environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            folder=folder,
        )
        assert process.stdout
        assert process.stderr
        stdout, stderr = self._outputs()
        self.state = replace(self.state, pid=process.pid)
        self._started = time.monotonic()
        broken = ""
        with _Streams({process.stdout: stdout, process.stderr: stderr}) as streams:
            try:
                self._pids.started(self._container.name, process.pid)
                for _ in self._looks(process, streams):
                    broken = self._broken_limit()
                    if broken or self._stop.is_set():
                        break
            finally:
                _end(process, streams)
                self._pids.ended(self._container.name)
        if broken:
            return Phase.FAILED, broken, None
        code = _exit_code(process.returncode)
        return Phase.ENDED, f"The container ended with exit code {code}.", code

    def _looks(self, process: subprocess.Popen[bytes], streams: "_Streams") -> Iterator[None]:
        """Yield until the process ends, after reading what it has written since."""
        self._become(Phase.STARTING)
        while process.poll() is None:
            yield
            ready = self.state.phase == Phase.READY
            streams.read(POLL_SECONDS if ready else STARTING_POLL_SECONDS)

    def _broken_limit(self) -> str:
        """Note whether the container is ready; return which limit of time it breaks, if any."""
        container, seconds = self._container, time.monotonic() - self._started
        if self.state.phase != Phase.READY and self._listens():
            self._has_been_ready = True
            self._become(Phase.READY)
        if self.state.phase != Phase.READY and seconds > container.startup_seconds:
            return (
                f"The container does not listen on port {container.port} of {container.address} "
                f"{container.startup_seconds:.0f} s after its start."
            )
        if seconds > container.max_seconds:
            return f"The container ran longer than {container.max_seconds:.0f} s."
        return ""

    def _listens(self) -> bool:
        if self._container.port is None:
            return True
        try:
            address = (self._container.address, self._container.port)
            socket.create_connection(address, _CONNECT_SECONDS).close()
        except OSError:
            return False
        return True

    def _become(
        self,
        phase: Phase,
        reason: str = "",
        exit_code: int | None = None,
        *,
        restarts: int | None = None,
    ) -> None:
        running = phase in (Phase.STARTING, Phase.READY)
        self.state = State(
            phase,
            reason,
            exit_code,
            self.state.pid if running else None,
            self.state.restarts if restarts is None else restarts,
        )
        self._on_change(self.state)


class _Streams:
    """The output of a process, read as it comes."""

    def __init__(self, outputs: dict[IO[bytes], Output]) -> None:
        self._outputs = outputs
        self._selector = selectors.DefaultSelector()
        self._closing = ExitStack()

    def __enter__(self) -> "_Streams":
        self._closing.enter_context(self._selector)
        for stream, output in self._outputs.items():
            self._closing.callback(output.close)
            self._closing.enter_context(stream)
            self._selector.register(stream, selectors.EVENT_READ, output)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def read(self, seconds: float) -> None:
        """Wait for output, and take it."""
        if any(output.is_full for output in self._outputs.values()):
            time.sleep(seconds)  # the disk refuses: the process waits for its reader
        else:
            self._take(seconds)
        for output in self._outputs.values():
            output.write_due()

    def drain(self) -> None:
        """Take what a process that has ended left."""
        reads = 0
        # A process of another session, which still writes, must not hold this up.
        while self._take(0) and reads < _MAX_LAST_READS:
            reads += 1

    def _take(self, seconds: float) -> bool:
        """Wait for output, and take it; return whether there was any."""
        ready = self._selector.select(seconds)
        for key, _ in ready:
            data = os.read(key.fd, _READ_BYTES)
            key.data.feed(data)
            if not data:
                self._selector.unregister(key.fileobj)
        return bool(ready)


def _end(process: subprocess.Popen[bytes], streams: _Streams) -> None:
    """End a process if it runs, and read its last output."""
    if process.poll() is None:
        process.terminate()
        deadline = time.monotonic() + child.STOP_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            streams.read(STARTING_POLL_SECONDS)
    child.kill_session(process)
    process.wait()
    streams.drain()


def _exit_code(status: int) -> int:
    """Return an exit code as containers have it: a signal counts as 128 and its number."""
    return status if status >= 0 else 128 - status
