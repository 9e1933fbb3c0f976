"""Starting, finding and stopping the emulator from outside."""

import logging
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
from filelock import FileLock

from emulator import loopback
from emulator.layout import FOLDER, Ports, Running, alive, children, recorded
from emulator.ports import any_port, holder, is_free

LOG = logging.getLogger(__name__)
START_SECONDS = 120.0
STOP_SECONDS = 30.0
RESET_SECONDS = 90.0
START_BYTES = 4 * 1024 * 1024
"""What a start writes at least, but for the public bucket."""
LOG_FILE = "emulator.log"
MOST_LOG_BYTES = 10 * 1024 * 1024
NAMES = ("api", "bigquery", "storage")


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
        state: Its state folder, which must be called `emulator`: it finds it by `LAB_DIR`.
        ports: Ports to listen on; those left at 0 are the ones used last, or any free ones.
        all_services_enabled: Every service counts as enabled in every project.
        report: Told what happens.

    Raises:
        EmulatorError: A port is in use, a service does not come up, the folder has another name,
            or it can't be written.
    """
    if state.name != FOLDER:
        raise EmulatorError(f"the state folder is {state}: it must be {state / FOLDER}")
    check_writable(state)
    wanted = ports or Ports()
    with FileLock(state / "start.lock"):
        found = status(state)
        if found is not None and not (trouble := health(found).get("trouble")):
            _check_same(found, wanted, all_services_enabled)
            return _wait_ready(found, None)
        if found is not None:
            report(f"starting the local Google Cloud anew: {trouble}")
            stop(state)
        end_leftovers(state)
        chosen = choose_ports(state, wanted, report)
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


def reset(state: Path) -> Running | None:
    """Empty the state but for the public bucket; an emulator that runs goes on running.

    Returns:
        The running emulator, if there is one.

    Raises:
        EmulatorError: The running emulator does not come back from it.
    """
    running = status(state)
    if running is None:
        from emulator import wipe  # brings pydicom along, which no other command needs

        end_leftovers(state)
        wipe.everything(state)
        return None
    try:
        answer = httpx.post(f"{running.url}/_emulator/reset", timeout=RESET_SECONDS)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise EmulatorError(
            f"the reset of the running emulator failed ({error}): see {state / LOG_FILE}; "
            "`python -m emulator stop`, then `reset`, empties the state without it"
        ) from error
    return running


def health(running: Running) -> dict[str, Any]:
    """What a running emulator says of itself: `ready`, `trouble`, `services`; empty if nothing."""
    with loopback.client(running.url, seconds=5) as client:
        return _health(client)


def choose_ports(state: Path, wanted: Ports, report: Callable[[str], None] = LOG.warning) -> Ports:
    """Ports that are free: those asked for, else those used last, else any.

    Raises:
        EmulatorError: A port that was asked for is in use, or was asked for twice.
    """
    last = recorded(state)
    chosen = {name: port for name in NAMES if (port := getattr(wanted, name))}
    for name, port in chosen.items():
        if list(chosen.values()).count(port) > 1:
            raise EmulatorError(f"port {port} is asked for twice: each service needs its own")
        if not is_free(port):
            raise EmulatorError(_in_use(port, name))
    for name in NAMES:
        if name in chosen:
            continue
        before: int = getattr(last.ports, name) if last else 0
        if before and before not in chosen.values() and is_free(before):
            chosen[name] = before
            continue
        chosen[name] = any_port(chosen.values())
        if before:
            report(
                f"port {before}, used last, is in use by {holder(before)}; {chosen[name]} is taken "
                'instead, so run eval "$(python -m emulator env)" again where you did'
            )
    return Ports(**chosen)


def end_leftovers(state: Path) -> None:
    """End the services that a killed emulator left behind; on Linux they end with it."""
    processes = children(state)
    for process in processes:
        LOG.warning("ending %s, left behind by an emulator that was killed", process.pid)
        process.kill()
    psutil.wait_procs(processes, STOP_SECONDS)


def check_writable(state: Path) -> None:
    """Make the state folder, and see whether what a start writes finds room there.

    The emulator could say it in its log only, which is in that folder too.
    """
    probe = state / "start.probe"
    try:
        state.mkdir(parents=True, exist_ok=True)
        try:
            with probe.open("wb") as file:
                file.write(bytes(START_BYTES))
                file.flush()
                os.fsync(file.fileno())
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise EmulatorError(
            f"the state folder {state} can't be written: {error.strerror}. Free some space there, "
            "make it writable, or set LAB_DIR to another folder"
        ) from error


def _spawn(state: Path, ports: Ports, all_services_enabled: bool) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "emulator", "start", "--foreground"]
    command += ["--port", str(ports.api), "--bigquery-port", str(ports.bigquery)]
    command += ["--storage-port", str(ports.storage)]
    command += ["--all-services-enabled"] if all_services_enabled else []
    environment = {**os.environ, "LAB_DIR": str(state.parent)}
    for log in state.glob("*.log"):
        if log.stat().st_size > MOST_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
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
    with loopback.client(running.url, seconds=5) as client:
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


def _health(client: httpx.Client) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = client.get("/_emulator/health").json()
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


def _check_same(running: Running, wanted: Ports, all_services_enabled: bool) -> None:
    for name in NAMES:
        port, present = getattr(wanted, name), getattr(running.ports, name)
        if port and port != present:
            raise EmulatorError(
                f"the emulator already runs, with its {name} port at {present}, not {port}: "
                "stop it first (`python -m emulator stop`)"
            )
    if all_services_enabled and not running.all_services_enabled:
        raise EmulatorError(
            "the emulator already runs, without --all-services-enabled: "
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
