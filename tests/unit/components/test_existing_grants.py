"""When a policy has the grant of a resource already; the engine's part is in tests/e2e."""

from typing import Any

import pulumi
import pytest

from components import existing_grants
from components.existing_grants import holds

MEMBER = "gcp:projects/iAMMember:IAMMember"
AUDIT = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
ROLE = "roles/viewer"
ANNA = "user:anna@example.org"
UNTIL = {"title": "trial", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"}


def policy(member: str = ANNA, **binding: Any) -> dict[str, Any]:
    return {"bindings": [{"role": ROLE, "members": [member], **binding}]}


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        (policy(), {}, True),
        (policy("user:Anna@Example.org"), {}, True),
        (policy("user:ben@example.org"), {}, False),
        (policy(role="roles/editor"), {}, False),
        (policy(), {"condition": UNTIL}, False),
        (policy(condition=UNTIL), {}, False),
        (policy(condition=UNTIL), {"condition": {**UNTIL, "description": ""}}, True),
        (policy(condition=UNTIL), {"condition": {**UNTIL, "title": "other"}}, False),
        ({"bindings": None}, {}, False),
        ({}, {}, False),
    ],
)
def test_a_grant_exists_with_its_role_member_and_condition(
    found: dict[str, Any], wanted: dict[str, Any], *, expected: bool
) -> None:
    assert holds(found, MEMBER, {"role": ROLE, "member": ANNA, **wanted}) is expected


def test_the_ids_of_principals_are_case_sensitive() -> None:
    principal = "principal://iam.googleapis.com/locations/global/x/subject/A"
    wanted = {"role": ROLE, "member": principal}
    assert holds(policy(principal), MEMBER, wanted)
    assert not holds(policy(principal.lower()), MEMBER, wanted)


def test_an_audit_configuration_exists_with_its_service() -> None:
    found = {"auditConfigs": [{"service": "healthcare.googleapis.com"}]}
    assert holds(found, AUDIT, {"service": "healthcare.googleapis.com"})
    assert not holds(found, AUDIT, {"service": "bigquery.googleapis.com"})
    assert not holds({}, AUDIT, {"service": "bigquery.googleapis.com"})


def test_without_an_engine_the_stack_owns_every_grant() -> None:
    options = existing_grants.options(protect=True)
    assert isinstance(options, pulumi.ResourceOptions)
    assert (options.protect, options.transforms) == (True, None)
