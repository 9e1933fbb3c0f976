"""Following of a job to its end, with the counters of its workers."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from google.api_core.retry import exponential_sleep_generator

from scripts.lib.cli import Output
from scripts.lib.errors import ExitCode, ScriptError
from scripts.pipelines.jobs import CANCELLED, DONE, TERMINATED, Jobs
from scripts.pipelines.runs import REPORT, Folder

INITIAL_POLL_SECONDS, MAX_POLL_SECONDS, POLL_GROWTH = 0.5, 10.0, 1.2
_TRACEBACK, _SUMMARY = "Traceback (most recent call last):", "Workflow failed."

Json = dict[str, Any]


@dataclass(frozen=True)
class Commands:
    """The commands for a job that was left or has failed.

    Attributes:
        follow: follows it again
        resume: continues its run; empty if its folder is not known
    """

    follow: str
    resume: str = ""


def follow(
    jobs: Jobs, job: Json, commands: Commands, output: Output, timeout: float | None
) -> Json:
    """Poll a job until it ends; return it.

    Args:
        jobs: where it is
        job: as it was launched or read
        commands: that errors name
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
                return _ended(jobs, job, commands)
            left = None if timeout is None else timeout - (time.monotonic() - started)
            if left is not None and left <= 0:
                raise _still_running(job, f"Not done after {timeout:g} s", commands, waited=True)
            delay = next(delays)
            time.sleep(delay if left is None else min(delay, left))
    except KeyboardInterrupt:
        raise _still_running(job, "Interrupted", commands, waited=False) from None


def finish(job: Json, folder: Folder) -> Json:
    """Return the outcome of a run whose job is done, with its report.

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
    return shape


def reasons(texts: Iterable[str]) -> list[str]:
    """Return why a job failed, by the texts of its messages, each reason once.

    A traceback is there once for each attempt of a worker, and counts by its end. The summary of
    the workflow counts if there is nothing else.
    """
    ends = {text.strip(): _end(text) for text in texts}
    found = [end for text, end in ends.items() if not text.startswith(_SUMMARY)]
    return [*dict.fromkeys(filter(None, found or ends.values()))]


def _end(text: str) -> str:
    """Return the exception at the end of a traceback, or the text itself without one."""
    lines = text.strip().rpartition(_TRACEBACK)[2].splitlines()
    if _TRACEBACK not in text:
        return text.strip()
    frames = [number for number, line in enumerate(lines) if line.startswith("  ")]
    return "\n".join(lines[frames[-1] + 1 if frames else 0 :]).strip()


def _ended(jobs: Jobs, job: Json, commands: Commands) -> Json:
    if job["currentState"] == DONE:
        return job
    details: Json = {"job": job["id"], "state": job["currentState"]}
    resume = f"To continue the run: {commands.resume}" if commands.resume else ""
    if job["currentState"] == CANCELLED:
        raise ScriptError(f"The job {job['id']} was cancelled.", resume, details=details)
    details["messages"] = jobs.errors(job["id"])
    why = " ".join(reasons(details["messages"])) or "Dataflow gives no reason."
    raise ScriptError(f"The job {job['id']} failed: {why}", resume, details=details)


def _still_running(job: Json, why: str, commands: Commands, *, waited: bool) -> ScriptError:
    return ScriptError(
        f"{why}; the job is still running: {job['id']}",
        f"Follow it again: {commands.follow}",
        ExitCode.STILL_RUNNING if waited else ExitCode.INTERRUPTED,
        {"job": job["id"], "state": job["currentState"]},
    )


def _word(state: str) -> str:
    return state.removeprefix("JOB_STATE_").lower()
