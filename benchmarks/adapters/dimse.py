"""C-STORE of the lab's files through the DIMSE adapter, beside Orthanc."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import comparison, orthanc
from benchmarks.adapters.process import PATIENCE_SECONDS, adapter
from benchmarks.clones import BenchmarkError
from benchmarks.comparison import Row
from benchmarks.sides import Orthanc, Sides
from emulator.core.processes.ports import free_port

ASSOCIATIONS = 4
GOAL = 1.0
AET = "BENCHMARK"
SENDER = "storescu"


def measure_c_store(sides: Sides) -> Iterator[Row]:
    """Compare C-STORE by DCMTK, until each instance is in the store, with Orthanc's.

    Raises:
        BenchmarkError: DCMTK is not installed, or an instance is refused
    """
    if shutil.which(SENDER) is None:
        raise BenchmarkError(f"{SENDER} of DCMTK is not installed: `apt-get install dcmtk`")
    count = len(sides.lab_files)
    sides.report(f"storing {count} files by C-STORE on both sides in turns")
    port = free_port()
    settings = {"DicomServerEnabled": True, "DicomPort": port, "DicomAlwaysAllowStore": True}
    with tempfile.TemporaryDirectory(prefix="gcp-healthcare-bench-") as name:
        folder = Path(name)
        folders = _distribute(sides.lab_files, folder / "files")
        with orthanc.running(folder / "orthanc", **settings) as url:
            peer = Orthanc(url)

            def ours() -> float:
                with sides.local.store() as store:
                    options = ("--aet", AET, "--host", "127.0.0.1", "--dicomweb-store", store)
                    with adapter(sides.local, "workloads.dimse", *options) as own:
                        return count / _send(own, folders)

            def theirs() -> float:
                try:
                    return count / _send(port, folders)
                finally:
                    peer.clear()

            rates = comparison.in_turns(ours, theirs)
    line = f"C-STORE of {count} files, {ASSOCIATIONS} associations"
    yield comparison.rate(line, *rates, "files/s", GOAL)


def _distribute(files: list[bytes], folder: Path) -> list[Path]:
    """Write the files into a folder for each association."""
    folders = [folder / str(number) for number in range(ASSOCIATIONS)]
    for each in folders:
        each.mkdir(parents=True)
    for number, content in enumerate(files):
        (folders[number % ASSOCIATIONS] / f"{number}.dcm").write_bytes(content)
    return folders


def _send(port: int, folders: list[Path]) -> float:
    """Send each folder by an association; return the seconds until the last has ended."""
    began = time.perf_counter()
    senders = [
        subprocess.Popen(
            [SENDER, "-aec", AET, "127.0.0.1", str(port), "+sd", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for folder in folders
    ]
    outputs = [sender.communicate(timeout=PATIENCE_SECONDS)[0] for sender in senders]
    seconds = time.perf_counter() - began
    for sender, output in zip(senders, outputs, strict=True):
        if sender.returncode != 0:
            raise BenchmarkError(f"{SENDER} failed: {output[-1000:]}")
    return seconds
