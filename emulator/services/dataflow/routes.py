"""Paths of Dataflow (https://cloud.google.com/dataflow/docs/reference/rest)."""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.core import rest
from emulator.services.dataflow import responses
from emulator.services.dataflow.service import Dataflow

_LOCATION = "/projects/{project}/locations/{location}"
_JOBS = f"{_LOCATION}/jobs"
_JOB = f"{_JOBS}/{{job:id}}"


def routes(dataflow: Dataflow) -> Iterator[Route]:
    """Yield every route of the service."""
    route = partial(rest.routes, dataflow, versions=("v1b3",))
    yield from route("POST", f"{_LOCATION}/flexTemplates:launch", responses.launch)
    yield from route("GET", _JOBS, responses.list_jobs)
    yield from route("GET", _JOB, responses.get)
    yield from route("PUT", _JOB, responses.update)
    yield from route("GET", f"{_JOB}/messages", responses.list_messages)
    yield from route("GET", f"{_JOB}/metrics", responses.get_metrics)
