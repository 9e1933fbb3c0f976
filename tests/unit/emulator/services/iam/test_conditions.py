"""IAM conditions: what compiles, and what holds."""

import pytest

from emulator.core.errors import ApiError
from emulator.services.iam import conditions
from emulator.services.iam.conditions import Target
from emulator.services.iam.models import grants

BUCKET = Target(
    "projects/_/buckets/scans", "storage.googleapis.com", "storage.googleapis.com/Bucket"
)
MEMBER, ROLE = "user:anna@example.com", "roles/storage.objectViewer"


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("true", True),
        ("false", False),
        ('request.time < timestamp("2020-01-01T00:00:00Z")', False),
        ('request.time < timestamp("2999-01-01T00:00:00Z")', True),
        ('request.time.getFullYear("Europe/Berlin") >= 2026', True),
        ('resource.name.startsWith("projects/_/buckets/scans")', True),
        ('resource.type == "storage.googleapis.com/Object"', False),
        (
            'resource.service != "storage.googleapis.com" || resource.name.endsWith("/scans")',
            True,
        ),
        ('resource.name.extract("/buckets/{bucket}") == "scans"', True),
        ('request.time > timestamp("tomorrow")', False),  # an error when it is evaluated
    ],
)
def test_a_condition_holds(expression: str, wanted: bool) -> None:
    conditions.check(expression)
    assert conditions.holds(expression, BUCKET) is wanted
    condition = {"title": "t", "expression": expression}
    policy = {"bindings": [{"role": ROLE, "members": [MEMBER], "condition": condition}]}
    assert grants(policy, MEMBER, "storage.objects.get", BUCKET) is wanted


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("request.time <", "Syntax error"),
        ("request.place == 'here'", "undeclared reference to 'request.place'"),
        ("resource.name == 1", "no matching overload"),
        ("1 + 2", "INT, not BOOL"),
    ],
)
def test_what_does_not_compile_is_refused(expression: str, reason: str) -> None:
    with pytest.raises(ApiError, match="Expression compilation failed") as caught:
        conditions.check(expression)
    assert caught.value.code == 400
    assert reason in caught.value.message
    assert not conditions.holds(expression, BUCKET)


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("/orders/{date}/", "2024-01-01"),
        ("/orders/{rest}", "2024-01-01/a/b"),
        ("{first}/orders", "x"),
        ("/none/{date}/", ""),
        ("/orders/{date}/none", ""),
    ],
)
def test_extract(template: str, wanted: str) -> None:
    assert conditions.extract("x/orders/2024-01-01/a/b", template) == wanted
