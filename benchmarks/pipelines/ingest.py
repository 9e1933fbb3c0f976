"""Files a second through the ingest, beside a plain script of the same work."""

import sys
from collections.abc import Iterator

from benchmarks import comparison, files
from benchmarks.comparison import Row
from benchmarks.local import Local
from benchmarks.pipelines import plain_ingest, runs
from benchmarks.sides import Sides

FEW, MANY = 200, 2_000
ROUNDS = 2
GOAL = 0.5
_BUCKET = "ingest"


def measure_ingest(sides: Sides) -> Iterator[Row]:
    """Compare the ingest on two processes with the script's two, both without their starts.

    Raises:
        BenchmarkError: the pipeline or the script fails
    """
    local = sides.local
    sides.report(f"measuring the ingest of {MANY} files by Beam and by a script in turns")
    local.bucket(_BUCKET, ((f"{at.number}.dcm", file) for at, file in files.small(MANY)))
    local.bucket(f"{_BUCKET}-few", ((f"{at.number}.dcm", file) for at, file in files.small(FEW)))

    def seconds(bucket: str) -> float:
        return runs.ingest(local, bucket, plain_ingest.PROCESSES).seconds

    def ours() -> float:
        # The start of Beam, and of its stages, is in both, and is taken off.
        return (MANY - FEW) / (seconds(_BUCKET) - seconds(f"{_BUCKET}-few"))

    def theirs() -> float:
        with local.store() as store:
            return MANY / _script(local, store)

    line = f"ingest of {MANY} small files by 2 processes"
    yield comparison.rate(line, *comparison.in_turns(ours, theirs, ROUNDS), "/s", GOAL)


def _script(local: Local, store: str) -> float:
    """Run the script; return its seconds, without its start."""
    names = "\n".join(f"{number}.dcm" for number in range(MANY))
    command = [sys.executable, "-m", plain_ingest.__name__, local.running.url, _BUCKET, store]
    return float(runs.run(local, command, names).output)
