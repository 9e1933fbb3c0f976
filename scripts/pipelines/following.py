"""Following of a job to its end, with the counters of its workers."""

import time
from typing import Any

from google.api_core.retry import exponential_sleep_generator

from scripts.lib.cli import Output
from scripts.lib.errors import ExitCode, ScriptError
from scripts.pipelines.jobs import CANCELLED, DONE, TERMINATED, Jobs
from scripts.pipelines.runs import REPORT, Folder

INITIAL_POLL_SECONDS, MAX_POLL_SECONDS, POLL_GROWTH = 0.5, 10.0, 1.2

Json = dict[str, Any]


def follow(jobs: Jobs, job: Json, again: str, output: Output, timeout: float | None) -> Json:
    """Poll a job until it ends; return it.

    Args:
        jobs: where it is
        job: as it was launched or read
        again: the command that follows it again
        output: shows states and counters
        timeout: seconds to follow it; None follows it to its end

    Raises:
        ScriptError: it failed or was cancelled, the time is over, or Ctrl-C was pressed
    """
    started, shown = time.monotonic(), ""
    delays = exponential_sleep_generator(INITIAL_POLL_SECONDS, MAX_POLL_SECONDS, POLL_GROWTH)
    try:
        while True:
            job = jobs.get(job["id"])
            state, counters = job["currentState"], jobs.counters(job["id"])
            line = " ".join([_word(state), *(f"{name}={n}" for name, n in counters.items())])
            if line != shown:
                output.report(f"{job['name']}: {line}")
                shown = line
            if state in TERMINATED:
                return _ended(jobs, job)
            left = None if timeout is None else timeout - (time.monotonic() - started)
            if left is not None and left <= 0:
                raise _still_running(job, f"Not done after {timeout:g} s", again, waited=True)
            delay = next(delays)
            time.sleep(delay if left is None else min(delay, left))
    except KeyboardInterrupt:
        raise _still_running(job, "Interrupted", again, waited=False) from None


def finish(job: Json, folder: Folder, output: Output) -> None:
    """Show the report of a run whose job is done.

    Raises:
        ScriptError: there are dead letters (exit code 3)
    """
    report = folder.read(REPORT) or {}
    shape = {"job": job["id"], "state": job["currentState"], "output": folder.uri, "report": report}
    dead = int(report.get("dead_letters", 0))
    if dead:
        raise ScriptError(
            f"{dead} of {report.get('files', dead)} files are dead letters.",
            f"The log: {folder.uri}dead-letters-*",
            ExitCode.PARTLY_FAILED,
            shape,
        )
    output.json(shape)
    for name, value in report.items():
        output.result(f"{name}: {value}")


def _ended(jobs: Jobs, job: Json) -> Json:
    if job["currentState"] == DONE:
        return job
    details = {"job": job["id"], "state": job["currentState"]}
    if job["currentState"] == CANCELLED:
        raise ScriptError(f"The job {job['id']} was cancelled.", details=details)
    texts = jobs.errors(job["id"]) or ["Dataflow gives no reason."]
    raise ScriptError(f"The job {job['id']} failed: {' '.join(texts)}", details=details)


def _still_running(job: Json, why: str, again: str, *, waited: bool) -> ScriptError:
    return ScriptError(
        f"{why}; the job is still running: {job['id']}",
        f"Follow it again: {again}",
        ExitCode.STILL_RUNNING if waited else ExitCode.INTERRUPTED,
        {"job": job["id"], "state": job["currentState"]},
    )


def _word(state: str) -> str:
    return state.removeprefix("JOB_STATE_").lower()
