"""The time between the end of an operation and the return of the script that followed it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from benchmarks import comparison
from benchmarks.clones import ROOT, BenchmarkError
from benchmarks.comparison import Row
from benchmarks.local import Local
from benchmarks.sides import Sides
from emulator.services.storage.public_bucket import BUCKET


@dataclass(frozen=True)
class Scripted:
    """The time that a script's operation took.

    Attributes:
        operation: its own seconds, as the service noted them.
        after: seconds from its end until the script had returned.
        success: files or instances that went through.
    """

    operation: float
    after: float
    success: int

    @property
    def seconds(self) -> tuple[float, float]:
        """The time that the script added, and the time of the operation."""
        return self.after, self.operation


def bring_in(local: Local, store: str, uri: str) -> Scripted:
    """Import by the script."""
    return _run(local, store, "import_dicom.py", uri)


def bring_out(local: Local, store: str) -> Scripted:
    """Export to a new table by the script."""
    return _run(local, store, "export_metadata.py", "--table", f"bq://{local.table()}")


def measure_return(sides: Sides) -> Iterator[Row]:
    """Let the scripts import and export the lab's files."""
    sides.report("the lab's import and export by the scripts")
    imports, exports = [], []
    for _ in range(comparison.ROUNDS):
        with sides.local.store() as store:
            imports.append(bring_in(sides.local, store, f"gs://{BUCKET}/**.dcm"))
            exports.append(bring_out(sides.local, store))
    for name, runs in (("import_dicom.py", imports), ("export_metadata.py", exports)):
        after = median(run.after for run in runs)
        operation = median(run.operation for run in runs)
        work = f"from the operation's end until {name} returns"
        yield comparison.overhead(work, after, operation)


def _run(local: Local, store: str, script: str, *arguments: str) -> Scripted:
    _, project, _, location, _, dataset, _, store_id = store.split("/")
    options = ["--project", project, "--location", location, "--dataset", dataset]
    command = [sys.executable, str(ROOT / "scripts" / script), *arguments, *options]
    done = subprocess.run(
        [*command, "--store", store_id, "--json"],
        env=local.environment(),
        capture_output=True,
        text=True,
    )
    returned = time.time()
    if done.returncode:
        raise BenchmarkError(f"{script} ended with {done.returncode}: {done.stderr[-2000:]}")
    summary = json.loads(done.stdout)
    metadata = local.http.get(f"/v1/{summary['operation']}").json()["metadata"]
    began, ended = (
        datetime.fromisoformat(metadata[name]).timestamp() for name in ("createTime", "endTime")
    )
    return Scripted(ended - began, returned - ended, summary["success"])
