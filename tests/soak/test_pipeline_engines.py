"""The ingest on embedded Flink and Spark, on this machine alone: each instance once.

The job servers are of Beam 2.62, the newest version whose parts are all in the registry, and run
pipelines of a newer one. The workers run in the process of the pipeline (LOOPBACK). Two starts of
an engine take half a minute: there is no short form.
"""

import json
import os
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from pipelines.environment import ENVIRONMENT
from tests.contract.clients import installing
from tests.soak.fuzzing import PROJECT, Target
from tests.support import http, pipelines
from tests.support.dicom_files import make_dicom

pytestmark = pytest.mark.sockets
ROOT = Path(__file__).parents[2]
INSTANCES = 24
SECONDS = 240
ENGINES = {
    "flink": ("--flink_version=1.19", "--flink_master=[local]", "--parallelism=2"),
    "spark": ("--spark_master_url=local[2]",),
}


@pytest.fixture(params=ENGINES)
def options(request: pytest.FixtureRequest, soak: bool) -> list[str]:
    """The options that lead to an engine."""
    if not soak:
        pytest.skip("only in the long form: make soak")
    engine = str(request.param)
    try:
        jar = installing.job_server(engine)
    except installing.MissingError as error:
        pytest.skip(str(error))
    chosen = [f"--runner={engine}", f"--{engine}_job_server_jar={jar}", *ENGINES[engine]]
    return [*chosen, "--environment_type=LOOPBACK"]


def ingest(victim: Target, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ENVIRONMENT.ensure()), "-P", "-m", "pipelines.ingest", *arguments],
        cwd=ROOT,
        env={**os.environ, **victim.running.environment(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def letters(url: str, bucket: str) -> dict[str, dict[str, Any]]:
    """Return the dead letters, by the names of their files."""
    objects = f"{url}/storage/v1/b/{bucket}/o"
    found = http.get(objects, params={"prefix": "run/dead-letters-"}).raise_for_status().json()
    texts = [http.get(one["mediaLink"]).text for one in found["items"]]
    rows = [json.loads(line) for text in texts for line in text.splitlines()]
    return {row["source"].partition("#")[0].rpartition("/")[2]: row for row in rows}


def test_each_instance_is_stored_once(victim: Target, options: list[str]) -> None:
    url, store = victim.running.url, victim.new_store()
    bucket = f"engines-{uuid.uuid4().hex[:8]}"
    query = {"project": PROJECT}
    http.post(f"{url}/storage/v1/b", params=query, json={"name": bucket}).raise_for_status()
    files = pipelines.instances(INSTANCES)
    uids = {"StudyInstanceUID": "1.2.2", "SeriesInstanceUID": "1.2.2.2"}
    other = make_dicom(**uids, SOPInstanceUID="1.2.2.2.2", PatientID="another", Modality="CT")
    pipelines.put_files(url, bucket, files)
    arguments = [
        f"--source=gs://{bucket}/in/",
        f"--store={store}",
        f"--output=gs://{bucket}/run",
        *options,
    ]
    done = ingest(victim, *arguments)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["results"]["stored"] == INSTANCES

    # A second run of the folder takes up what is new alone.
    more = {"in/bad.dcm": b"no DICOM", "in/again.dcm": files["in/study1/1.dcm"]}
    pipelines.put_files(url, bucket, {**more, "in/other.dcm": other})
    done = ingest(victim, *arguments)
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout)
    assert report["files"] == INSTANCES + 3
    assert report["in_store"] == INSTANCES + 1
    results = report["results"]
    assert (results["rejected"], results["conflict"], results["failed"]) == (1, 1, 0)
    assert pipelines.stored(url, store) == pipelines.uids_of(files)
    dead = letters(url, bucket)
    assert {name: row["result"] for name, row in dead.items()} == {
        "bad.dcm": "rejected",
        "other.dcm": "conflict",
    }
