"""Images a second through the inference service, beside a plain script of the same work."""

import base64
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from benchmarks import comparison
from benchmarks.adapters import plain_inference
from benchmarks.adapters.process import PATIENCE_SECONDS
from benchmarks.clones import ROOT, BenchmarkError
from benchmarks.comparison import Row
from benchmarks.local import Local
from benchmarks.sides import Sides
from emulator.core.processes.ports import free_port
from emulator.core.settings import PROJECT

IMAGES = 60
GOAL = 0.8
_BUCKET = "inference"
_DONE = 204
_LEVELS = ("0020000D", "0020000E", "00080018")
"""UIDs of study, series and instance."""


def measure_inference(sides: Sides) -> Iterator[Row]:
    """Compare the service, which gets notifications from 4 callers, with the script's 4 threads.

    Raises:
        BenchmarkError: the service or the script fails
    """
    local = sides.local
    sides.report(f"measuring {IMAGES} x-rays by the service and by a script in turns")
    files = sides.lab_files[:IMAGES]
    local.bucket(_BUCKET, [(f"{number}.dcm", file) for number, file in enumerate(files)])

    def ours() -> float:
        with local.store() as store, _service(local, store) as url:
            return IMAGES / _push(url, store, _filled(local, store))

    def theirs() -> float:
        with local.store() as store:
            return IMAGES / _script(local, store, _filled(local, store))

    line = f"inference on {IMAGES} x-rays: fetch, model, STOW-RS"
    yield comparison.rate(line, *comparison.in_turns(ours, theirs), "/s", GOAL)


def _filled(local: Local, store: str) -> list[str]:
    """Import the x-rays; return their paths in the store."""
    local.bring_in(store, f"gs://{_BUCKET}/**.dcm")
    found = local.http.get(f"/v1/{store}/dicomWeb/instances").json()
    uids = [[one[tag]["Value"][0] for tag in _LEVELS] for one in found]
    return [f"studies/{study}/series/{series}/instances/{sop}" for study, series, sop in uids]


@contextmanager
def _service(local: Local, store: str) -> Iterator[str]:
    """Run the service on a store; yield its address."""
    port = free_port()
    settings = {
        "INFERENCE_DICOM_STORE": store,
        "INFERENCE_DEAD_LETTER_TOPIC": f"projects/{PROJECT}/topics/none",
        "PORT": str(port),
    }
    command = [sys.executable, "-m", "workloads.inference", "--host", "127.0.0.1"]
    environment = {**local.environment(), **settings}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise BenchmarkError("workloads.inference did not start")


def _push(url: str, store: str, paths: list[str]) -> float:
    """Send the notification of each instance as Pub/Sub does; return the seconds of all."""
    with httpx.Client(timeout=PATIENCE_SECONDS) as client:

        def send(path: str) -> None:
            data = base64.b64encode(f"{store}/dicomWeb/{path}".encode()).decode()
            message = {"data": data, "messageId": "1", "attributes": {}}
            answer = client.post(url, json={"message": message})
            if answer.status_code != _DONE:
                raise BenchmarkError(f"{path}: {answer.status_code} {answer.text}")

        began = time.perf_counter()
        with ThreadPoolExecutor(plain_inference.THREADS) as callers:
            list(callers.map(send, paths))
        return time.perf_counter() - began


def _script(local: Local, store: str, paths: list[str]) -> float:
    """Run the script; return its seconds, without its start."""
    command = [sys.executable, "-m", plain_inference.__name__, local.running.url, store]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=dict(os.environ),
        input="\n".join(paths),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise BenchmarkError(f"the script failed: {done.stderr[-1000:]}")
    return float(done.stdout)
