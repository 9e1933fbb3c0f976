"""Pipelines in processes of their own, with workers that can be killed."""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pydicom

from tests.support import http
from tests.support.dicom_files import make_dicom
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 300.0
_WORKER = "apache_beam.runners.worker.sdk_worker_main"


class Pipeline:
    """A run of `python -m pipelines`, and the lines of its log.

    Args:
        arguments: of its command line
        environment: that leads it to the emulator
    """

    def __init__(self, *arguments: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipelines", *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def counted(self, after: int = 0, counter: str = "stored") -> int:
        """Return the largest number that a worker has counted; -1 if it has not begun to count.

        Args:
            after: lines of the log that are left out
            counter: its name
        """
        lines = [json.loads(line) for line in self.lines[after:] if '"counters"' in line]
        return max((line["counters"].get(counter, -1) for line in lines), default=-1)

    def workers(self) -> list[psutil.Process]:
        """Return the running workers of Beam."""
        found = []
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self._process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    command = child.cmdline()
                    if _WORKER in command and "-c" not in command:
                        found.append(child)
        return found

    def kill_worker(self, index: int, number: int, after: int = 0, counter: str = "stored") -> bool:
        """Kill one of the workers once one has counted so far; False if none runs then."""
        wait_until(
            lambda: self.counted(after, counter) >= number or not self.is_running,
            f"no worker has counted {number} {counter}",
            PATIENCE_SECONDS,
        )
        workers = self.workers()
        if workers:
            workers[index % len(workers)].kill()
        return bool(workers)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """The end of its log."""
        return "\n".join(self.lines[-40:])

    def code(self) -> int:
        """Wait for its end; return its exit code."""
        self._process.wait(PATIENCE_SECONDS)
        self._thread.join()
        return self._process.returncode

    def result(self, code: int) -> dict[str, Any]:
        """Wait for its end with an exit code; return the report that it printed."""
        assert self._process.stdout
        text = self._process.stdout.read()
        assert self.code() == code, self.log
        printed: dict[str, Any] = json.loads(text)
        return printed

    def _read(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self.lines.append(line.rstrip())


def make_store(url: str, project: str, name: str = "images") -> str:
    """Create a dataset, unless there is one, and an empty DICOM store; return its full name."""
    parent = f"projects/{project}/locations/us-central1/datasets"
    http.post(f"{url}/v1/{parent}?datasetId=d", json={})
    stores = f"{url}/v1/{parent}/d/dicomStores"
    http.post(f"{stores}?dicomStoreId={name}", json={}).raise_for_status()
    return f"{parent}/d/dicomStores/{name}"


def make_bucket(url: str, project: str, suffix: str = "files") -> str:
    """Create a bucket of a project; return its name."""
    body = {"name": f"{project}-{suffix}"}
    http.post(f"{url}/storage/v1/b?project={project}", json=body).raise_for_status()
    return body["name"]


def put_files(url: str, bucket: str, files: Mapping[str, bytes]) -> None:
    """Put files into a bucket."""
    upload = f"{url}/upload/storage/v1/b/{bucket}/o"
    for name, content in files.items():
        query = {"uploadType": "media", "name": name}
        http.post(upload, params=query, content=content).raise_for_status()


def instances(number: int, prefix: str = "in/") -> dict[str, bytes]:
    """Return files of small instances in several studies and folders, by name."""
    return {
        f"{prefix}study{n % 4}/{n}.dcm": make_dicom(
            StudyInstanceUID=f"1.2.{n % 4}",
            SeriesInstanceUID=f"1.2.{n % 4}.{n % 8}",
            SOPInstanceUID=f"1.2.{n % 4}.{n % 8}.{n}",
            StudyDate="2024-01-02" if n % 3 else "20240102",
            Modality="CT",
        )
        for n in range(1, number + 1)
    }


def uids_of(files: Mapping[str, bytes]) -> list[str]:
    """Return the SOP Instance UIDs of files, each once, sorted."""
    found = {pydicom.dcmread(io.BytesIO(each)).SOPInstanceUID for each in files.values()}
    return sorted(map(str, found))


def stored(url: str, store: str) -> list[str]:
    """Return the SOP Instance UIDs in a store, sorted."""
    return sorted(_uids(url, store))


def _uids(url: str, store: str) -> Iterator[str]:
    answer = http.get(f"{url}/v1/{store}/dicomWeb/instances?limit=5000")
    for one in answer.json() if answer.content else []:
        yield one["00080018"]["Value"][0]
