"""Jobs of Cloud Run: executions, tasks, retries."""

from collections.abc import Callable
from typing import Any

import pytest

from emulator.cloud import Cloud
from tests.support.run_api import RunApi
from tests.support.run_programs import container
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets

Begin = Callable[..., tuple[Cloud, RunApi]]


def job(*args: str, tasks: int = 1, retries: int = 0, **fields: Any) -> dict[str, Any]:
    template = {"containers": [container("job", *args)], "maxRetries": retries, **fields}
    return {"template": {"taskCount": tasks, "template": template}}


def test_a_job_that_ends_with_0_succeeds(begin: Begin) -> None:
    cloud, run = begin()
    created = run.done("POST", "jobs", job("0"), jobId="sweep")
    assert created["terminalCondition"]["state"] == "CONDITION_SUCCEEDED"
    assert created["template"]["template"]["timeout"] == "600s"
    assert "maxRetries" in created["template"]["template"]
    execution = run.done("POST", "jobs/sweep:run", {})
    assert execution["@type"] == "type.googleapis.com/google.cloud.run.v2.Execution"
    assert execution["succeededCount"] == 1
    assert execution["conditions"][0]["state"] == "CONDITION_SUCCEEDED"
    latest = run.call("GET", "jobs/sweep")
    assert latest["executionCount"] == 1
    assert latest["latestCreatedExecution"]["completionStatus"] == "EXECUTION_SUCCEEDED"
    id_ = execution["name"].rpartition("/")[2]
    (task,) = run.call("GET", f"jobs/sweep/executions/{id_}/tasks")["tasks"]
    assert task["lastAttemptResult"] == {"exitCode": 0}
    assert task["name"].endswith(f"{id_}-task0")
    (entry,) = [
        entry
        for _, entry in cloud.logging.entries.page(["local-project"], None, 50)
        if "textPayload" in entry
    ]
    assert entry["textPayload"] == f"task 0 attempt 0 of {id_}"
    assert entry["resource"]["type"] == "cloud_run_job"
    assert entry["labels"]["run.googleapis.com/execution_name"] == id_


def test_a_job_that_ends_with_another_code_fails(run: RunApi) -> None:
    run.done("POST", "jobs", job("7"), jobId="sweep")
    failed = run.ended(run.call("POST", "jobs/sweep:run", {}))
    assert failed["error"]["code"] == 9
    assert "exit code 7" in failed["error"]["message"]
    (execution,) = run.call("GET", "jobs/sweep/executions")["executions"]
    assert execution["failedCount"] == 1
    assert execution["conditions"][0]["executionReason"] == "NON_ZERO_EXIT_CODE"
    status = run.call("GET", "jobs/sweep")["latestCreatedExecution"]["completionStatus"]
    assert status == "EXECUTION_FAILED"


def test_tasks_are_retried(run: RunApi) -> None:
    run.done("POST", "jobs", job("late", tasks=3, retries=1), jobId="sweep")
    execution = run.done("POST", "jobs/sweep:run", {})
    assert execution["succeededCount"] == execution["retriedCount"] == 3


def test_an_execution_overrides_arguments(run: RunApi) -> None:
    run.done("POST", "jobs", job("7"), jobId="sweep")
    overrides = {"containerOverrides": [{"args": ["0"]}], "taskCount": 2}
    execution = run.done("POST", "jobs/sweep:run", {"overrides": overrides})
    assert execution["succeededCount"] == execution["taskCount"] == 2


def test_a_task_that_runs_too_long_fails(run: RunApi) -> None:
    run.done("POST", "jobs", job("wait", timeout="0.5s"), jobId="sweep")
    failed = run.ended(run.call("POST", "jobs/sweep:run", {}))
    assert "ran longer than" in failed["error"]["message"]


def test_an_execution_can_be_cancelled(run: RunApi) -> None:
    run.done("POST", "jobs", job("wait"), jobId="sweep")
    begun = run.call("POST", "jobs/sweep:run", {})
    id_ = begun["metadata"]["name"].rpartition("/")[2]
    path = f"jobs/sweep/executions/{id_}"
    wait_until(lambda: run.call("GET", path).get("runningCount"), "no task runs")
    cancelled = run.done("POST", f"{path}:cancel", {})
    assert cancelled["cancelledCount"] == 1
    assert cancelled["conditions"][0]["executionReason"] == "CANCELLED"
    assert run.ended(begun)["error"]["code"] == 1
    assert run.refused("POST", f"{path}:cancel", {})["status"] == "FAILED_PRECONDITION"
    run.done("DELETE", path)
    assert run.call("GET", "jobs/sweep/executions") == {}


def test_an_execution_continues_after_a_restart_of_the_emulator(begin: Begin) -> None:
    _, run = begin()
    run.done("POST", "jobs", job("wait"), jobId="sweep")
    begun = run.call("POST", "jobs/sweep:run", {})
    path = f"jobs/sweep/executions/{begun['metadata']['name'].rpartition('/')[2]}"
    wait_until(lambda: run.call("GET", path).get("runningCount"), "no task runs")
    cloud, run = begin()
    wait_until(cloud.containers.names, "the task does not run again")
    run.done("POST", f"{path}:cancel", {})


def test_a_job_is_deleted_with_its_executions(begin: Begin) -> None:
    cloud, run = begin()
    run.done("POST", "jobs", job("wait"), jobId="sweep")
    begun = run.call("POST", "jobs/sweep:run", {})
    wait_until(cloud.containers.names, "no task runs")
    run.done("DELETE", "jobs/sweep")
    assert cloud.containers.names() == []
    assert run.ended(begun)["error"]["code"] == 1
    assert run.refused("GET", "jobs/sweep")["code"] == 404


def test_an_image_that_is_not_known_fails_an_execution_and_says_why(run: RunApi) -> None:
    body = {"template": {"template": {"containers": [container("other")]}}}
    run.done("POST", "jobs", body, jobId="sweep")
    failed = run.ended(run.call("POST", "jobs/sweep:run", {}))
    assert "--image other=MODULE" in failed["error"]["message"]
