"""OperationOutcomes: how FHIR reports errors (http://hl7.org/fhir/R4/operationoutcome.html).

The members and their order are observed in answers that users of the API have published: each issue
has `code`, `details.text` with a short machine word, `diagnostics`, `expression` and `severity`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Issue:
    """One problem of a resource or a request.

    Attributes:
        severity: `error`, `warning` or `information`
        code: of the value set issue-type, such as `structure`
        details: a machine word of Google's, such as `unparseable_resource`
        diagnostics: what is wrong, in words; may quote the resource
        expression: paths of the elements at fault
    """

    severity: str
    code: str
    details: str
    diagnostics: str
    expression: Sequence[str] = ()


def error(code: str, details: str, diagnostics: str, *expression: str) -> Issue:
    """Return an issue of the severity `error`."""
    return Issue("error", code, details, diagnostics, expression)


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """Return issues as a resource of the type OperationOutcome."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(issue) for issue in issues]}


def _issue(issue: Issue) -> dict[str, Any]:
    members: dict[str, Any] = {"severity": issue.severity, "code": issue.code}
    if issue.details:
        members["details"] = {"text": issue.details}
    if issue.diagnostics:
        members["diagnostics"] = issue.diagnostics
    if issue.expression:
        members["expression"] = [*issue.expression]
    return members
