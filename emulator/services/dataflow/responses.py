"""Requests and answers of Dataflow.

Documented: https://cloud.google.com/dataflow/docs/reference/rest/v1b3/projects.locations.jobs and
https://cloud.google.com/dataflow/docs/guides/stopping-a-pipeline. Observed in
https://github.com/apache/beam/pull/29441: the refusal of a second job of a name.
"""

import secrets
from datetime import datetime
from typing import Any

from emulator.core import timestamps
from emulator.core.discovery import api
from emulator.core.errors import already_exists, invalid_argument
from emulator.core.resources.labels import check_labels
from emulator.core.resources.paging import from_items, paginate
from emulator.core.rest import Call
from emulator.services.dataflow import jobs, metrics, templates, worker_log
from emulator.services.dataflow.jobs import key_of, parent_of
from emulator.services.dataflow.service import Dataflow
from emulator.services.iam_api.default_account import ensure_default_account

_PAGE, _MAX_PAGE = 100, 1000
_ALL = "JOB_VIEW_ALL"
_FILTERS = {"TERMINATED": (True,), "ACTIVE": (False,)}
"""Filter of a list -> whether its jobs have ended; both by default."""
_SDK = "Apache Beam SDK for Python"

Json = dict[str, Any]
Request = Call[Dataflow]


def launch(call: Request) -> Json:
    """Launch a job of a flex template."""
    dataflow, project = call.service, _project(call)
    api("dataflow", "v1b3").check("LaunchFlexTemplateRequest", call.body)
    given = call.body.get("launchParameter", {})
    spec = templates.specification(given, dataflow.read)
    parameters = given.get("parameters", {})
    templates.check_parameters(spec, parameters)
    environment = templates.environment(spec, given)
    check_labels(environment.get("additionalUserLabels", {}))
    account = environment.get("serviceAccountEmail") or ensure_default_account(
        dataflow.iam_api, project
    )
    if call.body.get("validateOnly"):
        return {}
    options = environment.get("additionalPipelineOptions", [])
    run = {
        "image": spec["image"],
        "arguments": templates.arguments(parameters, options),
        "serviceAccount": account,
    }
    name = given["jobName"]
    location = call.path["location"]
    with dataflow.lock:
        if dataflow.jobs.active(project, location, name):
            raise already_exists(
                f"({secrets.token_hex(8)}): There is already an active job named {name}. If you "
                "want to  submit a second job, try again by setting a different name."
            )
        job = _new_job(project, location, name, environment, account)
        job["environment"]["sdkPipelineOptions"] = {"options": dict(parameters)}
        dataflow.jobs.add(job, run)
    dataflow.runner.launch(key_of(project, location, job["id"]))
    return {"job": _summary(job)}


def get(call: Request) -> Json:
    """One job."""
    job: Json = call.service.jobs.get(_key(call))["job"]
    return job if call.query.get("view") == _ALL else _summary(job)


def list_jobs(call: Request) -> Json:
    """Return the jobs of a location, the newest first."""
    project, location = _project(call), call.path["location"]
    parent, wanted = parent_of(project, location), call.query.get("filter") or "ALL"
    if wanted not in (*_FILTERS, "ALL", "UNKNOWN"):
        raise invalid_argument(f"Invalid value at 'filter': {wanted!r}")
    ended, name = _FILTERS.get(wanted, (True, False)), call.query.get("name")
    found = (
        kept["job"]
        for key, kept in call.service.jobs.everywhere().items()
        if key.rpartition("/")[0] == parent
    )
    chosen = [
        job
        for job in found
        if (job["currentState"] in jobs.TERMINATED) in ended and name in (None, job["name"])
    ]
    page = paginate(
        from_items(chosen, _newest_first),
        call.query,
        "jobs",
        scope=f"{parent}?{wanted}&{name}",
        default=_PAGE,
        maximum=_MAX_PAGE,
    )
    if "jobs" in page:
        page["jobs"] = [*map(_summary, page["jobs"])]
    return page


def update(call: Request) -> Json:
    """Cancel a job, which is all that `requestedState` can ask of a batch job."""
    api("dataflow", "v1b3").check("Job", call.body, "job")
    key = _key(call)
    job = call.service.jobs.get(key)["job"]
    wanted = call.body.get("requestedState")
    if wanted != jobs.CANCELLED:
        raise invalid_argument(
            f"The job can't be changed to {wanted}: batch jobs can be changed to"
            f" {jobs.CANCELLED} only."
        )
    if job["currentState"] not in jobs.TERMINATED:
        note = jobs.message(jobs.BASIC, "Cancel request is committed for workflow job.")
        job = call.service.jobs.change(key, jobs.CANCELLING, note, requestedState=wanted)
        call.service.runner.cancel(key)
    return _summary(job)


def list_messages(call: Request) -> Json:
    """Return the messages of a job, by time."""
    key = _key(call)
    kept = call.service.jobs.get(key)["messages"]
    least = call.query.get("minimumImportance") or jobs.IMPORTANCE[0]
    if least not in jobs.IMPORTANCE:
        raise invalid_argument(f"Invalid value at 'minimum_importance': {least!r}")
    wanted = jobs.IMPORTANCE[jobs.IMPORTANCE.index(least) :]
    start, end = call.query.get("startTime", ""), call.query.get("endTime") or "~"
    chosen = [
        one for one in kept if one["messageImportance"] in wanted and start <= one["time"] < end
    ]
    return paginate(
        from_items(chosen, lambda one: [one["time"], one["id"]]),
        call.query,
        "jobMessages",
        scope=f"{key}?{least}",
        default=_PAGE,
        maximum=_MAX_PAGE,
    )


def get_metrics(call: Request) -> Json:
    """Return the counters of a job's workers."""
    job = call.service.jobs.get(_key(call))["job"]
    written = worker_log.of_job(call.service.entries, job)
    payloads = (entry["jsonPayload"] for entry in written if "jsonPayload" in entry)
    pipeline, counters = metrics.counted(payloads)
    is_done = job["currentState"] in jobs.TERMINATED
    return metrics.job_metrics(pipeline, counters, is_done=is_done)


def _new_job(project: str, location: str, name: str, environment: Json, account: str) -> Json:
    now = timestamps.now()
    labels = environment.get("additionalUserLabels", {})
    return {
        "id": jobs.new_id(),
        "projectId": project,
        "name": name,
        "type": "JOB_TYPE_BATCH",
        "environment": {
            "serviceAccountEmail": account,
            "version": {"major": "1", "job_type": "FNAPI_BATCH"},
        },
        "currentState": jobs.QUEUED,
        "currentStateTime": now,
        "createTime": now,
        "location": location,
        "jobMetadata": {"sdkVersion": {"versionDisplayName": _SDK}},
        **({"labels": labels} if labels else {}),
    }


def _summary(job: Json) -> Json:
    """Return a job as JOB_VIEW_SUMMARY has it."""
    return {key: value for key, value in job.items() if key != "environment"}


def _newest_first(job: Json) -> list[Any]:
    created = datetime.fromisoformat(job["createTime"]).timestamp()
    return [-int(created * 1_000_000), job["id"]]


def _project(call: Request) -> str:
    return call.service.projects.resolve(call.path["project"])


def _key(call: Request) -> str:
    return key_of(_project(call), call.path["location"], call.path["job"])
