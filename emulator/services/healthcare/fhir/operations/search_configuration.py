"""`configureSearch`: search parameters of a store, and the index of its resources by them.

Documented (https://cloud.google.com/healthcare-api/docs/how-tos/fhir-custom-search and the method's
reference): the SearchParameter resources exist in the store, and each call replaces the parameters
of the call before. Inferred (conformance: fhir-configure-search): which expressions are compiled,
those of R4's own parameters, the refusals, that new writes are indexed at once and the
others by the operation.
"""

import re
from collections.abc import Mapping, Sequence
from sqlite3 import Connection
from typing import Any

from emulator.core.errors import invalid_argument, not_found
from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.fhir.definitions import resource_types
from emulator.services.healthcare.fhir.definitions.search_expressions import text_of
from emulator.services.healthcare.fhir.operations.selection import Selection
from emulator.services.healthcare.fhir.resources.models import StoreGoneError
from emulator.services.healthcare.fhir.resources.version import Version
from emulator.services.healthcare.fhir.search import store_parameters
from emulator.services.healthcare.fhir.search.parameters import compiled
from emulator.services.healthcare.fhir.search.store_parameters import StoreParameter
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.fhir.store_settings import StoreSettings
from emulator.services.healthcare.operation_types import operation_type

METHOD = "fhir.FhirStoreService.ConfigureSearch"
FIELD = "searchConfig"
_TYPE = "SearchParameter"
_TYPES_OF_VALUES = ("date", "number", "quantity", "reference", "string", "token", "uri")
_ANY = ("DomainResource", "Resource")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-_]*")


def begin(fhir: Fhir, store: str, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request, and start the operation.

    Raises:
        ApiError: 400 for a parameter that is not in the store or that can't be compiled
    """
    settings = StoreSettings.of(fhir.store(store))
    found = [
        parameter
        for url in body.get("canonicalUrls", [])
        for parameter in _parameters(settings, url, _find(fhir, store, url))
    ]
    request = {
        "store": store,
        "only_validates": bool(body.get("validateOnly")),
        "parameters": [[one.url, one.resource, one.base, one.code, one.text] for one in found],
    }
    parent = str(ResourceName.parse(store).parent)
    return fhir.operations.start(parent, METHOD, request, version=version)


def register(fhir: Fhir) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        if not operation.request["only_validates"]:
            _apply(fhir, operation)
        return {}

    fhir.operations.register(operation_type(METHOD, run))


def complete(fhir: Fhir, store: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a store with its configuration of searches, which only this method changes."""
    with fhir.resources.database.read() as connection:
        found = store_parameters.read(connection, store["name"])
    if not found:
        return store
    named = {one.url: {"canonicalUrl": one.url, "parameter": one.resource} for one in found}
    return {**store, FIELD: {"searchParameters": [*named.values()]}}


def _apply(fhir: Fhir, operation: OperationRun) -> None:
    store = operation.request["store"]
    own = [StoreParameter(*values) for values in operation.request["parameters"]]
    try:
        with fhir.resources.writing(store) as connection:
            before = store_parameters.read(connection, store)
            store_parameters.replace(connection, store, own)
        # A run that was interrupted has replaced the configuration: it indexes all types again.
        bases = {one.base for one in (*before, *own)}
        types = [] if before == own or bases & {*_ANY} else sorted(bases)
        _index(fhir, operation, store, types)
    except StoreGoneError as gone:
        raise not_found(str(gone)) from gone


def _index(fhir: Fhir, operation: OperationRun, store: str, types: Sequence[str]) -> None:
    progress = BatchProgress(operation, 0)
    for page in Selection(types).pages(fhir.resources, store):
        with fhir.resources.writing(store) as connection:
            resources = {
                number: resource
                for number in [version.number for version in page]
                if (resource := _current(connection, number))
            }
            for index in fhir.indexes:
                index.add(connection, store, resources)
        progress.succeed(len(page))
        progress.check()
    progress.report()


def _current(connection: Connection, number: int) -> Mapping[str, Any] | None:
    row = connection.execute("SELECT * FROM fhir_resources WHERE number = ?", (number,)).fetchone()
    return None if row is None else Version.of(row).resource()


def _find(fhir: Fhir, store: str, url: str) -> Version:
    plain, _, version = url.partition("|")
    rows = fhir.resources.select(
        "SELECT r.* FROM fhir_canonicals c JOIN fhir_resources r ON r.number = c.resource"
        " WHERE c.store = ? AND c.url = ? AND r.type = ? AND (? = '' OR c.version = ?)",
        (store, plain, _TYPE, version, version),
    )
    if not rows:
        raise invalid_argument(f"search parameter {url!r} was not found in the store")
    return Version.of(rows[-1])


def _parameters(settings: StoreSettings, url: str, found: Version) -> list[StoreParameter]:
    """Return a parameter for each of its resource types; raises 400."""
    definition = found.resource()
    code, type_ = str(definition.get("code", "")), definition.get("type")
    if not _CODE.fullmatch(code):
        raise invalid_argument(f"search parameter {url!r}: invalid code {code!r}")
    if type_ not in _TYPES_OF_VALUES:
        known = ", ".join(_TYPES_OF_VALUES)
        text = f"search parameter {url!r}: the type {type_!r} is not supported: {known}"
        raise invalid_argument(text)
    name = f"{settings.name}/fhir/{found.name}/"
    if settings.keeps_versions:
        name += f"_history/{found.version_id}"
    return [
        StoreParameter(url, name, base, code, _text(url, definition, base))
        for base in definition["base"]
    ]


def _text(url: str, definition: Mapping[str, Any], base: str) -> str:
    if base not in resource_types() and base not in _ANY:
        raise invalid_argument(f"search parameter {url!r}: {base!r} is not a resource type")
    expression = definition.get("expression", "")
    try:
        text = text_of(definition, base, {})
    except NotImplementedError:
        raise invalid_argument(
            f"search parameter {url!r}: the expression {expression!r} is not supported"
        ) from None
    paths = compiled(base, definition["code"], text).paths
    if not paths or not all(step.elements for path in paths for step in path.steps):
        raise invalid_argument(
            f"search parameter {url!r}: the expression {expression!r} names no element of {base}"
        )
    return text
