"""Every row of the table: there, gone, and what can't be told."""

import pytest

from scripts.destroy import remaining
from scripts.destroy.remaining import ManagedResource, Status
from scripts.lib.errors import ScriptError
from scripts.resources.resource_types import RESOURCE_TYPES
from tests.unit.scripts.destroy.cloud import GET, Cloud, forbidden
from tests.unit.scripts.destroy.rows import ANNA, BIGQUERY, GRANT, KEY, POLICY, ROLE, ROWS, Row, at
from tests.unit.scripts.services import DATASET, PROJECT


def _resource(token: str, row: Row) -> ManagedResource:
    properties = {"name": row.id, "project": PROJECT, **row.properties}
    return ManagedResource.of(token, row.id, f"urn::{token}", properties, PROJECT)


def _fill(cloud: Cloud, row: Row) -> None:
    cloud.found = dict(row.found)
    if "bigquery" in row.found:
        cloud.tables[f"{PROJECT}.b"] = row.found["bigquery"]
        cloud.access[f"{PROJECT}.b"] = [{"role": ROLE, "userByEmail": "anna@example.org"}]
    if "object" in row.found:
        cloud.objects["bucket"] = [row.found["object"]]
    if "bucket" in row.found:
        cloud.buckets["bucket"] = POLICY["bindings"]


def test_every_type_has_a_case() -> None:
    assert set(RESOURCE_TYPES) <= set(ROWS)


@pytest.mark.parametrize("token", ROWS)
def test_what_the_cloud_has_is_still_there(token: str, cloud: Cloud) -> None:
    managed = _resource(token, ROWS[token])
    _fill(cloud, ROWS[token])
    assert remaining.check_exists([managed]) == [(managed, Status.THERE)]


@pytest.mark.parametrize("token", ROWS)
def test_what_the_cloud_has_not_is_gone(token: str, cloud: Cloud) -> None:
    managed = _resource(token, ROWS[token])
    assert remaining.check_exists([managed]) == [(managed, Status.GONE)]


@pytest.mark.parametrize(
    "token", [token for token, row in ROWS.items() if "role" in row.properties]
)
def test_a_grant_is_gone_though_others_have_the_role(token: str, cloud: Cloud) -> None:
    row = ROWS[token]
    managed = _resource(
        token, Row(row.id, {**row.properties, "member": "user:bert@example.org"}, {})
    )
    _fill(cloud, row)
    assert remaining.check_exists([managed]) == [(managed, Status.GONE)]


def test_a_type_without_a_row_is_not_checked(cloud: Cloud) -> None:
    managed = ManagedResource.of(
        "random:index/randomId:RandomId", "x", "urn", {"hex": "secret"}, ""
    )
    assert remaining.check_exists([managed]) == [(managed, Status.UNKNOWN)]
    assert managed.values == {}
    assert managed.type_name == "RandomId"


def test_a_service_that_is_not_served_is_not_checked(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT", "http://127.0.0.1:1/v1beta1/")
    ring = _resource("gcp:kms/keyRing:KeyRing", ROWS["gcp:kms/keyRing:KeyRing"])
    assert remaining.check_exists([ring]) == [(ring, Status.UNKNOWN)]


def test_a_key_is_gone_with_its_last_version(cloud: Cloud) -> None:
    token = "gcp:kms/cryptoKey:CryptoKey"
    managed = _resource(token, ROWS[token])
    states = [{"state": "DESTROYED"}, {"state": "DESTROY_SCHEDULED"}]
    cloud.found = {KEY: {}, f"{KEY}/cryptoKeyVersions": {"cryptoKeyVersions": states}}
    assert remaining.check_exists([managed]) == [(managed, Status.GONE)]


def test_what_lay_in_what_is_gone_is_not_asked_for(cloud: Cloud) -> None:
    tokens = [token for token in ROWS if token.startswith("gcp:healthcare/")]
    managed = [_resource(token, ROWS[token]) for token in reversed(tokens)]
    assert remaining.check_exists(managed) == [(resource, Status.GONE) for resource in managed]
    assert [uri.partition("?")[0].rpartition("/v1/")[2] for _, uri, _ in cloud.asked] == [DATASET]


def test_a_bucket_of_the_name_of_the_project_takes_no_grant_along(cloud: Cloud) -> None:
    bucket = ManagedResource.of(
        "gcp:storage/bucket:Bucket", PROJECT, "urn", {"name": PROJECT}, PROJECT
    )
    grant = _resource("gcp:projects/iAMMember:IAMMember", ROWS["gcp:projects/iAMMember:IAMMember"])
    cloud.found = {f"{PROJECT}{GET}": POLICY}
    assert remaining.check_exists([bucket, grant]) == [(bucket, Status.GONE), (grant, Status.THERE)]


def test_a_service_that_can_not_report_is_an_error(cloud: Cloud) -> None:
    cloud.refused[DATASET] = forbidden("may not: datasets.get")
    with pytest.raises(ScriptError, match="may not"):
        remaining.check_exists([_resource("gcp:healthcare/dataset:Dataset", at(DATASET))])


def test_what_is_remembered_is_what_was_made() -> None:
    condition = {"title": "by day", "expression": "true"}
    token = "gcp:projects/iAMMember:IAMMember"
    properties = {**GRANT, "project": PROJECT, "condition": condition, "etag": "x"}
    managed = ManagedResource.of(token, f"{PROJECT} {ROLE} {ANNA}", "urn", properties, PROJECT)
    assert ManagedResource(**managed.to_json()) == managed
    assert "etag" not in managed.values
    assert managed.type_name == "grant"
    assert managed.name == f"{ROLE} for {ANNA} on {PROJECT}"
    assert managed.to_report() == {"kind": "grant", "name": managed.name, "type": token}


def test_a_view_is_called_one() -> None:
    properties = {"datasetId": "b", "tableId": "v", "view": {"query": "SELECT 1"}}
    managed = ManagedResource.of(
        "gcp:bigquery/table:Table", f"{BIGQUERY}/tables/v", "urn", properties, PROJECT
    )
    assert managed.type_name == "BigQuery view"
    assert ManagedResource(**managed.to_json()).type_name == "BigQuery view"
