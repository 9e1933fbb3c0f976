"""Calls of Dataflow about jobs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from googleapiclient.errors import HttpError

from scripts.lib.errors import UsageError
from scripts.lib.google import clients, retry
from scripts.lib.google.errors import translate_errors

TERMINATED = frozenset(
    {
        "JOB_STATE_CANCELLED",
        "JOB_STATE_DONE",
        "JOB_STATE_DRAINED",
        "JOB_STATE_FAILED",
        "JOB_STATE_UPDATED",
    }
)
DONE, CANCELLED = "JOB_STATE_DONE", "JOB_STATE_CANCELLED"
_ID = re.compile(r"[\w-]+")
_CONFLICT = 409

Json = dict[str, Any]


@dataclass(frozen=True)
class Region:
    """Where jobs are.

    Attributes:
        project: its id
        location: a region
    """

    project: str
    location: str

    def path(self) -> dict[str, str]:
        """Return the parameters of a path."""
        return {"projectId": self.project, "location": self.location}


class Jobs:
    """The jobs of a project in a region.

    Args:
        region: the project and the region
    """

    def __init__(self, region: Region) -> None:
        self.region = region
        self._root = clients.dataflow().projects().locations()

    def launch(self, parameter: Json) -> Json | None:
        """Launch a flex template; return the job, or None if one of its name runs already.

        Raises:
            ScriptError: Dataflow refuses or can't be reached
        """
        request = self._root.flexTemplates().launch(
            **self.region.path(), body={"launchParameter": parameter}
        )
        try:
            with translate_errors(f"launching {parameter['jobName']}"):
                job: Json = retry.call(request.execute)["job"]
        except Exception as error:
            cause = error.__cause__
            if isinstance(cause, HttpError) and int(cause.status_code) == _CONFLICT:
                return None
            raise
        return job

    def get(self, id_: str) -> Json:
        """Return a job.

        Raises:
            ScriptError: there is no such job, or Dataflow can't be reached
        """
        return self._read("get", id_, f"reading the job {id_}")

    def active(self, name: str) -> Json | None:
        """Return the job of a name that runs, if any."""
        request = self._root.jobs().list(**self.region.path(), filter="ACTIVE", name=name)
        with translate_errors(f"listing the jobs of {self.region.project}"):
            found = retry.call(request.execute).get("jobs", [])
        return next((job for job in found if job["name"] == name), None)

    def cancel(self, id_: str) -> Json:
        """Ask for the end of a job; return it."""
        body = {"requestedState": CANCELLED}
        request = self._root.jobs().update(**self.region.path(), jobId=id_, body=body)
        with translate_errors(f"cancelling the job {id_}"):
            job: Json = retry.call(request.execute)
        return job

    def counters(self, id_: str) -> dict[str, int]:
        """Return the user's counters of a job, work in progress included."""
        found = self._read("getMetrics", id_, f"reading the metrics of {id_}")
        counters: dict[str, int] = {}
        for one in found.get("metrics", []):
            name = one["name"]
            if name.get("origin") == "user" and "tentative" in name.get("context", {}):
                counters[name["name"]] = counters.get(name["name"], 0) + int(one["scalar"])
        return counters

    def errors(self, id_: str) -> list[str]:
        """Return the texts of a job's messages that are errors."""
        return [*self._errors(id_)]

    def _errors(self, id_: str) -> Iterator[str]:
        messages = self._root.jobs().messages()
        request = messages.list(
            **self.region.path(), jobId=id_, minimumImportance="JOB_MESSAGE_ERROR"
        )
        while request is not None:
            with translate_errors(f"reading the messages of {id_}"):
                found = retry.call(request.execute)
            for one in found.get("jobMessages", []):
                yield one["messageText"]
            request = messages.list_next(request, found)

    def _read(self, method: str, id_: str, doing: str) -> Json:
        request = getattr(self._root.jobs(), method)(**self.region.path(), jobId=id_)
        with translate_errors(doing):
            answer: Json = retry.call(request.execute)
        return answer


def check_id(id_: str) -> str:
    """Validate the id of a job before any call.

    Raises:
        UsageError: it is not one
    """
    if not _ID.fullmatch(id_):
        raise UsageError(
            f"{id_!r} is not a valid job id.", "The form is that which --no-wait prints."
        )
    return id_
