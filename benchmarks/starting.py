"""From the start of the emulator until it is ready, beside the servers that it is made of."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx

from benchmarks import comparison
from benchmarks.clones import BenchmarkError
from benchmarks.comparison import Row
from benchmarks.sides import Sides
from emulator import children, processes
from emulator.children import Service
from emulator.ports import any_port

GOAL_SECONDS = 1.0
LOOK_SECONDS = 0.01
PATIENCE_SECONDS = 60


def measure_start(sides: Sides) -> Iterator[Row]:
    """Compare with the slower of fake-gcs-server and bqemulator, each on a state that is there."""
    with tempfile.TemporaryDirectory(prefix="gcp-healthcare-bench-") as folder:
        state = Path(folder) / "emulator"
        sides.report("starting the emulator and its parts in turns")
        processes.start(state)  # fills the public bucket, which happens once
        processes.stop(state)
        ports = [any_port() for _ in range(3)]
        parts = (
            children.storage(ports[0], state / "storage"),
            children.bigquery(ports[1], ports[2], Path(folder) / "bigquery"),
        )
        found = {}
        for part in parts:
            found[part.name] = comparison.in_turns(partial(_ours, state), partial(_alone, part))
        slower = max(found, key=lambda name: found[name][1])
        work = f"start until ready, beside {slower}'s stand-in"
        yield comparison.delay(work, *found[slower], GOAL_SECONDS)


def _ours(state: Path) -> float:
    began = time.perf_counter()
    processes.start(state)
    seconds = time.perf_counter() - began
    processes.stop(state)
    return seconds


def _alone(service: Service) -> float:
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
