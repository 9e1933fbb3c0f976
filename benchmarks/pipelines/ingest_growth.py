"""The ingest of more and more instances: does a core do as many a second, and in which memory."""

from collections.abc import Iterator
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
REPEATED = 3
"""Runs of the sizes up to `SIZES[0]`, which end in seconds: the fastest counts."""
GOAL = 0.8
MEMORY_GOAL_MB = 1_000.0
WORKER_GOAL_MB = 50.0
"""How much more memory a worker may need for the largest size than for the smallest."""


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
    first, done = _Rate(0, 0), {}
    for size in SIZES:
        run = done[size] = _fastest(sides, size)
        more = size - FEW
        rate = _Rate(more / (run.processor - few.processor), more / (run.seconds - few.seconds))
        if size == SIZES[0]:
            first = rate
            continue
        work = f"ingest of {size} instances, beside {SIZES[0]}"
        by = f"{work}: by {PROCESSES} processes"
        yield comparison.rate(f"{work}: by a core", rate.core, first.core, "/core s", GOAL)
        yield comparison.rate(by, rate.wall, first.wall, "/s", GOAL)
    for size, run in done.items():
        work = f"peak memory of the ingest of {size}"
        yield comparison.ceiling(f"{work}, all processes", run.peak_mb, MEMORY_GOAL_MB, "MB")
        least = done[SIZES[0]].peak_worker_mb
        if size != SIZES[0]:
            yield comparison.delay(
                f"{work}, a worker", run.peak_worker_mb, least, WORKER_GOAL_MB, "MB"
            )


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
