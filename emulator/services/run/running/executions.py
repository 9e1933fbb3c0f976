"""Executions of jobs: their tasks run, are retried, and end.

All methods are called in the thread of `Events`, but for `create`.

Documented: https://cloud.google.com/run/docs/create-jobs and
https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs.executions. Observed in
public reports: the ids of executions and tasks, and the texts of failures.
"""

from functools import partial
from typing import Any

from emulator.core import timestamps
from emulator.core.errors import ApiError
from emulator.services.containers.models import CannotRunError, Phase, State
from emulator.services.run.conditions import (
    CANCELLED,
    COMPLETED,
    FAILED,
    SUCCEEDED,
    condition,
    failure,
)
from emulator.services.run.models import Resource
from emulator.services.run.new_executions import new_execution, new_task
from emulator.services.run.running.worker import Worker
from emulator.services.run.templates import DEFAULT_RETRIES

Json = dict[str, Any]


class Executions(Worker):
    """Runs the executions of all jobs."""

    def create(self, job: Resource, template: Json) -> Resource:
        """Add an execution of a job, with its tasks.

        Args:
            job: the job
            template: its ExecutionTemplate, with what the request overrides
        """
        execution = new_execution(job, template)
        tasks = (new_task(execution, index) for index in range(execution["taskCount"]))
        self._resources.create(execution, *tasks)
        reference = {
            "name": execution["name"].rpartition("/")[2],
            "createTime": execution["createTime"],
            "completionStatus": "EXECUTION_RUNNING",
        }

        def change(body: Resource) -> Resource:
            count = body.get("executionCount", 0) + 1
            return {**body, "executionCount": count, "latestCreatedExecution": reference}

        self._resources.update(job["name"], change)
        return execution

    def advance(self, name: str) -> None:
        """Start the tasks of an execution that may run now, or complete it."""
        execution = self._resources.find(name)
        if execution is None or "completionTime" in execution or "deleteTime" in execution:
            return
        tasks = self._resources.below(f"{name}/tasks/")
        pending = [task for task in tasks if "completionTime" not in task]
        running = {*self._containers.names()} & {task["name"] for task in pending}
        limit = execution.get("parallelism") or len(tasks)
        waiting = [task for task in pending if task["name"] not in running]
        for task in waiting[: max(limit - len(running), 0)]:
            self._start(execution, task)
        self._count(name)

    def cancel(self, name: str) -> None:
        """Stop the tasks of an execution, and complete it."""
        tasks = [task["name"] for task in self._resources.below(f"{name}/tasks/")]
        self._events.add_blocking(
            partial(self._containers.stop_all, tasks), partial(self._cancelled, name)
        )

    def remove(self, name: str) -> None:
        """Stop the tasks of an execution, or of all executions of a job, and delete it."""
        body = self._resources.find(name)
        if body is None:
            return
        below = [one["name"] for one in self._resources.below(f"{name}/")]
        self._events.add_blocking(
            partial(self._containers.stop_all, below), partial(self._removed, name, body)
        )

    def _removed(self, name: str, body: Resource) -> None:
        for one in self._resources.below(f"{name}/"):
            self._processes.secrets.forget(one["name"])
            if "/executions/" in one["name"] and "/tasks/" not in one["name"]:
                self._operations.finish(one["name"], one, _cancelled_error())
        self._resources.delete(name)
        self._operations.finish(name, body)

    def _cancelled(self, name: str) -> None:
        for task in self._resources.below(f"{name}/tasks/"):
            if "completionTime" not in task:
                self._complete_task(task["name"], "The task was cancelled.", None, CANCELLED)
        self._count(name)

    def _start(self, execution: Resource, task: Resource) -> None:
        name = task["name"]
        try:
            container = self._processes.of_task(task, execution)
            self._containers.check(container)
        except CannotRunError as error:
            self._complete_task(name, str(error), None)
        except ApiError as error:
            self._complete_task(name, error.message, None)
        else:
            listener = partial(self._note, execution["name"], name)
            self._resources.update(name, lambda body: {"startTime": timestamps.now(), **body})
            self._containers.start(
                container, lambda state: self._events.add(partial(listener, state))
            )

    def _note(self, execution: str, name: str, state: State) -> None:
        """Take a new state of the container of a task."""
        if state.phase not in (Phase.ENDED, Phase.FAILED):
            return
        if self._containers.state(name) is None:
            return  # stopped since
        self._containers.stop(name)  # it has ended: this does not wait
        self._processes.secrets.forget(name)
        task = self._resources.find(name)
        if task is None:
            return
        if state.phase == Phase.ENDED and state.exit_code == 0:
            self._complete_task(name, "", 0)
        elif task.get("retried", 0) < task.get("maxRetries", DEFAULT_RETRIES):
            attempt = task.get("retried", 0) + 1
            result = _attempt(state)
            self._resources.update(
                name, lambda body: {**body, "retried": attempt, "lastAttemptResult": result}
            )
        else:
            self._complete_task(name, state.reason, state.exit_code)
        self.advance(execution)

    def _complete_task(
        self, name: str, message: str, exit_code: int | None, reason: str = ""
    ) -> None:
        state = FAILED if message else SUCCEEDED
        fields = {"executionReason": reason} if reason else {}
        completed = condition(COMPLETED, state, message, **fields)
        result: Json = {"status": {"code": 2 if message else 0, "message": message}}
        if exit_code is not None:
            result = {"exitCode": exit_code, **(result if message else {})}

        def change(body: Resource) -> Resource:
            now = timestamps.now()
            ended = {"completionTime": now, "updateTime": now, "observedGeneration": "1"}
            body.pop("reconciling", None)
            return {**body, **ended, "conditions": [completed], "lastAttemptResult": result}

        self._resources.update(name, change)

    def _count(self, name: str) -> None:
        """Write the numbers of tasks; complete the execution once none is left."""
        tasks = self._resources.below(f"{name}/tasks/")
        done = [task for task in tasks if "completionTime" in task]
        outcomes = [one for task in done for one in task["conditions"]]
        failed = [one for one in outcomes if one["state"] == FAILED]
        cancelled = [one for one in failed if one.get("executionReason") == CANCELLED]
        counts = {
            "runningCount": sum("startTime" in task for task in tasks if task not in done),
            "succeededCount": len(outcomes) - len(failed),
            "failedCount": len(failed) - len(cancelled),
            "cancelledCount": len(cancelled),
            "retriedCount": sum(task.get("retried", 0) for task in tasks),
        }
        numbers = {key: count for key, count in counts.items() if count}

        def change(body: Resource) -> Resource:
            kept = {key: value for key, value in body.items() if key not in counts}
            return {**kept, **numbers, "updateTime": timestamps.now()}

        self._resources.update(name, change)
        if len(done) == len(tasks):
            self._complete(name, failed, is_cancelled=bool(cancelled))

    def _complete(self, name: str, failed: list[Json], *, is_cancelled: bool) -> None:
        message, fields = "", {}
        if is_cancelled:
            message, fields = "The execution was cancelled.", {"executionReason": CANCELLED}
        elif failed:
            message = f"Task {name.rpartition('/')[2]} failed: {failed[0]['message']}"
            fields = {"executionReason": "NON_ZERO_EXIT_CODE"}
        completed = condition(COMPLETED, FAILED if message else SUCCEEDED, message, **fields)
        now = timestamps.now()

        def change(body: Resource) -> Resource:
            body.pop("reconciling", None)
            kept = [one for one in body["conditions"] if one["type"] != COMPLETED]
            ended = {"completionTime": now, "observedGeneration": body["generation"]}
            return {**body, **ended, "conditions": [completed, *kept]}

        execution = self._resources.update(name, change)
        if execution is None:
            return
        status = "CANCELLED" if is_cancelled else "FAILED" if failed else "SUCCEEDED"
        self._note_in_job(name, {"completionTime": now, "completionStatus": f"EXECUTION_{status}"})
        self._operations.finish(name, execution, failure(execution))

    def _note_in_job(self, execution: str, fields: Json) -> None:
        def change(body: Resource) -> Resource:
            latest = body.get("latestCreatedExecution", {})
            if latest.get("name") != execution.rpartition("/")[2]:
                return body
            return {**body, "latestCreatedExecution": {**latest, **fields}}

        self._resources.update(execution.rsplit("/", 2)[0], change)


def _attempt(state: State) -> Json:
    status = {"status": {"code": 2, "message": state.reason}}
    return status if state.exit_code is None else {"exitCode": state.exit_code, **status}


def _cancelled_error() -> ApiError:
    return ApiError(499, "CANCELLED", "The execution was cancelled.")
