"""The operation that writes the ids of all data whose use is consented; a run is safe to repeat.

Documented (the references of `queryAccessibleData` in v1 and v1beta1): the name of the object with
one data id a line, the response, and the log entry of a consent that can't be evaluated. Inferred
(conformance: consent-query): such a consent does not fail the operation, and the order of lines.
"""

from sqlite3 import Connection
from typing import Any

from emulator.core.errors import RPC_CODES, invalid_argument
from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.clients.agent_writes import require_folder
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.healthcare.consents import revisions
from emulator.services.healthcare.consents.attributes import REQUEST, RESOURCE
from emulator.services.healthcare.consents.evaluation import Evaluator
from emulator.services.healthcare.consents.models import Json, mapping_page
from emulator.services.healthcare.consents.service import Consents
from emulator.services.healthcare.operation_types import operation_type

METHOD = "consent.ConsentService.QueryAccessibleData"
PAGE = 1000
_FAILURE = "failed to evaluate consent policy"


def begin(consents: Consents, store: str, body: Json, version: str) -> Json:
    """Check a request, and start the operation.

    Raises:
        ApiError: 400 for attributes or a destination that are not valid, 403 if the agent lacks a
            role
    """
    wanted, request = body.get("resourceAttributes", {}), body.get("requestAttributes", {})
    with consents.records.read() as connection:
        definitions = consents.definitions(connection, store)
    definitions.check_values(wanted, RESOURCE, "resource_attributes")
    definitions.check_values(request, REQUEST, "request_attributes")
    if "gcsDestination" not in body:
        raise invalid_argument("gcs_destination is required")
    name, uri = ResourceName.parse(store), body["gcsDestination"].get("uriPrefix", "")
    folder = require_folder(consents.agent, consents.settings.storage_url, name.project, uri)
    fields = {"store": store, "wanted": wanted, "request": request, **folder}
    return consents.operations.start(str(name.parent), METHOD, fields, version=version)


def register(consents: Consents) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        return _run(consents, operation)

    consents.operations.register(operation_type(METHOD, run, lenient=True))


def _run(consents: Consents, operation: OperationRun) -> dict[str, Any]:
    request = operation.request
    data_ids = _accessible(consents, operation)
    number = operation.name.rpartition("/")[2]
    object_name = f"{request['prefix']}query-accessible-data-result-{number}.txt"
    content = "".join(f"{data_id}\n" for data_id in data_ids).encode()
    with GcsClient(consents.settings.storage_url) as storage:
        storage.write(request["bucket"], object_name, content, "text/plain")
    return {"gcsUris": [f"gs://{request['bucket']}/{object_name}"]}


def _accessible(consents: Consents, operation: OperationRun) -> list[str]:
    """Return the data ids; log the consents that can't be evaluated.

    Each page is of one moment: a consent that is revoked meanwhile counts for no later page.
    """
    progress = BatchProgress(operation, 0)
    found: list[str] = []
    after: str | None = None
    while True:
        consents.store(operation.request["store"])
        with consents.records.snapshot() as connection:
            page = _Page(consents, connection, operation.request, after)
        found += page.accessible
        for name in page.failures:
            operation.log_failure(name, _FAILURE, RPC_CODES["FAILED_PRECONDITION"])
        progress.succeed(page.size)
        progress.check()
        if page.size < PAGE:
            return found
        after = page.last


class _Page:
    """Some mappings, evaluated.

    Attributes:
        accessible: the data ids whose use is consented
        failures: the names of the consents that can't be evaluated
        size: the number of the mappings
        last: the id of the last one; empty without any
    """

    def __init__(
        self, consents: Consents, connection: Connection, request: Json, after: str | None
    ) -> None:
        self._connection, self._store = connection, str(request["store"])
        self._of_user: dict[str, list[Json]] = {}
        definitions = consents.definitions(connection, self._store)
        evaluator = Evaluator(definitions, request["request"])
        mappings = mapping_page(connection, self._store, None, after, PAGE)
        self.accessible = [
            mapping["dataId"]
            for _, mapping in mappings
            if evaluator.selects(mapping, request["wanted"])
            and evaluator.determine(mapping, self._consents(mapping["userId"])).consented
        ]
        self.failures = [*evaluator.failures()]
        self.size = len(mappings)
        self.last = mappings[-1][0] if mappings else ""

    def _consents(self, user: str) -> list[Json]:
        if user not in self._of_user:
            self._of_user[user] = revisions.of_user(self._connection, self._store, user)
        return self._of_user[user]
