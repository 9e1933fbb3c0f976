"""An import of many files beside one of few, and the memory that it takes."""

from collections.abc import Iterator
from statistics import median

from benchmarks import comparison, returning
from benchmarks.comparison import Row
from benchmarks.memory import Watch
from benchmarks.sides import FEW, IMPORTED, Sides

RATE_GOAL = 0.8
MEMORY_GOAL_MB = 600.0
ROUNDS = 3


def measure_scale(sides: Sides) -> Iterator[Row]:
    """Compare the rate of a large import with that of small ones before and after it."""
    bucket = sides.large
    sides.report(f"importing {FEW} files, then {IMPORTED}, then {FEW} again")
    before = [_small_import_rate(sides, bucket) for _ in range(ROUNDS + 1)][1:]
    with Watch(sides.local.running.pid) as watch, sides.local.store() as store:
        large = returning.bring_in(sides.local, store, f"gs://{bucket}/first/*.dcm")
    after = [_small_import_rate(sides, bucket) for _ in range(ROUNDS)]
    rate = large.success / large.operation
    work = f"import of {IMPORTED} files, beside {FEW}"
    yield comparison.rate(work, rate, median([*before, *after]), "files/s", RATE_GOAL)
    yield comparison.ceiling(
        "peak memory of that import, all processes", watch.peak_mb, MEMORY_GOAL_MB, "MB"
    )
    yield comparison.overhead("from its end until import_dicom.py returns", *large.seconds)


def _small_import_rate(sides: Sides, bucket: str) -> float:
    with sides.local.store() as store:
        return FEW / sides.local.bring_in(store, f"gs://{bucket}/few/*.dcm").seconds
