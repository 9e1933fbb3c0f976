"""Paths of the HL7v2 stores beside those that every store has.

https://cloud.google.com/healthcare-api/docs/reference/rest/v1/projects.locations.datasets.hl7V2Stores
"""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.core import rest
from emulator.core.route_tree import LazyRoute
from emulator.services.healthcare.hl7v2 import responses, store_responses
from emulator.services.healthcare.hl7v2.operations import exporter, importer, rollback
from emulator.services.healthcare.hl7v2.service import Hl7v2
from emulator.services.healthcare.store_service import starting

_STORE = "/projects/{project}/locations/{location}/datasets/{dataset}/hl7V2Stores/{store:id}"
_MESSAGES = f"{_STORE}/messages"
_MESSAGE = f"{_MESSAGES}/{{message:id}}"

_OPERATIONS = {
    "import": starting("ImportMessagesRequest", importer.begin),
    "export": starting("ExportMessagesRequest", exporter.begin),
    "rollback": starting("RollbackHl7V2MessagesRequest", rollback.begin),
}


def routes(hl7v2: Hl7v2) -> Iterator[Route]:
    """Yield every route."""
    route = partial(rest.routes, hl7v2)
    for verb, start in _OPERATIONS.items():
        yield from route("POST", f"{_STORE}:{verb}", start)
    yield from route("GET", f"{_STORE}:getHL7v2StoreMetrics", store_responses.metrics)
    yield from route("POST", f"{_MESSAGES}:ingest", responses.ingest)
    yield from route("POST", _MESSAGES, responses.create)
    yield from route("GET", _MESSAGES, responses.list_messages)
    yield from route("GET", _MESSAGE, responses.get)
    yield from route("PATCH", _MESSAGE, responses.patch)
    yield from route("DELETE", _MESSAGE, responses.delete)
    batch_get = rest.endpoint(hl7v2, responses.batch_get, "v1beta1")
    yield LazyRoute(f"/v1beta1{_MESSAGES}:batchGet", batch_get, "GET")
