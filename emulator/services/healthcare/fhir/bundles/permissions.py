"""Permissions of the requests in a bundle.

Documented (the reference of `executeBundle`): each request needs its own permission, beside
`healthcare.fhirStores.executeBundle` of the call. The answer of a batch has an entry with the
outcome of each request; a transaction or history with an error answers with an OperationOutcome.
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
