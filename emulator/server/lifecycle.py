"""Start, find, stop and reset an emulator, from another process."""

import logging
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil
from filelock import FileLock

from emulator.core import http_client
from emulator.core.backoff import delays
from emulator.core.processes import python_module
from emulator.core.processes.ports import free_port, is_free, port_owner
from emulator.core.processes.records import find_process
from emulator.core.program_name import command
from emulator.server import image_options, reuse
from emulator.server.code_version import code_version
from emulator.server.errors import EmulatorError
from emulator.server.running_processes import running_children
from emulator.server.server_file import NAMES, Ports, ServerInfo, read_server_info
from emulator.server.state_dir import FOLDER, check_state_dir

LOG = logging.getLogger(__name__)
START_SECONDS = 120.0
STOP_SECONDS = 30.0
_STOP_POLL_SECONDS = 0.02
RESET_SECONDS = 90.0
LOG_FILE = "emulator.log"
MAX_LOG_BYTES = 10 * 1024 * 1024
ENFORCE_IAM = "EMULATOR_ENFORCE_IAM"


def start(
    state: Path,
    ports: Ports | None = None,
    *,
    all_services_enabled: bool = False,
    enforce_iam: bool = False,
    images: Mapping[str, str] | None = None,
    report: Callable[[str], None] = LOG.info,
) -> ServerInfo:
    """Start the emulator in the background and wait until it is ready; keep one that runs.

    One that runs other code, as after an upgrade, or that failed is restarted on its ports.

    Args:
        state: its state folder, which must be called `emulator`: the process finds it by `LAB_DIR`
        ports: ports to listen on; a port of 0 is the one used last, or any free one
        all_services_enabled: whether every service counts as enabled in every project
        enforce_iam: whether every call is decided by the roles of its caller; so it is too where
            the variable EMULATOR_ENFORCE_IAM is 1
        images: name of a container image -> the Python module or file that runs in its place; those
            of earlier starts stay, an empty program removes one
        report: called with each message about the start

    Raises:
        EmulatorError: A port is in use, a service does not start, the state folder has another
            name, or it is not writable.
    """
    if state.name != FOLDER:
        raise EmulatorError(
            f"The state folder {state} must be called {FOLDER}: use {state / FOLDER}."
        )
    check_state_dir(state)
    wanted = ports or Ports()
    enforce_iam = enforce_iam or os.environ.get(ENFORCE_IAM) == "1"
    with FileLock(state / "start.lock"):
        found = status(state)
        if found is not None:
            reuse.check_same(
                found, wanted, all_services_enabled=all_services_enabled, enforce_iam=enforce_iam
            )
            image_options.check_same(found, images or {})
            if not (reason := _restart_reason(found)):
                return _wait_ready(found, None)
            report(f"restarting the local Google Cloud: {reason}")
            stop(state)
            all_services_enabled = found.all_services_enabled
            enforce_iam = found.enforce_iam
        programs = image_options.merge(state, images or {})
        kill_orphans(state)
        chosen = choose_ports(state, wanted, report)
        report("starting the local Google Cloud ...")
        options = ["--all-services-enabled"] if all_services_enabled else []
        options += ["--enforce-iam"] if enforce_iam else []
        options += [f"--image={name}={program}" for name, program in programs.items()]
        process = _spawn(state, chosen, options)
        running = _wait_recorded(state, process)
        return _wait_ready(running, process)


def status(state: Path) -> ServerInfo | None:
    """Return the emulator that serves a state folder; None if there is none."""
    running = read_server_info(state)
    return running if running and find_process(running.pid, running.created) else None


def stop(state: Path) -> bool:
    """Stop the emulator; its state stays.

    Returns:
        Whether one was running.

    Raises:
        EmulatorError: The process does not end.
    """
    running = status(state)
    process = find_process(running.pid, running.created) if running else None
    if running is None or process is None:
        return False
    process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    # Not `process.wait`: to it, one that has ended runs until the process that started it looks.
    while find_process(running.pid, running.created):
        if time.monotonic() > deadline:
            raise EmulatorError(
                f"The emulator (process {running.pid}) has not ended after {STOP_SECONDS:.0f} s. "
                f"Stop it with `kill -9 {running.pid}`: acknowledged changes are on the disk."
            )
        time.sleep(_STOP_POLL_SECONDS)
    return True


