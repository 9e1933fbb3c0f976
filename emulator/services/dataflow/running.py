"""Jobs that run: each is one container, which runs the pipeline on Beam's direct runner.

A job that ran when the emulator stopped runs again: pipelines skip what they have done.
"""

import logging
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from emulator.core import timestamps
from emulator.core.errors import ApiError
from emulator.core.processes import python_module
from emulator.services.containers.images import is_pipeline
from emulator.services.containers.models import Container, Logs, Phase, Restart, State
from emulator.services.containers.service import Containers
from emulator.services.dataflow import jobs, worker_log
from emulator.services.dataflow.jobs import Jobs, message
from emulator.services.dataflow.worker_log import STDERR, STDOUT
from emulator.services.logging.entries import Entries

LOG = logging.getLogger(__name__)
_SETUP_SECONDS = 900.0

Json = dict[str, Any]


class Runner:
    """Runs jobs.

    Args:
        jobs: all of them
        containers: run the processes
        entries: of Cloud Logging, with what the processes log
    """

    def __init__(self, jobs: Jobs, containers: Containers, entries: Entries) -> None:
        self._jobs = jobs
        self._containers = containers
        self._entries = entries
        self._changes = ThreadPoolExecutor(1, "dataflow-changes")
        self._is_closed = False

    def start(self) -> None:
        """Run what ran when the emulator stopped."""
        for key, kept in self._jobs.everywhere().items():
            state = kept["job"]["currentState"]
            if state == jobs.CANCELLING:
                self._jobs.change(key, jobs.CANCELLED)
            elif state not in jobs.TERMINATED:
                self.launch(key)

    def close(self) -> None:
        """Change no job any more."""
        self._is_closed = True
        self._changes.shutdown(cancel_futures=True)

    def launch(self, key: str) -> None:
        """Run a job."""
        self._submit(self._launch, key)

    def cancel(self, key: str) -> None:
        """Stop a job."""
        self._submit(self._cancel, key)

    def _submit(self, change: Any, *arguments: Any) -> None:
        def logged() -> None:
            try:
                change(*arguments)
            except ApiError as error:
                LOG.warning("a job of Dataflow is gone: %s", error.message)
            except Exception:
                LOG.exception("a change of Dataflow failed")

        if not self._is_closed:
            self._changes.submit(logged)

    def _launch(self, key: str) -> None:
        kept = self._jobs.get(key)
        if kept["job"]["currentState"] not in (jobs.QUEUED, jobs.PENDING, jobs.RUNNING):
            return  # cancelled since
        container = container_of(key, kept)
        if is_pipeline(container.image) and (reason := _prepare()):
            self._fail(key, f"Error occurred in the launcher container: {reason}")
            return
        began = timestamps.now()
        self._containers.start(
            container, lambda state: self._submit(self._note, key, container.name, state, began)
        )
        state = self._containers.state(container.name)
        if state and state.phase == Phase.FAILED:
            self._note(key, container.name, state, began)

    def _note(self, key: str, name: str, state: State, began: str) -> None:
        """Take a new state of the container of a job, which began at a time."""
        if state.phase == Phase.READY:
            self._jobs.change(
                key,
                jobs.RUNNING,
                message(jobs.BASIC, "Worker configuration: local process."),
                startTime=timestamps.now(),
            )
        elif state.phase in (Phase.ENDED, Phase.FAILED):
            self._containers.stop(name)  # it has ended: this does not wait
            if state.phase == Phase.ENDED and state.exit_code == 0:
                self._jobs.change(key, jobs.DONE, message(jobs.BASIC, "Worker pool stopped."))
            elif (job := self._jobs.get(key)["job"])["currentState"] != jobs.CANCELLING:
                why = worker_log.last_error(worker_log.of_job(self._entries, job, began))
                self._fail(key, *filter(None, (why, f"Workflow failed. Causes: {state.reason}")))

    def _fail(self, key: str, *reasons: str) -> None:
        errors = (message(jobs.ERROR, reason) for reason in reasons)
        self._jobs.change(key, jobs.FAILED, *errors)

    def _cancel(self, key: str) -> None:
        self._containers.stop(container_of(key, self._jobs.get(key)).name)
        self._jobs.change(key, jobs.CANCELLED, message(jobs.BASIC, "Worker pool stopped."))


def container_of(key: str, kept: Json) -> Container:
    """Return the container of a job."""
    job, run = kept["job"], kept["run"]
    labels = {
        "job_id": job["id"],
        "job_name": job["name"],
        "project_id": job["projectId"],
        "region": job["location"],
        "step_id": "",
    }
    return Container(
        name=key,
        project=job["projectId"],
        image=run["image"],
        logs=Logs("dataflow_step", labels, STDOUT, STDERR),
        args=run["arguments"],
        service_account=run["serviceAccount"],
        restart=Restart.NEVER,
    )


def _prepare() -> str:
    """Set up the environment of the pipelines, as this user; return what went wrong.

    The process of a container has neither this user's cache of packages nor their registry.
    """
    command = python_module.command("pipelines.environment")
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **python_module.environment()},
            capture_output=True,
            text=True,
            check=False,
            timeout=_SETUP_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return "Apache Beam could not be installed in time"
    return done.stderr.strip() if done.returncode else ""
