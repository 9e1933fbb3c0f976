"""Stored metadata of datasets and tables, and their representation."""

from collections.abc import Callable
from typing import Any

import pytest

from emulator.cloud import Cloud
from emulator.core.errors import ApiError
from emulator.core.resources.json_merge_patch import merge_patch
from emulator.services.bigquery import representation
from emulator.services.bigquery.errors import BigQueryError, no_dataset, of_reason
from emulator.services.bigquery.sql_types import sql_type

DATASET = "projects/local-project/datasets/lab"
TABLE = f"{DATASET}/tables/images"
AGENT = "service-123456789012@gcp-sa-healthcare.iam.gserviceaccount.com"
GRANT = {"access": [{"role": "WRITER", "userByEmail": AGENT}]}


def test_what_was_set_outlives_a_restart(open_cloud: Callable[..., Cloud]) -> None:
    open_cloud().bigquery.metadata.set(DATASET, "1", GRANT)

    assert open_cloud().bigquery.metadata.get(DATASET, "1") == GRANT


def test_another_resource_of_the_name_inherits_nothing(cloud: Cloud) -> None:
    cloud.bigquery.metadata.set(DATASET, "1", GRANT)

    assert cloud.bigquery.metadata.get(DATASET, "2") is None


def test_a_dataset_goes_with_its_tables_alone(cloud: Cloud) -> None:
    kept = cloud.bigquery.metadata
    for name in (DATASET, TABLE, f"{DATASET}_2"):
        kept.set(name, "1", {"description": name})
    assert kept.below(DATASET) == {(TABLE, "1"): {"description": TABLE}}

    kept.delete_prefix(DATASET)

    assert kept.get(DATASET, "1") is None
    assert kept.below(DATASET) == {}
    assert kept.get(f"{DATASET}_2", "1") is not None


def test_the_service_agent_by_dataset_and_by_project(cloud: Cloud) -> None:
    cloud.service_usage.services.enable("local-project", ["healthcare.googleapis.com"])
    cloud.service_usage.services.make_identity("local-project", "healthcare.googleapis.com")

    def allowed(dataset_project: str, dataset: str) -> bool:
        return cloud.healthcare.context.agent.has_on_dataset(
            "local-project", "bigquery.tables.create", dataset_project, dataset
        )

    assert not allowed("local-project", "lab")
    cloud.bigquery.metadata.set(DATASET, "1", GRANT)
    assert allowed("local-project", "lab")
    assert not allowed("local-project", "lab_2")
    binding = {"role": "roles/bigquery.dataEditor", "members": [f"serviceAccount:{AGENT}"]}
    cloud.iam.policies.set("projects/other-project", {"bindings": [binding]})
    assert allowed("other-project", "any")
    assert not allowed("local-project", "lab_2")
    cloud.bigquery.metadata.delete_prefix(DATASET)
    assert not allowed("local-project", "lab")


def test_a_reset_forgets(cloud: Cloud) -> None:
    cloud.bigquery.metadata.set(DATASET, "1", GRANT)

    cloud.reset()

    assert cloud.bigquery.metadata.get(DATASET, "1") is None


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"description": None}, {"labels": {"a": "1", "b": "2"}}),
        ({"labels": {"a": None}}, {"description": "x", "labels": {"b": "2"}}),
        ({"labels": {"a": "3"}}, {"description": "x", "labels": {"a": "3", "b": "2"}}),
        ({"labels": None}, {"description": "x"}),
        (
            {"view": {"query": "q", "useLegacySql": None}},
            {"description": "x", "labels": {"a": "1", "b": "2"}, "view": {"query": "q"}},
        ),
    ],
)
def test_a_patch(change: dict[str, Any], left: dict[str, Any]) -> None:
    assert merge_patch({"description": "x", "labels": {"a": "1", "b": "2"}}, change) == left


def test_settings_are_what_a_client_can_set() -> None:
    body = {
        "kind": "bigquery#table",
        "etag": "x",
        "numRows": "7",
        "tableReference": {"projectId": "p", "datasetId": "d", "tableId": "t"},
        "expirationTime": 4_000_000_000_000,
        "labels": {"a": None},
        "timePartitioning": {"type": "DAY", "expirationMs": 5},
        "requirePartitionFilter": True,
    }

    assert representation.settings("Table", body) == {
        "expirationTime": "4000000000000",
        "labels": {"a": None},
        "timePartitioning": {"type": "DAY", "expirationMs": "5"},
        "requirePartitionFilter": True,
    }


@pytest.mark.parametrize("body", [{"lable": {}}, {"labels": {"a": 1}}, {"access": {}}])
def test_bodies_that_are_no_dataset(body: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as refused:
        representation.settings("Dataset", body)

    assert refused.value.code == 400


def test_an_answer_is_of_two_halves(cloud: Cloud) -> None:
    backend_resource = {"creationTime": "1", "etag": '"b"', "description": "stale", "numRows": "3",
            "schema": {"fields": []}}  # fmt: skip

    alone = representation.to_rest(cloud.bigquery, "Table", TABLE, backend_resource, None)
    both = representation.to_rest(
        cloud.bigquery, "Table", TABLE, backend_resource, {"labels": {"a": "b"}}
    )

    assert (alone["description"], alone["numRows"]) == ("stale", "3")
    assert "description" not in both
    assert (both["labels"], both["numRows"], both["schema"]) == ({"a": "b"}, "3", {"fields": []})
    assert both["selfLink"] == f"http://127.0.0.1:1/bigquery/v2/{TABLE}"
    assert both["etag"] != alone["etag"]


@pytest.mark.parametrize("etag", ["", "*", "x", '"x"'])
def test_etags_that_hold(etag: str) -> None:
    representation.check_etag({"etag": "x"}, etag)


def test_an_etag_that_does_not_hold() -> None:
    with pytest.raises(BigQueryError) as refused:
        representation.check_etag({"etag": "x"}, "y")

    assert (refused.value.code, refused.value.reason) == (412, "conditionNotMet")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"datasetReference": "lab"},
        {"datasetReference": {"datasetId": "a-b"}},
        {"datasetReference": {"datasetId": "a`; DROP"}},
        {"datasetReference": {"datasetId": 7}},
        {"datasetReference": {"datasetId": "x" * 1025}},
    ],
)
def test_ids_that_are_none(body: dict[str, Any]) -> None:
    with pytest.raises(BigQueryError) as refused:
        representation.new_id("dataset", body, r"\w{1,1024}")

    assert refused.value.code == 400


def test_errors_report_their_reason() -> None:
    error = no_dataset("p", "d").body()["error"]

    assert (error["code"], error["status"]) == (404, "NOT_FOUND")
    assert error["errors"] == [
        {"domain": "global", "reason": "notFound", "message": "Not found: Dataset p:d"}
    ]
    assert of_reason("notFound", "x").code == 404
    assert of_reason("invalidQuery", "x").code == 400


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ({"name": "a", "type": "INTEGER"}, "INT64"),
        ({"name": "a", "type": "boolean"}, "BOOL"),
        ({"name": "a", "type": "STRING", "mode": "REPEATED"}, "ARRAY<STRING>"),
        (
            {"name": "a", "type": "RECORD", "mode": "REPEATED", "fields": [
                {"name": "x", "type": "FLOAT"}, {"name": "y", "type": "DATE", "mode": "REPEATED"},
            ]},
            "ARRAY<STRUCT<`x` FLOAT64, `y` ARRAY<DATE>>>",
        ),
    ],
)  # fmt: skip
def test_columns_in_sql(field: dict[str, Any], text: str) -> None:
    assert sql_type(field) == text
