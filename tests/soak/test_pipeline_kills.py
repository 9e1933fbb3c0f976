"""The ingest, whose workers are killed at random moments, and itself: nothing lost, nothing twice.

Each run costs a start of Beam: the short form is `tests/contract/test_pipelines.py`.
"""

import random
from collections.abc import Callable

import pytest

from pipelines.supervisor import MAX_ATTEMPTS, WORKER_LOST
from tests.soak.fuzzing import PROJECT, Target
from tests.support import pipelines
from tests.support.pipelines import Pipeline

pytestmark = pytest.mark.sockets

INSTANCES, RUNS = 400, 3


def test_nothing_is_lost_or_stored_twice(
    victim: Target, soak: bool, draw: random.Random, report: Callable[..., None]
) -> None:
    if not soak:
        pytest.skip("only in the long form: make soak")
    url = victim.running.url
    store, bucket = victim.new_store(), pipelines.make_bucket(url, PROJECT)
    files = pipelines.instances(INSTANCES)
    pipelines.put_files(url, bucket, {**files, "in/bad.dcm": b"no DICOM"})
    kills = 0

    def run() -> Pipeline:
        return Pipeline(
            "ingest",
            *(f"--source=gs://{bucket}/in/", f"--store={store}", f"--output=gs://{bucket}/run"),
            *("--requests_per_second=5", "--direct_num_workers=2"),
            environment=victim.running.environment(),
        )

    for _ in range(RUNS):
        broken = run()
        for _ in range(MAX_ATTEMPTS):
            before = len(broken.lines)
            if not broken.kill_worker(draw.randint(0, 1), draw.randint(1, 12), after=before):
                break
            kills += 1
        assert broken.code() in (0, WORKER_LOST)
    result = run().result(0)
    lost = {*pipelines.uids_of(files)} - {*pipelines.stored(url, store)}
    twice = len(pipelines.stored(url, store)) - INSTANCES + len(lost)
    report("kills of workers", kills=kills, instances=INSTANCES, lost=len(lost), twice=twice)
    assert kills
    assert (lost, twice) == (set(), 0)
    assert result["files"] == INSTANCES + 1
    assert result["in_store"] == INSTANCES
    assert result["results"]["rejected"] == 1
