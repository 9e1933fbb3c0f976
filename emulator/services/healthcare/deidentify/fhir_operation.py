"""The long-running operation that de-identifies a FHIR store into another."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.deidentify import config, kms_wrapped_keys
from emulator.services.healthcare.deidentify.fhir_copy import FhirCopy
from emulator.services.healthcare.deidentify.operation import KEY_BYTES
from emulator.services.healthcare.fhir import instants
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.fhir.store_settings import StoreSettings
from emulator.services.healthcare.operation_types import operation_type

METHOD = "fhir.FhirStoreService.DeidentifyFhirStore"


def begin(
    fhir: Fhir,
    source: str,
    destination: str,
    settings: Mapping[str, Any],
    version: str,
    names: Sequence[str],
    *,
    skips_modified: bool,
) -> dict[str, Any]:
    """Start to de-identify a store into another.

    Args:
        fhir: the FHIR stores
        source: the full name of the store
        destination: the full name of the other store
        settings: the DeidentifyConfig
        version: of the API
        names: of resources, such as `Patient/1`; none for all
        skips_modified: whether resources that change from now on are left out

    Raises:
        ApiError: 400 or 501 for the configuration or the stores
    """
    for store in (source, destination):
        StoreSettings.of(fhir.store(store))
    name = ResourceName.parse(source)
    config.read(kms_wrapped_keys.unwrap_keys(fhir.context, name.project, settings))
    request = {
        "store": source,
        "destination": destination,
        "config": settings,
        "key": secrets.token_hex(KEY_BYTES),
        "version": version,
        "names": list(names),
        "until": instants.next_version() if skips_modified else instants.MAX_VERSION,
    }
    return fhir.operations.start(str(name.parent), METHOD, request, version=version)


def register(fhir: Fhir) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        request = operation.request
        project = ResourceName.parse(request["store"]).project
        settings = kms_wrapped_keys.unwrap_keys(fhir.context, project, request["config"])
        copy = FhirCopy(
            fhir,
            request["store"],
            request["destination"],
            config.read_fhir(settings),
            bytes.fromhex(request["key"]),
            request["names"],
            request["until"],
        )
        progress = BatchProgress(operation, copy.count())
        progress.report()
        copy.run(progress)
        progress.report()
        package = f"google.cloud.healthcare.{request['version']}.deidentify"
        return {"@type": f"type.googleapis.com/{package}.DeidentifyFhirStoreSummary"}

    fhir.operations.register(operation_type(METHOD, run, lenient=True))
