"""Pipelines whose workers are killed at random moments: nothing lost, nothing twice.

Each run costs a start of Beam: the short forms are `tests/contract/test_pipelines.py` and
`tests/contract/test_cohorts.py`.
"""

import random
import time
from collections.abc import Callable

import pytest

from pipelines.supervisor import MAX_ATTEMPTS, WORKER_LOST
from tests.soak.fuzzing import PROJECT, Target
from tests.support import cohorts, http, pipelines
from tests.support.pipelines import Pipeline

pytestmark = pytest.mark.sockets

INSTANCES, RUNS = 400, 3
STUDIES, MAX_SECONDS = 8, 12.0
"""Of a cohort, and between the deaths of its workers."""
PHASES = ("selected", "copied")


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


def test_a_cohort_is_copied_once(
    victim: Target, soak: bool, draw: random.Random, report: Callable[..., None]
) -> None:
    if not soak:
        pytest.skip("only in the long form: make soak")
    url = victim.running.url
    source = pipelines.make_store(url, PROJECT, "cohort-originals")
    destination = pipelines.make_store(url, PROJECT, "cohort-copies")
    bucket = pipelines.make_bucket(url, PROJECT, "cohort")
    let_the_agent_read(url, bucket)
    originals = cohorts.originals(STUDIES, 12)
    cohorts.store_all(url, source, originals)
    chosen = [one for one in originals if one.modality == "CT"]

    def run() -> Pipeline:
        return Pipeline(
            "cohort",
            *(f"--source={source}", f"--destination={destination}"),
            *(f"--output=gs://{bucket}/run", "--search=series?Modality=CT", "--operations=3"),
            "--direct_num_workers=2",
            environment=victim.running.environment(),
        )

    kills = 0
    for _ in range(2 * RUNS):
        broken = run()
        before = 0
        for _ in range(MAX_ATTEMPTS):
            if not broken.kill_worker(0, 0, after=before, counter=draw.choice(PHASES)):
                break
            before = len(broken.lines)
            kills += 1
            time.sleep(draw.uniform(0, MAX_SECONDS))
        assert broken.code() in (0, WORKER_LOST)
    result = run().result(0)
    marks = sorted(map(cohorts.mark_of, cohorts.copies(url, destination)))
    lost = {one.mark for one in chosen} - {*marks}
    twice = len(marks) - len({*marks})
    report(
        "kills of a cohort's workers", kills=kills, copies=len(marks), lost=len(lost), twice=twice
    )
    assert kills
    assert marks == sorted(one.mark for one in chosen)
    assert (result["selected"], result["dead_letters"]) == (len(chosen), 0)


def let_the_agent_read(url: str, bucket: str) -> None:
    """Let the Healthcare service agent of the project read a bucket."""
    agent = http.post(
        f"{url}/v1/projects/{PROJECT}/services/healthcare.googleapis.com:generateServiceIdentity"
    ).json()["response"]["email"]
    policy = f"{url}/storage/v1/b/{bucket}/iam"
    found = http.get(policy).raise_for_status().json()
    bound = {"role": "roles/storage.objectViewer", "members": [f"serviceAccount:{agent}"]}
    body = {**found, "bindings": [*found.get("bindings", ()), bound]}
    http.put(policy, json=body).raise_for_status()
