"""Starting, finding and stopping the emulator from outside."""

import logging
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
from filelock import FileLock

from emulator.layout import Ports, Running, alive, recorded
from emulator.ports import any_port, holder, is_free
from emulator.seed import BUCKET

LOG = logging.getLogger(__name__)
START_SECONDS = 120.0
STOP_SECONDS = 30.0
LOG_FILE = "emulator.log"
_KEPT_ON_RESET = {"storage", "start.lock"}


class EmulatorError(Exception):
    """The emulator can't be started, found or stopped; the message says why and what to do."""


def start(
    state: Path,
    ports: Ports | None = None,
    *,
    all_services_enabled: bool = False,
    report: Callable[[str], None] = LOG.info,
) -> Running:
    """Start the emulator in the background and wait until it is ready; one that runs is kept.

    Args:
        state: Its state folder.
        ports: Ports to listen on; those left at 0 are the ones used last, or any free ones.
        all_services_enabled: Every service counts as enabled in every project.
        report: Told what happens.

    Raises:
        EmulatorError: A port is in use, or a service does not come up.
    """
    state.mkdir(parents=True, exist_ok=True)
    with FileLock(state / "start.lock"):
        found = status(state)
        if found is not None:
            _check_same_ports(found, ports or Ports())
            return _wait_ready(found, None)
        chosen = choose_ports(state, ports or Ports())
        report("starting the local Google Cloud ...")
        process = _spawn(state, chosen, all_services_enabled)
        running = _wait_recorded(state, process)
        return _wait_ready(running, process)


def status(state: Path) -> Running | None:
    """The emulator that serves a state folder, if one does."""
    running = recorded(state)
    return running if running and alive(running.pid, running.created) else None


def stop(state: Path) -> bool:
    """Stop the emulator; its state stays.

    Returns:
        Whether one was running.

    Raises:
        EmulatorError: It does not end.
    """
    running = status(state)
    process = alive(running.pid, running.created) if running else None
    if running is None or process is None:
        return False
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except psutil.TimeoutExpired:
        raise EmulatorError(
            f"the emulator (process {running.pid}) has not ended after {STOP_SECONDS:.0f} s: "
            f"end it with `kill -9 {running.pid}`; nothing that was acknowledged is lost"
        ) from None
    return True


def reset(state: Path, report: Callable[[str], None] = LOG.info) -> Running | None:
    """Empty the state but for the public bucket; an emulator that runs is started again.

    Returns:
        The emulator started again, if one was running.
    """
    running = status(state)
    stop(state)
    for path in [*state.iterdir()] if state.exists() else []:
        if path.is_dir() and path.name not in _KEPT_ON_RESET:
            shutil.rmtree(path)
        elif path.is_file() and path.name not in _KEPT_ON_RESET:
            path.unlink()
    _drop_private_buckets(state / "storage")
    return start(state, running.ports, report=report) if running else None


def choose_ports(state: Path, wanted: Ports) -> Ports:
    """Ports that are free: those asked for, else those used last, else any.

    Raises:
        EmulatorError: A port that was asked for is in use.
    """
    last = recorded(state)
    chosen: dict[str, int] = {}
    for name in ("api", "bigquery", "storage"):
        port: int = getattr(wanted, name)
        before: int = getattr(last.ports, name) if last else 0
        if port and not is_free(port):
            raise EmulatorError(_in_use(port, name))
        if not port and before and is_free(before):
            port = before
        chosen[name] = port or any_port()
    return Ports(**chosen)


def _spawn(state: Path, ports: Ports, all_services_enabled: bool) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "emulator", "start", "--foreground"]
    command += ["--port", str(ports.api), "--bigquery-port", str(ports.bigquery)]
    command += ["--storage-port", str(ports.storage)]
    command += ["--all-services-enabled"] if all_services_enabled else []
    environment = {**os.environ, "LAB_DIR": str(state.parent)}
    with (state / LOG_FILE).open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,  # a Ctrl-C in the terminal is not meant for it
        )


def _wait_recorded(state: Path, process: subprocess.Popen[bytes]) -> Running:
    for _ in _backoff():
        running = recorded(state)
        if running is not None and running.pid == process.pid:
            return running
        if process.poll() is not None:
            raise EmulatorError(_ended(state, process.returncode))
    raise EmulatorError(_too_slow(state))


def _wait_ready(running: Running, process: subprocess.Popen[bytes] | None) -> Running:
    with httpx.Client(base_url=running.url, timeout=5) as client:
        for _ in _backoff():
            health = _health(client)
            if health.get("ready"):
                return running
            if health.get("trouble"):
                stop(running.state)
                raise EmulatorError(str(health["trouble"]))
            if process is not None and process.poll() is not None:
                raise EmulatorError(_ended(running.state, process.returncode))
    raise EmulatorError(_too_slow(running.state))


def _health(client: httpx.Client) -> dict[str, object]:
    try:
        answer: dict[str, object] = client.get("/_emulator/health").json()
    except (httpx.TransportError, ValueError):
        return {}
    return answer


def _backoff(seconds: float = START_SECONDS) -> Iterator[None]:
    """Yield at once, then ever more slowly, until the time is up."""
    deadline, pause = time.monotonic() + seconds, 0.02
    while time.monotonic() < deadline:
        yield
        time.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, no secret
        pause = min(pause * 1.3, 0.5)


def _check_same_ports(running: Running, wanted: Ports) -> None:
    for name in ("api", "bigquery", "storage"):
        port, present = getattr(wanted, name), getattr(running.ports, name)
        if port and port != present:
            raise EmulatorError(
                f"the emulator already runs, with its {name} port at {present}, not {port}: "
                "stop it first (`python -m emulator stop`)"
            )


def _in_use(port: int, name: str) -> str:
    option = "--port" if name == "api" else f"--{name}-port"
    return (
        f"port {port} is in use, by {holder(port)}: end that, name another with {option}, or leave "
        f"{option} out and any free port is taken"
    )


def _ended(state: Path, code: int) -> str:
    log = state / LOG_FILE
    last = log.read_text(errors="replace").strip().splitlines()[-5:] if log.exists() else []
    return "\n".join([f"the emulator ended with {code} as it started; the end of {log}:", *last])


def _too_slow(state: Path) -> str:
    return (
        f"the emulator is not ready after {START_SECONDS:.0f} s: see {state / LOG_FILE}, "
        "and stop it with `python -m emulator stop`"
    )


def _drop_private_buckets(storage: Path) -> None:
    for bucket in [*storage.iterdir()] if storage.exists() else []:
        if bucket.name != BUCKET:
            shutil.rmtree(bucket) if bucket.is_dir() else bucket.unlink()
