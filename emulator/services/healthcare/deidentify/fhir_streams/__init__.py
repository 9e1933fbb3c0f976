"""De-identified streams: changes of a FHIR store, applied to another one.

Documented (`StreamConfig.deidentifiedStoreDestination` of the API's reference): creates, updates,
patches and deletions follow, imports do not; the destination has `enableUpdateCreate` and
`disableReferentialIntegrity`; the service agent needs `healthcare.fhirResources.update` there; what
can't be copied is logged. Inferred (conformance: fhir-deidentified-stream): a copy is a change of
the destination, with its notifications and its rows in BigQuery, but feeds no further store; hashes
and shifts without a key in the configuration have one that lasts until the emulator stops. Here a
copy is made in the transaction of the change, so that none is lost.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from sqlite3 import Connection
from typing import Any

from emulator.core.errors import (
    RPC_CODES,
    ApiError,
    bad_field,
    failed_precondition,
    permission_denied,
)
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.deidentify import config, kms_wrapped_keys
from emulator.services.healthcare.deidentify.fhir_fields import ResourceTransformer
from emulator.services.healthcare.deidentify.operation import KEY_BYTES
from emulator.services.healthcare.fhir.refusals import OutcomeError
from emulator.services.healthcare.fhir.resources.changes import PUT, Change, Changes
from emulator.services.healthcare.fhir.resources.models import find
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.fhir.store_settings import StoreSettings
from emulator.services.healthcare.fhir.streams import is_streamed

FIELD = "deidentifiedStoreDestination"
_STORE = re.compile(r"projects/[^/]+/locations/[^/]+/datasets/[^/]+/fhirStores/[^/]+")
PERMISSION = "healthcare.fhirResources.update"


class DeidentifiedStreams:
    """Copies changes into other stores. A `ChangeListener`, after all others.

    Args:
        fhir: the FHIR stores, whose other listeners learn of the copies
    """

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir
        self._others = tuple(fhir.listeners)
        self._key = secrets.token_bytes(KEY_BYTES)

    def add(
        self, connection: Connection, settings: StoreSettings, changes: Sequence[Change]
    ) -> bool:
        """Copy changes, as `ChangeListener.add` describes."""
        copied = False
        for stream in settings.streams:
            chosen = [change for change in changes if is_streamed(stream, change)]
            if FIELD in stream and chosen:
                copied |= self._copy(connection, settings.name, stream[FIELD], chosen)
        return copied

    def wake(self) -> None:
        """Continue with what the copies caused: the transaction is committed."""
        for listener in self._others:
            listener.wake()

    def _copy(
        self,
        connection: Connection,
        store: str,
        destination: Mapping[str, Any],
        chosen: Sequence[Change],
    ) -> bool:
        """Copy changes of a store into one destination; return whether any was copied."""
        target = str(destination.get("store", ""))
        try:
            settings = self._settings(store, target)
            project = ResourceName.parse(store).project
            given = destination.get("config", {})
            unwrapped = kms_wrapped_keys.unwrap_keys(self._fhir.context, project, given)
            rules = config.read_fhir(unwrapped)
        except ApiError as error:
            self._log(connection, store, target, RPC_CODES[error.status], error.message)
            return False
        copies = Changes(connection, settings, self._fhir.indexes)
        for change in chosen:
            version = change.version
            resource = (change.previous or version) if version.is_deletion else version
            transformer = ResourceTransformer(
                rules, self._key, resource.resource(), _finder(connection, store)
            )
            try:
                with copies.savepoint():
                    if version.is_deletion:
                        id_ = transformer.new_id(version.type, version.id)
                        copies.delete(version.type, id_)
                    else:
                        copies.put(transformer.transformed(), PUT)
            except OutcomeError as refused:
                text = f"{version.name}: {refused}"
                self._log(connection, store, target, RPC_CODES["FAILED_PRECONDITION"], text)
        copies.finish()
        for listener in self._others:
            listener.add(connection, settings, copies.done)
        return bool(copies.done)

    def _settings(self, store: str, target: str) -> StoreSettings:
        """Return the settings of a destination.

        Raises:
            ApiError: it is not a store that takes copies, or the agent may not write to it
        """
        name = ResourceName.parse(target)
        settings = StoreSettings.of(self._fhir.store(target))
        if not settings.can_choose_ids or settings.checks_references:
            raise failed_precondition(
                f"{target} needs enable_update_create and disable_referential_integrity to be true"
            )
        project = ResourceName.parse(store).project
        owners = [f"projects/{name.project}", str(name.parent), target]
        if not self._fhir.agent.has(project, PERMISSION, owners):
            raise permission_denied(
                f"{self._fhir.agent.email(project)} does not have {PERMISSION} on {target}. "
                "Please grant it roles/healthcare.fhirResourceEditor there.",
            )
        return replace(settings, checks_references=False)

    def _log(self, connection: Connection, store: str, target: str, code: int, reason: str) -> None:
        self._fhir.context.failures.add_stream(connection, store, target, code, reason)


def check_store(store: Mapping[str, Any]) -> None:
    """Refuse a FHIR store whose de-identified streams are not valid.

    Raises:
        ApiError: 400, or 501 for an unsupported setting of the configuration
    """
    for number, stream in enumerate(store.get("streamConfigs", [])):
        if FIELD not in stream:
            continue
        given = stream[FIELD]
        name = str(given.get("store", ""))
        if not _STORE.fullmatch(name) or name == store.get("name"):
            field = f"stream_configs[{number}].deidentified_store_destination.store"
            form = "another store, projects/P/locations/L/datasets/D/fhirStores/S"
            raise bad_field(field, f"invalid {field} {name!r}: {form}")
        config.read(given.get("config", {}))


def _finder(connection: Connection, store: str) -> Any:
    def read(name: str) -> Mapping[str, Any] | None:
        found = find(connection, store, *name.split("/", 1))
        return None if found is None else found.resource()

    return read
