"""Entries of a batch or of a transaction: what each asks for.

Documented (the reference of `executeBundle`): all interactions but searches. Inferred (conformance:
fhir-bundle-text): the texts of refusals.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.services.healthcare.fhir.outcome import Issue
from emulator.services.healthcare.fhir.refusals import (
    OutcomeError,
    invalid,
    mismatch,
    unparseable,
    unsupported,
)
from emulator.services.healthcare.fhir.resources import conditions, parsing
from emulator.services.healthcare.fhir.resources.changes import DELETE, PATCH, POST, PUT

GET = "GET"
ORDER = (DELETE, POST, PUT, PATCH, GET)
"""Documented (http://hl7.org/fhir/R4/http.html#trules): the order of a transaction's requests."""
_JSON_PATCH = "application/json-patch+json"


@dataclass
class Entry:
    """A request of a bundle.

    Attributes:
        index: of the entry, from 0
        method: of HTTP
        type: of the resource
        id: of the resource; empty for a create and for a condition
        version: that a GET asks for; empty without one
        query: of a conditional write
        resource: the body; None without one
        full_url: by which other entries refer to the resource
        request: the member `request`
    """

    index: int
    method: str
    type: str
    id: str
    version: str
    query: list[tuple[str, str]]
    resource: dict[str, Any] | None
    full_url: str
    request: Mapping[str, Any]

    def header(self, member: str) -> str:
        """Return a member of `request` that stands for a header, such as `ifMatch`."""
        return str(self.request.get(member, ""))

    def body(self) -> dict[str, Any]:
        """Return the resource; raises 400 without one."""
        if self.resource is None:
            raise unparseable(f"a {self.method} needs a resource", f"Bundle.entry[{self.index}]")
        if self.resource.get("resourceType") != self.type:
            raise mismatch(
                f"the type of the resource is not that of the request's URL: {self.type}"
            )
        return self.resource

    def patch(self) -> Any:
        """Return the operations of a PATCH, which a Binary carries; raises 400."""
        resource = self.resource or {}
        if resource.get("contentType") != _JSON_PATCH:
            raise unparseable(
                f"a PATCH needs a Binary of the contentType {_JSON_PATCH}",
                f"Bundle.entry[{self.index}]",
            )
        try:
            data = base64.b64decode(str(resource.get("data", "")), validate=True)
        except (binascii.Error, ValueError):
            raise unparseable("the data of a Binary is not base64") from None
        return parsing.parse_patch(data)

    def located(self, refused: OutcomeError) -> OutcomeError:
        """Return the refusal of this request, its expressions as those of the bundle.

        Observed: an element of a resource is `Bundle.entry[0].resource.serviceRequest`.
        """
        prefix = f"Bundle.entry[{self.index}].resource."

        def path(expression: str) -> str:
            if expression.startswith("Bundle.entry["):
                return expression
            return prefix + expression[:1].lower() + expression[1:]

        return OutcomeError(
            refused.status,
            *(
                Issue(
                    issue.severity,
                    issue.code,
                    issue.details,
                    issue.diagnostics,
                    [path(each) for each in issue.expression],
                )
                for issue in refused.issues
            ),
        )


def parse(index: int, entry: Any) -> Entry:
    """Return the request of an entry.

    Raises:
        OutcomeError: 400, it is none that a bundle may have
    """
    where = f"Bundle.entry[{index}]"
    request = entry.get("request") if isinstance(entry, Mapping) else None
    if not isinstance(request, Mapping):
        raise unparseable('missing required field "request"', where)
    method, url = str(request.get("method", "")), str(request.get("url", ""))
    if method not in ORDER:
        raise unparseable(f"the method {method!r} is not supported in a bundle", where)
    if not url:
        raise unparseable('missing required field "url"', f"{where}.request")
    path, _, query = url.partition("?")
    parts = [part for part in path.split("/") if part]
    if method == GET and (query or len(parts) < 2):
        raise unsupported("searches are not supported in a bundle")
    resource = entry.get("resource")
    parsed = Entry(
        index=index,
        method=method,
        type=parsing.check_type(parts[0] if parts else ""),
        id=parsing.check_id(parts[1]) if len(parts) > 1 else "",
        version="",
        query=conditions.parse_query(f"?{query}"),
        resource=resource if isinstance(resource, dict) else None,
        full_url=str(entry.get("fullUrl", "")),
        request=request,
    )
    rest = parts[2:]
    if method == GET and len(rest) == 2 and rest[0] == "_history":
        parsed.version = rest[1]
    elif rest or (method == POST and parsed.id):
        raise unsupported(f"{method} {url} is not supported in a bundle")
    if method in (PUT, PATCH, DELETE) and not parsed.id and not parsed.query:
        raise invalid("invalid_bundle", f"{method} needs an id or a condition in its URL", where)
    return parsed
