"""Permissions of the requests in a bundle.

Documented (the reference of `executeBundle`): each request needs its own permission, beside
`healthcare.fhirStores.executeBundle` of the call. Inferred (conformance: fhir-bundle-permissions):
a batch refuses the request alone, a transaction and a history the whole bundle.
"""

from emulator.services.healthcare.fhir.interactions.request import FhirRequest
from emulator.services.healthcare.fhir.outcome import error
from emulator.services.healthcare.fhir.refusals import OutcomeError

_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def check(request: FhirRequest, method: str) -> None:
    """Refuse a request of a bundle whose caller may not make it.

    Args:
        request: the call that carries the bundle
        method: of HTTP, of the request

    Raises:
        OutcomeError: 403
    """
    permission = f"healthcare.fhirResources.{_VERBS[method]}"
    if not request.permits(permission, request.store):
        text = (
            f"Permission '{permission}' denied on resource"
            f" '//healthcare.googleapis.com/{request.store}' (or it may not exist)."
        )
        raise OutcomeError(403, error("forbidden", "permission_denied", text))
