"""Refusals of consent enforcement.

Documented (the examples of the guide): code, word and text of a denial; it does not say whether the
resource exists. Inferred (conformance: fhir-consent-denied): its status, 403.
"""

from emulator.services.healthcare.fhir.outcome import error
from emulator.services.healthcare.fhir.refusals import OutcomeError

DENIED = "Consent access denied or the resource being accessed does not exist"


def denied(text: str = DENIED) -> OutcomeError:
    """Return a 403: the consents do not permit the access, or the scope is not valid."""
    return OutcomeError(403, error("security", "permission_denied", text))
