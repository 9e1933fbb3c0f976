"""Start of the emulator: until the first DICOMweb response, and until all services are ready."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

import httpx

from benchmarks import comparison
from benchmarks.clones import BenchmarkError
from benchmarks.comparison import Row
from benchmarks.sides import Sides
from emulator.core.processes.ports import free_port
from emulator.core.processes.supervisor import ProcessSpec
from emulator.core.settings import PROJECT
from emulator.server import backends, lifecycle
from emulator.server.server_file import read_server_info

READY_GOAL_SECONDS = 1.0
FIRST_RESPONSE_GOAL_SECONDS = 1.0
DATASET = f"/v1/projects/{PROJECT}/locations/us-central1/datasets/benchmark"
LOOK_SECONDS = 0.01
PATIENCE_SECONDS = 60


def measure_start(sides: Sides) -> Iterator[Row]:
    """Compare with the slower of fake-gcs-server and bqemulator, each on an existing state."""
    with tempfile.TemporaryDirectory(prefix="gcp-healthcare-bench-") as folder:
        state = Path(folder) / "emulator"
        sides.report("starting the emulator and its parts in turns")
        search = _prepare(state)
        times = [_first_response(state, search) for _ in range(comparison.ROUNDS + 1)][1:]
        work = "start until the first DICOMweb response"
        yield comparison.ceiling(work, median(times), FIRST_RESPONSE_GOAL_SECONDS, "s")
        ports = [free_port() for _ in range(3)]
        parts = (
            backends.storage(ports[0], state / "storage"),
            backends.bigquery(ports[1], ports[2], Path(folder) / "bigquery", state / "storage"),
        )
        found = {}
        for part in parts:
            found[part.name] = comparison.in_turns(partial(_ours, state), partial(_alone, part))
        slower = max(found, key=lambda name: found[name][1])
        work = f"start until ready, beside {slower}'s stand-in"
        yield comparison.delay(work, *found[slower], READY_GOAL_SECONDS)


def _prepare(state: Path) -> str:
    """Fill the public bucket and create a DICOM store; return the path of a search there."""
    running = lifecycle.start(state, all_services_enabled=True)
    with httpx.Client(base_url=running.url) as client:
        datasets, name = DATASET.rsplit("/", 1)
        client.post(datasets, params={"datasetId": name}, json={}).raise_for_status()
        stores = f"{DATASET}/dicomStores"
        client.post(stores, params={"dicomStoreId": "store"}, json={}).raise_for_status()
    lifecycle.stop(state)
    return f"{stores}/store/dicomWeb/studies"


def _first_response(state: Path, search: str) -> float:
    """Return the seconds from the start until a search succeeds; the ports stay the same."""
    url = f"http://127.0.0.1:{_last_port(state)}{search}"
    starting = threading.Thread(target=partial(lifecycle.start, state, all_services_enabled=True))
    began = time.perf_counter()
    starting.start()
    try:
        while not _answers(url):
            if time.perf_counter() - began > PATIENCE_SECONDS:
                raise BenchmarkError("the emulator does not answer DICOMweb")
            time.sleep(LOOK_SECONDS)
        return time.perf_counter() - began
    finally:
        starting.join()
        lifecycle.stop(state)


def _last_port(state: Path) -> int:
    last = read_server_info(state)
    assert last is not None
    return last.ports.api


def _ours(state: Path) -> float:
    began = time.perf_counter()
    lifecycle.start(state)
    seconds = time.perf_counter() - began
    lifecycle.stop(state)
    return seconds


def _alone(service: ProcessSpec) -> float:
    service.prepare()
    environment = {**os.environ, **service.environment}
    began = time.perf_counter()
    process = subprocess.Popen(
        service.command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(service.probe):
            if process.poll() is not None or time.perf_counter() - began > PATIENCE_SECONDS:
                raise BenchmarkError(f"{service.name} does not start by itself")
            time.sleep(LOOK_SECONDS)
        return time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False
