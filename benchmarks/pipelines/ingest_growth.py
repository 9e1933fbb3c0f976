"""The ingest of more and more instances: does a core do as many a second, and in which memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from benchmarks import comparison, files
from benchmarks.comparison import Row
from benchmarks.pipelines import runs
from benchmarks.pipelines.plain_ingest import PROCESSES
from benchmarks.pipelines.runs import Run
from benchmarks.sides import Sides

FEW = 100
SIZES = (1_000, 10_000, 100_000)
IN_FOLDER = 1_000
"""Instances of a folder: folders are listed side by side."""
REPEATED = 5
"""Runs of the sizes up to `SIZES[0]`, which end in seconds: the fastest counts."""
GOAL = 0.8
MEMORY_GOAL_MB = 1_000.0
WORKER_GOAL_MB = 100.0
"""How much more memory a worker may need than for the smallest size.

On the direct runner, a bundle holds the names of half of the instances, in buffers of 10 MB.
"""


@dataclass(frozen=True)
class _Rate:
    """Instances a second.

    Attributes:
        core: of processor time, of all processes of the pipeline
        wall: of the duration
    """

    core: float
    wall: float


def measure_ingest_growth(sides: Sides) -> Iterator[Row]:
    """Compare the ingest of many instances with that of `SIZES[0]`, without the starts of Beam.

    Raises:
        BenchmarkError: the pipeline fails
    """
    few = _fastest(sides, FEW)
    yield from rows(few, {size: _fastest(sides, size) for size in SIZES})


def rows(few: Run, done: Mapping[int, Run]) -> Iterator[Row]:
    """Yield the rates and the memory of runs beside those of the smallest one.

    Args:
        few: the ingest of `FEW` instances, which is the start of Beam above all
        done: instances -> their ingest
    """
    smallest, *larger = sorted(done)
    rates = {size: _rate(few, size, run) for size, run in done.items()}
    for size in larger:
        work, rate = f"ingest of {size} instances, beside {smallest}", rates[size]
        by = f"{work}: by {PROCESSES} processes"
        yield comparison.rate(
            f"{work}: by a core", rate.core, rates[smallest].core, "/core s", GOAL
        )
        yield comparison.rate(by, rate.wall, rates[smallest].wall, "/s", GOAL)
    least = done[smallest].peak_worker_mb
    for size in (smallest, *larger):
        work, run = f"peak memory of the ingest of {size}", done[size]
        yield comparison.ceiling(f"{work}, all processes", run.peak_mb, MEMORY_GOAL_MB, "MB")
        if size != smallest:
            yield comparison.delay(
                f"{work}, a worker", run.peak_worker_mb, least, WORKER_GOAL_MB, "MB"
            )


def _rate(few: Run, size: int, run: Run) -> _Rate:
    more = size - FEW
    return _Rate(more / (run.processor - few.processor), more / (run.seconds - few.seconds))


def _fastest(sides: Sides, size: int) -> Run:
    """Run the ingest of a number of instances without pixels."""
    bucket = f"ingest-{size}"
    sides.report(f"creating {size} instances without pixels, and running the ingest of them")
    objects = (
        (f"{at.number // IN_FOLDER:04}/{at.number}.dcm", file)
        for at, file in files.small(size, has_pixels=False)
    )
    sides.local.bucket(bucket, objects)
    times = REPEATED if size <= SIZES[0] else 1
    done = [runs.ingest(sides.local, bucket, PROCESSES) for _ in range(times)]
    # Other work on the machine makes either longer, and neither shorter.
    quickest = min(done, key=lambda run: run.seconds)
    best = replace(quickest, processor=min(run.processor for run in done))
    sides.report(
        f"{size} instances: {best.seconds:.1f} s, {best.processor:.1f} s of processor time, "
        f"{best.peak_mb:.0f} MB, a worker {best.peak_worker_mb:.0f} MB"
    )
    return best
