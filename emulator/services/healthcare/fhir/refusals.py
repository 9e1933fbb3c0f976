"""Refusals of FHIR calls: an OperationOutcome with its HTTP status.

The words `unparseable_resource`, `resource_mismatch`, `invalid_query`,
`invalid_references`, `bad_resource_type` and `conflict` are observed. Inferred (conformance:
fhir-missing, fhir-deleted, fhir-precondition, fhir-update-create, fhir-id-text): the other words,
the diagnostics and the codes of errors that no published answer shows.
"""

from typing import Any

from emulator.services.healthcare.fhir.outcome import Issue, error, operation_outcome


class OutcomeError(Exception):
    """A FHIR call that is refused.

    Attributes:
        status: the HTTP status
        issues: why
    """

    def __init__(self, status: int, *issues: Issue) -> None:
        super().__init__("; ".join(issue.diagnostics or issue.details for issue in issues))
        self.status = status
        self.issues = issues


def success(diagnostics: str) -> dict[str, Any]:
    """Return the resource of a call that has nothing else to report."""
    return operation_outcome([Issue("information", "informational", "success", diagnostics)])


def invalid(text: str, diagnostics: str, *expression: str, code: str = "value") -> OutcomeError:
    """Return a 400: the request is wrong."""
    return OutcomeError(400, error(code, text, diagnostics, *expression))


def unparseable(diagnostics: str, *expression: str) -> OutcomeError:
    """Return a 400: the body is not a resource."""
    return invalid("unparseable_resource", diagnostics, *expression, code="structure")


def invalid_query(diagnostics: str) -> OutcomeError:
    """Return a 400: a parameter of the query is wrong."""
    return invalid("invalid_query", diagnostics)


def mismatch(diagnostics: str) -> OutcomeError:
    """Return a 400: path and body name different resources."""
    return invalid("resource_mismatch", diagnostics, code="structure")


def bad_resource_type(type_: str) -> OutcomeError:
    """Return a 400: the specification has no such type."""
    return invalid("bad_resource_type", f"invalid resource type {type_!r}", code="not-supported")


def bad_id(id_: str) -> OutcomeError:
    """Return a 400: the id is not well formed."""
    return invalid("invalid_resource_id", f"invalid ID {id_!r}")


def unsupported(diagnostics: str, status: int = 400) -> OutcomeError:
    """Return an error of a call that the API does not have."""
    return OutcomeError(status, error("not-supported", "unsupported_operation", diagnostics))


def missing(name: str) -> OutcomeError:
    """Return a 404: the resource or version does not exist."""
    return OutcomeError(
        404, error("not-found", "resource_not_found", f"resource {name} was not found")
    )


def deleted(name: str) -> OutcomeError:
    """Return a 410: the resource was deleted."""
    return OutcomeError(410, error("deleted", "resource_deleted", f"resource {name} was deleted"))


def conflict(diagnostics: str) -> OutcomeError:
    """Return a 409: other resources are in the way of the change."""
    return OutcomeError(409, error("conflict", "conflict", diagnostics))


def precondition_failed(diagnostics: str) -> OutcomeError:
    """Return a 412: a condition of the request does not hold."""
    return OutcomeError(412, error("conflict", "precondition_failed", diagnostics))


def multiple_matches(diagnostics: str) -> OutcomeError:
    """Return a 412: a condition of the request matches several resources."""
    return OutcomeError(412, error("multiple-matches", "multiple_matches", diagnostics))


def too_costly(diagnostics: str) -> OutcomeError:
    """Return a 400: the request asks for more than the API returns."""
    return invalid("too_costly", diagnostics, code="too-costly")
