"""The rows about the growth of the ingest, from runs that are known."""

from benchmarks.comparison import Row
from benchmarks.pipelines import ingest_growth
from benchmarks.pipelines.ingest_growth import FEW
from benchmarks.pipelines.runs import Run

START = Run(seconds=5, processor=4, peak_mb=400, peak_worker_mb=140, output="")


def run(size: int, milliseconds: float, worker_mb: float = 140) -> Run:
    """A run on two cores, each of whose instances takes so much processor time."""
    processor = (size - FEW) * milliseconds / 1_000
    seconds = START.seconds + processor / 2
    return Run(seconds, START.processor + processor, 400 + worker_mb, worker_mb, "")


def found(done: dict[int, Run]) -> dict[str, Row]:
    return {row.work: row for row in ingest_growth.rows(START, done)}


def test_rates_are_of_the_instances_without_the_start() -> None:
    rows = found({1_000: run(1_000, 2), 10_000: run(10_000, 2)})
    core = rows["ingest of 10000 instances, beside 1000: by a core"]
    assert (round(core.ours), round(core.peer), core.met) == (500, 500, True)
    wall = rows["ingest of 10000 instances, beside 1000: by 2 processes"]
    assert (round(wall.ours), round(wall.peer), wall.met) == (1_000, 1_000, True)


def test_a_fifth_less_by_a_core_is_allowed_and_more_is_not() -> None:
    rows = found({1_000: run(1_000, 2), 10_000: run(10_000, 2.4), 100_000: run(100_000, 2.6)})
    cores = [row for work, row in rows.items() if work.endswith("by a core")]
    assert [(round(row.ratio, 2), row.met) for row in cores] == [(0.83, True), (0.77, False)]


def test_memory_has_a_ceiling_and_that_of_a_worker_hardly_grows() -> None:
    rows = found({1_000: run(1_000, 2), 10_000: run(10_000, 2, 180), 100_000: run(100_000, 2, 700)})
    assert {work: row.met for work, row in rows.items() if work.startswith("peak memory")} == {
        "peak memory of the ingest of 1000, all processes": True,
        "peak memory of the ingest of 10000, all processes": True,
        "peak memory of the ingest of 10000, a worker": True,
        "peak memory of the ingest of 100000, all processes": False,
        "peak memory of the ingest of 100000, a worker": False,
    }