def reset(state: Path) -> ServerInfo | None:
    """Delete the state except the public bucket; a running emulator keeps running.

    Returns:
        The running emulator, if there is one.

    Raises:
        EmulatorError: The running emulator is not ready again in time.
    """
    running = status(state)
    if running is None:
        # Imports pydicom, which no other command needs.
        from emulator.server.reset import reset_state

        kill_orphans(state)
        reset_state(state)
        return None
    try:
        answer = httpx.post(f"{running.url}/_emulator/reset", timeout=RESET_SECONDS)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise EmulatorError(
            f"The running emulator could not reset its state ({error}): see {state / LOG_FILE}. "
            f"To reset it offline, run `{command('stop')}`, then `{command('reset')}`."
        ) from error
    return running


def health(running: ServerInfo) -> dict[str, Any]:
    """Return the health of an emulator: `ready`, `trouble`, `services`; empty if unreachable."""
    with http_client.client(running.url, seconds=5) as client:
        return _health(client)


def choose_ports(state: Path, wanted: Ports, report: Callable[[str], None] = LOG.warning) -> Ports:
    """Return free ports: those asked for, else those used last, else any.

    Raises:
        EmulatorError: A requested port is in use, or two services have the same one.
    """
    last = read_server_info(state)
    chosen = {name: port for name in NAMES if (port := getattr(wanted, name))}
    for name, port in chosen.items():
        if list(chosen.values()).count(port) > 1:
            raise EmulatorError(f"Port {port} is given twice. Each service needs its own port.")
        if not is_free(port):
            raise EmulatorError(_in_use(port, name))
    for name in NAMES:
        if name in chosen:
            continue
        before: int = getattr(last.ports, name) if last else 0
        if before and before not in chosen.values() and is_free(before):
            chosen[name] = before
            continue
        chosen[name] = free_port(chosen.values())
        if before:
            report(
                f"port {before}, used last, is in use by {port_owner(before)}; using "
                f'{chosen[name]} instead: run eval "$({command("env")})" again in your shells'
            )
    return Ports(**chosen)


def kill_orphans(state: Path) -> None:
    """Kill the backends of an emulator that was killed; on Linux they end with it."""
    processes = running_children(state)
    for process in processes:
        LOG.warning("killing process %s, an orphan of an emulator that was killed", process.pid)
        process.kill()
    psutil.wait_procs(processes, STOP_SECONDS)


def _spawn(state: Path, ports: Ports, options: Sequence[str]) -> subprocess.Popen[bytes]:
    arguments = [str(state), "--port", str(ports.api), "--bigquery-port", str(ports.bigquery)]
    arguments += ["--storage-port", str(ports.storage), *options]
    environment = {**os.environ, **python_module.environment(), "LAB_DIR": str(state.parent)}
    for log in state.glob("*.log"):
        if log.stat().st_size > MAX_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
    with (state / LOG_FILE).open("ab") as output:
        return subprocess.Popen(
            python_module.command("emulator.server", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,  # a Ctrl-C in the terminal must not stop it
        )


def _wait_recorded(state: Path, process: subprocess.Popen[bytes]) -> ServerInfo:
    for _ in _backoff():
        running = read_server_info(state)
        if running is not None and running.pid == process.pid:
            return running
        if process.poll() is not None:
            raise EmulatorError(_ended(state, process.returncode))
    raise EmulatorError(_too_slow(state))


def _wait_ready(running: ServerInfo, process: subprocess.Popen[bytes] | None) -> ServerInfo:
    with http_client.client(running.url, seconds=5) as client:
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
    """Yield immediately, then after growing delays, until the deadline."""
    deadline = time.monotonic() + seconds
    for delay in delays(0.02, 0.1, multiplier=1.3):
        if time.monotonic() >= deadline:
            return
        yield
        time.sleep(delay)


def _restart_reason(running: ServerInfo) -> str:
    if running.code != code_version():
        return "the running one has another version of the code; its state stays"
    return str(health(running).get("trouble", ""))


def _in_use(port: int, name: str) -> str:
    option = "--port" if name == "api" else f"--{name}-port"
    return (
        f"Port {port} is in use by {port_owner(port)}. Stop it, choose another port with {option}, "
        f"or omit {option} to use any free port."
    )


def _ended(state: Path, code: int) -> str:
    log = state / LOG_FILE
    last = log.read_text(errors="replace").strip().splitlines()[-5:] if log.exists() else []
    return "\n".join(
        [f"The emulator ended with exit code {code} at its start. The end of {log}:", *last]
    )


def _too_slow(state: Path) -> str:
    return (
        f"The emulator is not ready after {START_SECONDS:.0f} s: see {state / LOG_FILE}. "
        f"Stop it with `{command('stop')}`."
    )
