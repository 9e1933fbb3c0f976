"""A FHIR request and its endpoint.

Inferred (conformance: fhir-media-types): bodies of other media types are refused with 415; the
limit of a body is that of the quotas' page, with 413.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from emulator.core import media_type
from emulator.core.errors import not_found, too_large
from emulator.core.method_table import AUDIT_METADATA, PERMITS
from emulator.services.healthcare.fhir import json_text
from emulator.services.healthcare.fhir.consents import scopes
from emulator.services.healthcare.fhir.consents.access import Access
from emulator.services.healthcare.fhir.outcome import error, operation_outcome
from emulator.services.healthcare.fhir.refusals import OutcomeError, invalid_query
from emulator.services.healthcare.fhir.resources import parsing
from emulator.services.healthcare.fhir.resources.models import StoreGoneError
from emulator.services.healthcare.fhir.search import store_parameters
from emulator.services.healthcare.fhir.search.store_parameters import StoreParameters
from emulator.services.healthcare.fhir.service import COLLECTION, Fhir
from emulator.services.healthcare.fhir.store_settings import StoreSettings

LOG = logging.getLogger(__name__)
MAX_BODY_BYTES = 50 << 20
"""https://cloud.google.com/healthcare-api/quotas: of a FHIR bundle."""
INDENT = 2
"""Observed: spaces a level in answers."""
JSON_TYPES = frozenset({"", "application/fhir+json", "application/json"})
_SEGMENTS = len(["", "v1", "projects", "P", "locations", "L", "datasets", "D", "fhirStores", "S"])
_SYSTEM = frozenset(
    {
        "$.xgafv", "access_token", "alt", "callback", "fields", "key", "oauth_token",
        "prettyPrint", "quotaUser", "uploadType", "upload_protocol",
    }
)  # fmt: skip
"""Parameters of every Google API, which the official clients add; none of FHIR's."""


@dataclass(frozen=True)
class FhirRequest:
    """A request of a store's FHIR service.

    Attributes:
        fhir: the FHIR stores
        settings: of the store
        path: the variables of the route
        query: the query's pairs, without those of every Google API
        headers: of the request
        body: its bytes
        root: URL of the store's FHIR service, `https://.../fhirStores/S/fhir`
        url: of the request, with its query
        version: of the API, as called
        audit: gets what the audit log says beside the call
        permits: whether the caller has a permission on a resource, both as names
    """

    fhir: Fhir
    settings: StoreSettings
    path: Mapping[str, str]
    query: list[tuple[str, str]]
    headers: Headers
    body: bytes
    root: str
    url: str
    version: str
    audit: dict[str, Any]
    permits: Callable[[str, str], bool]

    @property
    def store(self) -> str:
        """The full name of the store."""
        return self.settings.name

    @property
    def type(self) -> str:
        """The resource type of the path; raises 400 for one that there is not."""
        return parsing.check_type(self.path["type"])

    @property
    def id(self) -> str:
        """The id of the path; raises 400 for one that is not well formed."""
        return parsing.check_id(self.path["id"])

    @cached_property
    def access(self) -> Access:
        """The access that consents permit; raises 403 for a wrong consent scope."""
        header = self.header(scopes.HEADER)
        fhir = self.fhir
        return Access(fhir.resources, fhir.consents, self.settings, header, self.audit)

    @cached_property
    def parameters(self) -> StoreParameters:
        """The search parameters of the store."""
        with self.fhir.resources.database.read() as connection:
            return store_parameters.load(connection, self.store)

    def header(self, name: str) -> str:
        """Return the value of a header; empty if there is none."""
        return self.headers.get(name, "")

    def parameter(self, name: str) -> str:
        """Return the value of a parameter that is given once at most; empty without one.

        Raises:
            OutcomeError: 400, it is repeated
        """
        found = [value for key, value in self.query if key == name]
        if len(found) > 1:
            raise invalid_query(f"the parameter {name} can't be repeated")
        return found[0] if found else ""

    def resource(self) -> dict[str, Any]:
        """Return the JSON object of the body.

        Raises:
            OutcomeError: 415 for another media type, 400 for a body that is not a JSON object
        """
        self.check_media_type(JSON_TYPES)
        return parsing.parse(self.body)

    def check_media_type(self, allowed: frozenset[str]) -> None:
        """Refuse a body of another media type.

        Raises:
            OutcomeError: 415
        """
        given = media_type.parse(self.header("content-type")).type
        if given not in allowed:
            wanted = " or ".join(sorted(filter(None, allowed)))
            text = f"unsupported Content-Type {given!r}: {wanted}"
            raise OutcomeError(415, error("not-supported", "unsupported_media_type", text))

    def prefers(self) -> str:
        """Return what the header Prefer asks the answer to hold, such as `minimal`."""
        return self._preference("return")

    def handling(self) -> str:
        """Return `strict` or `lenient`, if the header Prefer says which."""
        return self._preference("handling")

    def _preference(self, name: str) -> str:
        parts = [part.strip() for part in self.header("prefer").replace(";", ",").split(",")]
        found = [part.partition("=")[2] for part in parts if part.startswith(f"{name}=")]
        return found[0].strip('"') if found else ""


Handler = Callable[[FhirRequest], Response]


def endpoint(
    fhir: Fhir, handler: Handler, version: str, max_bytes: int = MAX_BODY_BYTES
) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of a handler, which runs in a thread."""

    def answer(request: Request, body: bytes) -> Response:
        store = fhir.context.stores.require_store(COLLECTION, request.path_params)
        settings = StoreSettings.of(fhir.store(store))
        path = "/".join(request.url.path.split("/")[:_SEGMENTS])
        query = f"?{request.url.query}" if request.url.query else ""
        try:
            return handler(
                FhirRequest(
                    fhir=fhir,
                    settings=settings,
                    path=request.path_params,
                    query=[
                        pair
                        for pair in request.query_params.multi_items()
                        if pair[0] not in _SYSTEM
                    ],
                    headers=request.headers,
                    body=body,
                    root=f"{fhir.settings.root_url}{path}/fhir",
                    url=f"{fhir.settings.root_url}{request.url.path}{query}",
                    version=version,
                    audit=request.scope.get(AUDIT_METADATA, {}),
                    permits=request.scope.get(PERMITS, lambda _permission, _resource: True),
                )
            )
        except OutcomeError as refused:
            return json_response(operation_outcome(refused.issues), refused.status)
        except StoreGoneError as gone:
            raise not_found(str(gone)) from None

    async def serve(request: Request) -> Response:
        body = await _read(request, max_bytes)
        return await run_in_threadpool(answer, request, body)

    return serve


def typed(type_: str, handler: Handler) -> Handler:
    """Return a handler of requests whose path has the resource type as a literal."""

    def handle(request: FhirRequest) -> Response:
        return handler(replace(request, path={**request.path, "type": type_}))

    return handle


def json_response(
    resource: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a resource as Google writes it: sorted keys, indented."""
    content = json_text.dump(resource, indent=INDENT)
    return Response(content, status, {"Content-Type": json_text.MEDIA_TYPE, **(headers or {})})


async def _read(request: Request, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise too_large(f"The request's body is longer than {max_bytes} bytes.")
    return bytes(body)
