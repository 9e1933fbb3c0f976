"""Jobs as they are kept, their states and their messages.

Documented (https://cloud.google.com/dataflow/docs/reference/rest/v1b3/projects.jobs#jobstate): the
states. Observed in public logs: the form of ids, and the texts of messages.
"""

import secrets
from datetime import UTC, datetime
from typing import Any

from emulator.core import timestamps
from emulator.core.errors import ApiError, not_found
from emulator.core.resources.stored import StoredResources

COLLECTION = "dataflowJobs"
"""Of the names that jobs are kept by; Cloud Run has `jobs` too."""
QUEUED, PENDING, RUNNING = "JOB_STATE_QUEUED", "JOB_STATE_PENDING", "JOB_STATE_RUNNING"
CANCELLING = "JOB_STATE_CANCELLING"
DONE, FAILED, CANCELLED = "JOB_STATE_DONE", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"
TERMINATED = frozenset({DONE, FAILED, CANCELLED})
BASIC, WARNING, ERROR = "JOB_MESSAGE_BASIC", "JOB_MESSAGE_WARNING", "JOB_MESSAGE_ERROR"
IMPORTANCE = ("JOB_MESSAGE_DEBUG", "JOB_MESSAGE_DETAILED", BASIC, WARNING, ERROR)
MAX_MESSAGES = 1000
_ID_DIGITS = 19

Json = dict[str, Any]


def new_id() -> str:
    """Return the id of a new job: its time, and a number."""
    moment = datetime.now(UTC).strftime("%Y-%m-%d_%H_%M_%S")
    return f"{moment}-{secrets.randbelow(9 * 10 ** (_ID_DIGITS - 1)) + 10 ** (_ID_DIGITS - 1)}"


def message(importance: str, text: str) -> Json:
    """Return a JobMessage."""
    return {
        "id": secrets.token_hex(8),
        "time": timestamps.now(),
        "messageText": text,
        "messageImportance": importance,
    }


class Jobs:
    """The jobs of all projects.

    Each is kept with its messages, and with what its container needs.

    Args:
        resources: where they are kept
    """

    def __init__(self, resources: StoredResources) -> None:
        self._resources = resources

    def add(self, job: Json, run: Json) -> None:
        """Add a job.

        Args:
            job: as the API has it
            run: what its container needs
        """
        kept = {"job": job, "run": run, "messages": []}
        self._resources.create(key_of(job["projectId"], job["location"], job["id"]), kept)

    def get(self, key: str) -> Json:
        """Return what is kept of a job.

        Raises:
            ApiError: 404
        """
        found = self._resources.find(key)
        if found is None:
            raise _missing(key)
        return found

    def everywhere(self) -> dict[str, Json]:
        """Return what is kept of all jobs, by key."""
        return self._resources.everywhere()

    def active(self, project: str, location: str, name: str) -> Json | None:
        """Return the job of a name that has not ended."""
        parent = parent_of(project, location)
        for kept in self.everywhere().values():
            job: Json = kept["job"]
            if (
                parent_of(job["projectId"], job["location"]) == parent
                and job["name"] == name
                and job["currentState"] not in TERMINATED
            ):
                return job
        return None

    def change(self, key: str, state: str, *messages: Json, **fields: Any) -> Json:
        """Set the state of a job, unless it has ended, and add messages; return the job.

        Raises:
            ApiError: 404
        """

        def changed(kept: Json) -> Json:
            job = kept["job"]
            if job["currentState"] in TERMINATED:
                return kept
            now = timestamps.now()
            moved = {"currentStateTime": now} if job["currentState"] != state else {}
            job = {**job, **moved, **fields, "currentState": state}
            return {**kept, "job": job, "messages": _last([*kept["messages"], *messages])}

        job: Json = self._resources.update(key, changed)["job"]
        return job


def key_of(project: str, location: str, id_: str) -> str:
    """Return the name that a job is kept by."""
    return f"{parent_of(project, location)}/{id_}"


def parent_of(project: str, location: str) -> str:
    """Return the collection of a location's jobs."""
    return f"projects/{project}/locations/{location}/{COLLECTION}"


def _last(messages: list[Json]) -> list[Json]:
    return messages[-MAX_MESSAGES:]


def _missing(key: str) -> ApiError:
    id_ = key.rpartition("/")[2]
    code = secrets.token_hex(8)
    return not_found(
        f"({code}): Information about job {id_} could not be found in our system. Please double "
        "check the id is correct. If it is please contact customer support."
    )
