"""IAM conditions: expressions of the Common Expression Language (CEL) about a request.

Documented: https://cloud.google.com/iam/docs/conditions-attribute-reference. Google's own runtime
of CEL checks and evaluates them. Known are `request.time`, `resource.name`, `resource.service`,
`resource.type` and `extract`; an expression with other attributes, such as tags, is refused.

Inferred (conformance: iam-condition-text, iam-condition-type-text): the reason within the text of a
refusal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from emulator.core.errors import invalid_argument

_REFUSAL = (
    "LintValidationUnits/ConditionCompileCheck Error: Expression compilation failed. Reason: {}"
)
"""Observed in public reports of refused policies."""


@dataclass(frozen=True)
class Target:
    """The resource that a request is about, as conditions see it.

    Attributes:
        name: such as `projects/_/buckets/b`
        service: such as `storage.googleapis.com`
        type: such as `storage.googleapis.com/Bucket`
    """

    name: str
    service: str
    type: str


def project(name: str) -> Target:
    """Return a project, by its full name."""
    service = "cloudresourcemanager.googleapis.com"
    return Target(name, service, f"{service}/Project")


def check(expression: str) -> None:
    """Refuse an expression that does not compile, or is not a boolean.

    Raises:
        ApiError: 400, with the reason
    """
    try:
        type_ = _compiled(expression).return_type().name()
    except (RuntimeError, ValueError) as error:
        raise invalid_argument(_REFUSAL.format(str(error).partition("\n")[0])) from None
    if type_ not in ("BOOL", "DYN"):
        raise invalid_argument(_REFUSAL.format(f"the expression is {type_}, not BOOL"))


def holds(expression: str, target: Target) -> bool:
    """Whether a condition is true now; one that can't be evaluated is not."""
    attributes = {
        "request.time": datetime.now(UTC),
        "resource.name": target.name,
        "resource.service": target.service,
        "resource.type": target.type,
    }
    try:
        return _compiled(expression).eval(data=attributes).value() is True
    except (RuntimeError, ValueError):
        return False  # kept by an earlier version, which did not check expressions


def applies(grant: Mapping[str, Any], target: Target) -> bool:
    """Whether a binding or an access entry counts: it has no condition, or its condition holds."""
    condition = grant.get("condition")
    return not condition or holds(condition["expression"], target)


@cache
def _environment() -> Any:
    # Many megabytes, which a state without conditions does not need.
    from cel_expr_python import cel

    text = cel.Type.STRING
    extract_ = cel.Overload(
        id="string_extract", return_type=text, parameters=[text, text], is_member=True, impl=extract
    )
    return cel.NewEnv(
        variables={
            "request.time": cel.Type.TIMESTAMP,
            **dict.fromkeys(("resource.name", "resource.service", "resource.type"), text),
        },
        functions=[cel.FunctionDecl("extract", [extract_])],
    )


@cache
def _compiled(expression: str) -> Any:
    return _environment().compile(expression)


def extract(text: str, template: str) -> str:
    """Return what stands for the braces of a template such as `/buckets/{name}/`.

    Empty if the template's text before or after the braces is not found.
    """
    before, _, rest = template.partition("{")
    after = rest.partition("}")[2]
    start = text.find(before)
    if start < 0:
        return ""
    start += len(before)
    end = text.find(after, start) if after else len(text)
    return text[start:end] if end >= 0 else ""
