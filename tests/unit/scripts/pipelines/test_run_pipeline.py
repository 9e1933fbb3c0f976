"""The script of the pipelines: launch, follow, resume, cancel, and what each refuses."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from googleapiclient.discovery import build

from scripts import run_pipeline
from scripts.lib.google import clients
from scripts.pipelines import commands, following
from tests.unit.scripts.fakes import STORE, FakeGoogle, Ran, refusal

Run = Callable[..., Ran]
ID = "2026-11-30_12_00_00-1234"
OUTPUT = "gs://b/runs/1"
INGEST = ("ingest", "source=gs://b/in/", f"output={OUTPUT}")


def job(state: str) -> dict[str, Any]:
    return {"id": ID, "name": "ingest-1", "currentState": f"JOB_STATE_{state}"}


METRICS = {
    "metrics": [
        {"name": {"origin": "user", "name": "stored", "context": context}, "scalar": 7}
        for context in ({}, {"tentative": "true"})
    ]
}


class Folder:
    """The folder of a run in memory."""

    files: dict[str, Any]

    def __init__(self, uri: str, project: str) -> None:
        self.uri = uri.rstrip("/") + "/"

    def read(self, name: str) -> Any:
        return self.files.get(name)

    def record(self) -> Any:
        return self.files["launch.json"]

    def write_record(self, record: Any) -> None:
        self.files["launch.json"] = record


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, lab_stack: dict[str, Any]) -> dict[str, Any]:
    """The files of the folder of the run."""
    monkeypatch.setattr(Folder, "files", {}, raising=False)
    monkeypatch.setattr(commands, "Folder", Folder)
    return Folder.files


@pytest.fixture
def dataflow(monkeypatch: pytest.MonkeyPatch) -> FakeGoogle:
    """Dataflow as scripted."""
    fake = FakeGoogle()
    client = build("dataflow", "v1b3", http=fake, static_discovery=True, cache_discovery=False)
    monkeypatch.setattr(clients, "dataflow", lambda: client)
    return fake


def test_a_run_is_launched_and_followed(
    dataflow: FakeGoogle, files: dict[str, Any], run: Run
) -> None:
    files["report.json"] = {"files": 7, "dead_letters": 0}
    dataflow.answers = [
        (200, {"job": job("QUEUED")}),
        *((200, job("RUNNING")), (200, METRICS)),
        *((200, job("DONE")), (200, METRICS)),
    ]
    ran = run(run_pipeline.app, *INGEST, "--max-workers", "5", "--option", "a=b", "--json")

    assert ran.code == 0
    assert json.loads(ran.out) == {
        "job": ID,
        "state": "JOB_STATE_DONE",
        "output": f"{OUTPUT}/",
        "report": {"files": 7, "dead_letters": 0},
    }
    sent = dataflow.asked[0][2]["launchParameter"]
    assert sent["parameters"] == {"source": "gs://b/in/", "output": OUTPUT, "store": STORE}
    image = "us-central1-docker.pkg.dev/local-project/pipelines/ingest-pipeline:latest"
    assert sent["containerSpec"]["image"] == image
    assert sent["environment"] == {
        "maxWorkers": 5,
        "additionalPipelineOptions": ["a=b"],
        "sdkContainerImage": image,
    }
    assert files["launch.json"]["launchParameter"] == sent


WORKERS = {
    "serviceAccount": "pipelines@local-project.iam.gserviceaccount.com",
    "bucket": "runs",
    "region": "us-central1",
    "subnetwork": "https://www.googleapis.com/compute/v1/projects/p/regions/r/subnetworks/s",
    "images": "us-central1-docker.pkg.dev/local-project/pipelines",
    "templates": {"ingest": "gs://runs/templates/ingest.json"},
    "maxWorkers": 10.0,
}


@pytest.fixture
def compute(monkeypatch: pytest.MonkeyPatch, lab_stack: dict[str, Any]) -> FakeGoogle:
    """Compute Engine, with the quotas of a region; the stack has workers of pipelines."""
    fake = FakeGoogle([(200, {"quotas": [{"metric": "CPUS", "limit": 24.0, "usage": 4.0}]})])
    client = build("compute", "v1", http=fake, static_discovery=True, cache_discovery=False)
    monkeypatch.setattr(clients, "compute_engine", lambda: client)
    lab_stack["pipelines"] = WORKERS
    return fake


def test_the_template_of_the_stack_is_launched(
    dataflow: FakeGoogle, compute: FakeGoogle, files: dict[str, Any], run: Run
) -> None:
    dataflow.answers = [(200, {"job": job("QUEUED")})]
    assert run(run_pipeline.app, *INGEST, "--max-workers", "12", "--no-wait").code == 0
    sent = dataflow.asked[0][2]["launchParameter"]
    assert sent["containerSpecGcsPath"] == "gs://runs/templates/ingest.json"
    assert "containerSpec" not in sent
    assert sent["environment"] == {"maxWorkers": 12}  # the template has all the rest


def test_another_image_has_the_network_of_the_stack(
    dataflow: FakeGoogle, compute: FakeGoogle, files: dict[str, Any], run: Run
) -> None:
    dataflow.answers = [(200, {"job": job("QUEUED")})]
    assert run(run_pipeline.app, *INGEST, "--image", "r/ingest-pipeline:2", "--no-wait").code == 0
    sent = dataflow.asked[0][2]["launchParameter"]
    assert sent["containerSpec"]["image"] == "r/ingest-pipeline:2"
    assert sent["environment"] == {
        "serviceAccountEmail": WORKERS["serviceAccount"],
        "subnetwork": WORKERS["subnetwork"],
        "ipConfiguration": "WORKER_IP_PRIVATE",
        "maxWorkers": 10,
        "tempLocation": "gs://runs/temp/",
        "stagingLocation": "gs://runs/staging/",
        "sdkContainerImage": "r/ingest-pipeline:2",
    }


def test_a_quota_that_is_too_small_is_named_before_anything_is_launched(
    dataflow: FakeGoogle, compute: FakeGoogle, files: dict[str, Any], run: Run
) -> None:
    dataflow.answers = [(200, {"job": job("QUEUED")})]
    arguments = (*INGEST, "--max-workers", "20", "--no-wait")
    ran = run(run_pipeline.app, *arguments)
    assert ran.code == 1
    assert "CPUS has 24, of which 4 are used, and a worker needs 1" in ran.err
    assert "--max-workers 19" in ran.err
    assert (dataflow.asked, files) == ([], {})
    assert run(run_pipeline.app, *arguments, "--no-quota-check").code == 0


def test_quotas_that_can_not_be_read_are_reported(
    dataflow: FakeGoogle, compute: FakeGoogle, files: dict[str, Any], run: Run
) -> None:
    dataflow.answers = [(200, {"job": job("QUEUED")})]
    compute.answers = [refusal(403, "PERMISSION_DENIED", "compute.regions.get is missing")]
    ran = run(run_pipeline.app, *INGEST, "--no-wait")
    assert ran.code == 0
    assert "The quotas of us-central1 were not checked" in ran.err


def test_another_region_than_the_templates_is_refused(
    dataflow: FakeGoogle, compute: FakeGoogle, files: dict[str, Any], run: Run
) -> None:
    ran = run(run_pipeline.app, *INGEST, f"store={STORE}", "--location", "us-east4")
    assert ran.code == 2
    assert "are in us-central1, not in us-east4" in ran.err


def test_counters_are_shown(dataflow: FakeGoogle, files: dict[str, Any], run: Run) -> None:
    dataflow.answers = [(200, {"job": job("QUEUED")}), (200, job("DONE")), (200, METRICS)]
    assert "ingest-1: done stored=7" in run(run_pipeline.app, *INGEST).err


def test_dead_letters_have_an_exit_code(
    dataflow: FakeGoogle, files: dict[str, Any], run: Run
) -> None:
    files["report.json"] = {"files": 7, "dead_letters": 2}
    dataflow.answers = [(200, {"job": job("QUEUED")}), (200, job("DONE")), (200, {})]
    ran = run(run_pipeline.app, *INGEST)
    assert ran.code == 3
    assert "2 of 7 files are dead letters." in ran.err


TRACEBACK = """Traceback (most recent call last):
  File "/app/pipelines/features/loading.py", line 39, in load
    job.result()
