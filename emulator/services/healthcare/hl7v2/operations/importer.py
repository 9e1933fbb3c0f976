"""Import from Cloud Storage: files with one message a line, as JSON.

Documented (the description of `import`): duplicates are overwritten with their labels, each message
of the input counts, and what is imported stays when other messages fail. A run that was interrupted
is safe to repeat. Inferred (conformance: hl7v2-import-text, hl7v2-import-partly-failed,
hl7v2-import-log-entries): the texts of refusals and of failures, and that a failure names the line
behind the URI of the file.
"""

from collections.abc import Iterator
from typing import Any

from emulator.core import json_reader
from emulator.core.errors import ApiError, invalid_argument, not_found
from emulator.core.json_bytes import decode_bytes
from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.core.resources.labels import check_labels
from emulator.services.healthcare.clients import agent_reads, gcs_uri
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.healthcare.hl7v2.models import NewMessage, StoreGoneError
from emulator.services.healthcare.hl7v2.service import Hl7v2
from emulator.services.healthcare.operation_types import operation_type
from emulator.services.healthcare.stores import schema

METHOD = "hl7v2.Hl7V2Service.ImportMessages"
BATCH = 200
"""Messages of a transaction."""
MAX_FILE_BYTES = 256 << 20
"""Bytes of a file, which is held in memory."""


def begin(hl7v2: Hl7v2, store: str, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request as Google does before an operation, and start the operation.

    Raises:
        ApiError: 400 for a URI that is invalid or matches nothing or for a missing bucket, 403 if
            the agent lacks a role
    """
    uri = agent_reads.source_uri(body)
    name = ResourceName.parse(store)
    agent_reads.require_objects(hl7v2.agent, hl7v2.settings.storage_url, name.project, uri)
    request = {"store": store, "uri": uri}
    return hl7v2.operations.start(str(name.parent), METHOD, request, version=version)


def register(hl7v2: Hl7v2) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        _Import(hl7v2, operation).run()
        return {}

    hl7v2.operations.register(operation_type(METHOD, run))


class _Import:
    """One run of an import."""

    def __init__(self, hl7v2: Hl7v2, operation: OperationRun) -> None:
        self._hl7v2, self._operation = hl7v2, operation
        self._store = hl7v2.store(operation.request["store"])
        self._source = gcs_uri.parse(operation.request["uri"])
        self._progress = BatchProgress(operation, 0)
        self._batch: list[NewMessage] = []

    def run(self) -> None:
        """Import all files.

        Raises:
            ApiError: the store was deleted, or the storage service is unavailable
        """
        with GcsClient(self._hl7v2.settings.storage_url) as storage:
            for name in storage.find(self._source):
                self._import_file(storage, name)
        self._store_batch()

    def _import_file(self, storage: GcsClient, name: str) -> None:
        uri = f"gs://{self._source.bucket}/{name}"
        try:
            content = storage.read(self._source.bucket, name, MAX_FILE_BYTES)
        except ApiError as error:
            if error.code >= 500:
                raise
            self._progress.fail(uri, error.message)
            return
        for number, line in _lines(content):
            try:
                self._batch.append(self._parse(line))
            except (ApiError, ValueError) as error:
                self._progress.fail(f"{uri}:{number}", str(error))
            if len(self._batch) == BATCH:
                self._store_batch()

    def _parse(self, line: bytes) -> NewMessage:
        """Return the message of a line.

        Raises:
            ApiError, ValueError: the line holds no message, or one that can't be parsed
        """
        read = json_reader.read(line)
        schema.check("v1", "Message", read)
        try:
            data = decode_bytes(read.get("data", ""))
        except ValueError:
            raise invalid_argument("data: Base64 decoding failed") from None
        if not data:
            raise invalid_argument("data is required")
        labels = read.get("labels", {})
        check_labels(labels)
        return self._hl7v2.parse(self._store, data, labels, operation=self._operation.name)

    def _store_batch(self) -> None:
        try:
            self._hl7v2.messages.import_batch(self._store["name"], self._batch)
        except StoreGoneError as error:
            raise not_found(str(error)) from error
        self._progress.succeed(len(self._batch))
        self._batch = []
        self._progress.check()


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file that are not blank, with their numbers from 1."""
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            yield number, line
