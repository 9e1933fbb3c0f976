"""A dataset's access entries: their form, and what they allow."""

from typing import Any

import pytest

from emulator.core.errors import ApiError
from emulator.services.bigquery import access
from emulator.services.iam.conditions import Target

AGENT = "service-1@gcp-sa-healthcare.iam.gserviceaccount.com"
MEMBER = f"serviceAccount:{AGENT}"
DATASET = Target(
    "projects/p/datasets/d", "bigquery.googleapis.com", "bigquery.googleapis.com/Dataset"
)
FALSE, TRUE = ({"title": "t", "expression": text} for text in ("false", "true"))


@pytest.mark.parametrize(
    ("entry", "permission", "allowed"),
    [
        ({"role": "WRITER", "userByEmail": AGENT}, "bigquery.tables.create", True),
        ({"role": "WRITER", "userByEmail": AGENT}, "bigquery.tables.updateData", True),
        ({"role": "roles/bigquery.dataEditor", "userByEmail": AGENT.upper()},
         "bigquery.tables.updateData", True),
        ({"role": "OWNER", "iamMember": MEMBER}, "bigquery.tables.create", True),
        ({"role": "OWNER", "iamMember": MEMBER, "condition": TRUE}, "bigquery.tables.create", True),
        ({"role": "OWNER", "iamMember": MEMBER, "condition": FALSE},
         "bigquery.tables.create", False),
        ({"role": "READER", "userByEmail": AGENT}, "bigquery.tables.getData", True),
        ({"role": "READER", "userByEmail": AGENT}, "bigquery.tables.create", False),
        ({"role": "WRITER", "userByEmail": AGENT}, "bigquery.jobs.create", False),
        ({"role": "WRITER", "userByEmail": "other@example.com"}, "bigquery.tables.create", False),
        ({"role": "WRITER", "groupByEmail": AGENT}, "bigquery.tables.create", False),
        ({"role": "WRITER", "specialGroup": "projectWriters"}, "bigquery.tables.create", False),
        ({"role": "WRITER", "specialGroup": "allAuthenticatedUsers"},
         "bigquery.tables.create", True),
        ({"role": "WRITER", "iamMember": "allUsers"}, "bigquery.tables.create", True),
        ({"role": "roles/none.such", "userByEmail": AGENT}, "bigquery.tables.create", False),
        ({"view": {"projectId": "p", "datasetId": "d", "tableId": "t"}},
         "bigquery.tables.getData", False),
    ],
)  # fmt: skip
def test_what_an_entry_allows(entry: dict[str, Any], permission: str, allowed: bool) -> None:
    assert access.allows([entry], MEMBER, permission, DATASET) is allowed


def test_entries_in_their_normal_form() -> None:
    given: list[dict[str, Any]] = [
        {"role": "roles/bigquery.dataEditor", "userByEmail": AGENT, "domain": None},
        {"role": "WRITER", "userByEmail": AGENT},
        {"role": "roles/bigquery.metadataViewer", "domain": "example.com"},
        {"view": {"projectId": "p", "datasetId": "d", "tableId": "t"}},
    ]

    assert access.normal(given) == [given[1], *given[2:]]
    assert access.normal(access.DEFAULT) == access.DEFAULT


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({}, "exactly one of"),
        ({"role": "READER"}, "exactly one of"),
        ({"role": "READER", "domain": "a.b", "userByEmail": "c@a.b"}, "exactly one of"),
        ({"userByEmail": "a@example.com"}, "must have a role"),
        (None, "exactly one of"),
    ],
)
def test_entries_that_are_none(entry: Any, text: str) -> None:
    with pytest.raises(ApiError, match=text) as refused:
        access.normal([entry])

    assert refused.value.code == 400


def test_service_accounts_by_either_way_to_name_them() -> None:
    entries = [
        {"role": "READER", "userByEmail": AGENT},
        {"role": "READER", "iamMember": "serviceAccount:a@p.iam.gserviceaccount.com"},
        {"role": "READER", "userByEmail": "you@example.com"},
        {"role": "READER", "specialGroup": "projectReaders"},
    ]

    assert access.service_accounts(entries) == {AGENT, "a@p.iam.gserviceaccount.com"}