ValueError: 1

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/pipelines/features/pipeline.py", line 253, in _load
    return loading.load()
           ^^^^^^^^^^^^^^
google.api_core.exceptions.BadRequest: 400 Not found: dataset:p.nothing [while running 'load']
"""


def test_a_failure_has_the_words_of_the_job(
    dataflow: FakeGoogle, files: dict[str, Any], run: Run
) -> None:
    summary = "Workflow failed. Causes: The job failed because a work item has failed 4 times."
    answers = [
        *((200, {"job": job("QUEUED")}), (200, job("FAILED")), (200, {})),
        (200, {"jobMessages": [{"messageText": TRACEBACK}] * 2, "nextPageToken": "2"}),
        (200, {"jobMessages": [{"messageText": TRACEBACK}, {"messageText": summary}]}),
    ]
    dataflow.answers = [*answers]
    ran = run(run_pipeline.app, *INGEST)
    assert ran.code == 1
    reason = "google.api_core.exceptions.BadRequest: 400 Not found: dataset:p.nothing"
    assert f"error: The job {ID} failed: {reason} [while running 'load']\n" in ran.err
    [hint] = [line for line in ran.err.splitlines() if line.startswith("To continue the run: ")]
    assert hint.endswith(f"python scripts/run_pipeline.py --resume {OUTPUT}/")

    dataflow.answers = [*answers]
    ran = run(run_pipeline.app, *INGEST, "--json")
    error = json.loads(ran.out)["error"]
    assert reason in error["message"]
    assert error["messages"] == [TRACEBACK, TRACEBACK, TRACEBACK, summary]
    assert (error["job"], error["state"]) == (ID, "JOB_STATE_FAILED")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], []),
        (["Workflow failed. Causes: no quota"], ["Workflow failed. Causes: no quota"]),
        (["No table.\n", "No table.", "Workflow failed."], ["No table."]),
        (["Traceback (most recent call last):\nValueError: 1\n2"], ["ValueError: 1\n2"]),
        (["a", "b"], ["a", "b"]),
    ],
)
def test_each_reason_is_named_once(texts: list[str], expected: list[str]) -> None:
    assert following.reasons(texts) == expected


def test_a_cancelled_run_says_how_to_continue(
    dataflow: FakeGoogle, files: dict[str, Any], run: Run
) -> None:
    dataflow.answers = [(200, {"job": job("QUEUED")}), (200, job("CANCELLED")), (200, {})]
    ran = run(run_pipeline.app, *INGEST)
    assert ran.code == 1
    assert f"The job {ID} was cancelled.\nTo continue the run: " in ran.err


def test_an_active_job_of_the_run_is_followed(
    dataflow: FakeGoogle, files: dict[str, Any], run: Run
) -> None:
    dataflow.answers = [(200, {"job": job("QUEUED")})]
    run(run_pipeline.app, *INGEST, "--no-wait")
    name = files["launch.json"]["launchParameter"]["jobName"]
    dataflow.answers = [
        refusal(409, "ALREADY_EXISTS", "There is already an active job"),
        (200, {"jobs": [{**job("RUNNING"), "name": name}]}),
        *((200, job("DONE")), (200, {})),
    ]
    ran = run(run_pipeline.app, "--resume", OUTPUT)
    assert ran.code == 0
    assert "A job of this run is active" in ran.err


def test_a_timeout_leaves_the_job_and_says_how_to_follow_it(
    dataflow: FakeGoogle, files: dict[str, Any], run: Run
) -> None:
    dataflow.answers = [(200, {"job": job("QUEUED")}), (200, job("RUNNING")), (200, {})]
    ran = run(run_pipeline.app, *INGEST, "--timeout", "0")
    assert ran.code == 4
    assert f"run_pipeline.py --resume {OUTPUT}/" in ran.err

    dataflow.answers = [(200, {"job": job("QUEUED")}), (200, job("DONE")), (200, {})]
    assert run(run_pipeline.app, "--resume", f"{OUTPUT}/").code == 0


def test_a_job_is_cancelled(dataflow: FakeGoogle, files: dict[str, Any], run: Run) -> None:
    dataflow.answers = [(200, job("CANCELLING"))]
    assert run(run_pipeline.app, "--cancel", ID).out.strip() == "JOB_STATE_CANCELLING"
    method, uri, body = dataflow.asked[0]
    assert (method, body) == ("PUT", {"requestedState": "JOB_STATE_CANCELLED"})
    assert f"/jobs/{ID}" in uri


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("train",), "There is no pipeline 'train'."),
        (("ingest", "source"), "'source' is not a valid parameter of ingest."),
        (("ingest", "colour=red"), "'colour=red' is not a valid parameter of ingest."),
        (("ingest", f"output={OUTPUT}"), "ingest needs the parameter source."),
        (("--follow", "no/job"), "'no/job' is not a valid job id."),
        ((), "name a pipeline"),
        (("ingest", "--resume", OUTPUT), "name a pipeline"),
    ],
)
def test_usage_errors(
    dataflow: FakeGoogle,
    files: dict[str, Any],
    run: Run,
    arguments: tuple[str, ...],
    complaint: str,
) -> None:
    ran = run(run_pipeline.app, *arguments)
    assert ran.code == 2
    assert complaint in ran.err
    assert dataflow.asked == []
