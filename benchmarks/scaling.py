"""An import of many files beside one of few, and its memory."""

from collections.abc import Iterator
from statistics import median

from benchmarks import comparison, returning
from benchmarks.comparison import Row
from benchmarks.memory import Watch
from benchmarks.sides import FEW, MANY, Sides

RATE_GOAL = 0.8
MEMORY_GOAL_MB = 600.0
ROUNDS = 3


def measure_scale(sides: Sides) -> Iterator[Row]:
    """Compare the rate of many files with that of few before and after it."""
    sides.report(f"importing {FEW} files, then {MANY}, then {FEW} again")
    before = [_few(sides) for _ in range(ROUNDS + 1)][1:]
    with Watch(sides.local.running.pid) as watch, sides.local.store() as store:
        many = returning.bring_in(sides.local, store, f"gs://{sides.many}/all/*.dcm")
    few = median([*before, *(_few(sides) for _ in range(ROUNDS))])
    rate = many.success / many.operation
    work = f"import of {MANY} files, beside {FEW}"
    yield comparison.rate(work, rate, few, "files/s", RATE_GOAL)
    yield comparison.ceiling("its memory, all told", watch.peak_mb, MEMORY_GOAL_MB, "MB")
    yield comparison.overhead("from its end until import_dicom.py returns", *many.seconds)


def _few(sides: Sides) -> float:
    with sides.local.store() as store:
        return FEW / sides.local.bring_in(store, f"gs://{sides.many}/few/*.dcm").seconds
