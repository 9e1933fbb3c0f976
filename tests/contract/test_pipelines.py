"""The pipelines on Beam's direct runner, in processes as on Dataflow, against the emulator."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from emulator.server.server_file import ServerInfo
from scripts import run_pipeline
from scripts.lib.google import clients
from tests.support import cohorts, http, pipelines
from tests.support.dicom_files import make_dicom
from tests.support.pipelines import Pipeline

pytestmark = [pytest.mark.sockets, pytest.mark.slow]
INSTANCES = 36
LOCATION = "us-central1"


def objects(emulator: ServerInfo, bucket: str, prefix: str) -> list[bytes]:
    """Return the content of the objects below a prefix."""
    url = f"{emulator.url}/storage/v1/b/{bucket}/o"
    found = http.get(url, params={"prefix": prefix}).raise_for_status().json().get("items", [])
    return [http.get(one["mediaLink"]).raise_for_status().content for one in found]


def run_script(*arguments: str) -> dict[str, Any]:
    """Run the script of the pipelines; return its JSON, with its exit code."""
    ran = CliRunner().invoke(run_pipeline.app, [*arguments, "--json"])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return {"code": ran.exit_code, **json.loads(ran.stdout)}


def test_nothing_is_lost_or_stored_twice_when_a_worker_dies(
    emulator: ServerInfo, project: str
) -> None:
    enable_dataflow(emulator, project)
    store = pipelines.make_store(emulator.url, project)
    bucket = pipelines.make_bucket(emulator.url, project)
    files = pipelines.instances(INSTANCES)
    uids = {"StudyInstanceUID": "1.2.2", "SeriesInstanceUID": "1.2.2.2"}
    other = make_dicom(**uids, SOPInstanceUID="1.2.2.2.2", PatientID="another", Modality="CT")
    pipelines.put_files(emulator.url, bucket, {**files, "in/bad.dcm": b"no DICOM"})
    pipelines.put_files(emulator.url, bucket, {"in/other.dcm": other})
    pipelines.put_files(emulator.url, bucket, {"in/again.dcm": files["in/study1/1.dcm"]})
    arguments = [
        f"--source=gs://{bucket}/in/",
        f"--store={store}",
        f"--output=gs://{bucket}/run",
    ]
    run = Pipeline(
        *("ingest", *arguments, "--requests_per_second=5", "--direct_num_workers=2"),
        environment=emulator.environment(),
    )
    assert run.kill_worker(0, 3), run.log
    report = run.result(0)

    assert any("lost a worker in attempt 1" in line for line in run.lines)
    assert pipelines.stored(emulator.url, store) == pipelines.uids_of(files)
    assert report["files"] == INSTANCES + 3
    assert report["in_store"] == INSTANCES + 1
    results = {**report["results"]}
    assert (results["rejected"], results["conflict"], results["failed"]) == (1, 1, 0)
    letters = b"".join(objects(emulator, bucket, "run/dead-letters-")).splitlines()
    reasons = {json.loads(line)["source"].partition("#")[0]: json.loads(line) for line in letters}
    assert len(letters) == 2
    assert reasons[f"gs://{bucket}/in/bad.dcm"]["reason"] == "not a DICOM file"

    features = run_script(
        *("features", f"store={store}", f"output=gs://{bucket}/features"),
        *(f"table={project}.{make_table(project)}.features", "pixels=yes"),
        *(
            "--project",
            project,
            "--location",
            LOCATION,
            "--option",
            "direct_running_mode=in_memory",
        ),
    )
    assert features["code"] == 0, features
    assert features["report"]["instances"] == features["report"]["rows"] == INSTANCES
    client = clients.big_query(project)
    rows = [*client.query("SELECT instance_uid, modality FROM results.features").result()]
    assert sorted(row["instance_uid"] for row in rows) == pipelines.uids_of(files)
    assert {row["modality"] for row in rows} == {"CT"}


def test_a_job_that_fails_says_why(emulator: ServerInfo, project: str) -> None:
    enable_dataflow(emulator, project)
    store = pipelines.make_store(emulator.url, project)
    cohorts.store_all(emulator.url, store, cohorts.originals(1, 1))
    bucket = pipelines.make_bucket(emulator.url, project)
    failed = run_script(
        *("features", f"store={store}", f"output=gs://{bucket}/run", "shards=1"),
        *(f"table={project}.missing.features", "--option", "direct_running_mode=in_memory"),
        *("--project", project, "--location", LOCATION),
    )
    assert failed["code"] == 1
    error = failed["error"]
    assert error["state"] == "JOB_STATE_FAILED"
    assert f"Not found: dataset:{project}.missing" in error["message"]
    assert "Traceback" not in error["message"]
    traceback, summary = error["messages"]
    assert traceback.startswith("Traceback (most recent call last):\n")
    assert summary == "Workflow failed. Causes: The container ended with exit code 1."


def enable_dataflow(emulator: ServerInfo, project: str) -> None:
    """Enable the API of Dataflow in a project."""
    url = f"{emulator.url}/v1/projects/{project}/services/dataflow.googleapis.com:enable"
    http.post(url, json={}).raise_for_status()


def make_table(project: str) -> str:
    """Create a dataset of BigQuery; return its id."""
    clients.big_query(project).create_dataset("results")
    return "results"


def test_a_job_server_that_is_missing_is_named(emulator: ServerInfo) -> None:
    run = Pipeline(
        *("ingest", "--source=gs://bucket/in/", "--output=gs://bucket/run"),
        "--store=projects/p/locations/l/datasets/d/dicomStores/s",
        *("--runner=flink", "--flink_job_server_jar=/nowhere/server.jar"),
        environment=emulator.environment(),
    )
    assert run.code() == 2
    assert "--flink_job_server_jar: there is no file /nowhere/server.jar" in run.log
