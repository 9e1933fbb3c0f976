"""Files a second through the ingest, beside a plain script of the same work."""

import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks import comparison, files
from benchmarks.clones import ROOT, BenchmarkError
from benchmarks.comparison import Row
from benchmarks.local import Local
from benchmarks.pipelines import plain_ingest
from benchmarks.sides import Sides

FEW, MANY = 200, 2_000
ROUNDS = 2
GOAL = 0.5
_BUCKET = "ingest"
_SECONDS = 1_800


def measure_ingest(sides: Sides) -> Iterator[Row]:
    """Compare the ingest on two processes with the script's two, both without their starts.

    Raises:
        BenchmarkError: the pipeline or the script fails
    """
    local = sides.local
    sides.report(f"measuring the ingest of {MANY} files by Beam and by a script in turns")
    local.bucket(_BUCKET, ((f"{at.number}.dcm", file) for at, file in files.small(MANY)))
    local.bucket(f"{_BUCKET}-few", ((f"{at.number}.dcm", file) for at, file in files.small(FEW)))

    def ours() -> float:
        # The start of Beam, and of its stages, is in both, and is taken off.
        return (MANY - FEW) / (_pipeline(local, _BUCKET) - _pipeline(local, f"{_BUCKET}-few"))

    def theirs() -> float:
        with local.store() as store:
            return MANY / _script(local, store)

    line = f"ingest of {MANY} small files by 2 processes"
    yield comparison.rate(line, *comparison.in_turns(ours, theirs, ROUNDS), "/s", GOAL)


def _pipeline(local: Local, bucket: str) -> float:
    """Run the ingest; return its seconds."""
    with local.store() as store:
        output = f"gs://{_BUCKET}/runs/{store.rpartition('/')[2]}"
        began = time.perf_counter()
        options = [f"--source=gs://{bucket}/", f"--store={store}", f"--output={output}"]
        options += ["--suffix=.dcm", f"--direct_num_workers={plain_ingest.PROCESSES}"]
        _run(local, [sys.executable, "-m", "pipelines", "ingest", *options])
        return time.perf_counter() - began


def _script(local: Local, store: str) -> float:
    """Run the script; return its seconds, without its start."""
    names = "\n".join(f"{number}.dcm" for number in range(MANY))
    command = [sys.executable, "-m", plain_ingest.__name__, local.running.url, _BUCKET, store]
    return float(_run(local, command, names))


def _run(local: Local, command: list[str], text: str = "") -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=local.environment(),
        input=text,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise BenchmarkError(f"{' '.join(command[:4])} failed: {done.stderr[-1000:]}")
    return done.stdout
