"""The ingest of more and more instances: does a core do as many a second, and in which memory."""

from collections.abc import Iterator
from dataclasses import dataclass

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
    first, peaks = _Rate(0, 0), {}
    for size in SIZES:
        run = _fastest(sides, size)
        peaks[size] = run.peak_mb
        more = size - FEW
        rate = _Rate(more / (run.processor - few.processor), more / (run.seconds - few.seconds))
        if size == SIZES[0]:
            first = rate
            continue
        work = f"ingest of {size} instances, beside {SIZES[0]}"
        yield comparison.rate(f"{work}: by a core", rate.core, first.core, "/core s", GOAL)
        yield comparison.rate(
            f"{work}: by {PROCESSES} processes", rate.wall, first.wall, "/s", GOAL
        )
    for size, peak in peaks.items():
        work = f"peak memory of the ingest of {size}, all processes"
        yield comparison.ceiling(work, peak, MEMORY_GOAL_MB, "MB")


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
    best = min(done, key=lambda run: run.processor)
    sides.report(
        f"{size} instances: {best.seconds:.1f} s, {best.processor:.1f} s of processor time, "
        f"{best.peak_mb:.0f} MB"
    )
    return best
