"""BigQuery's tables and views, and the function that lists them."""

import json
from typing import Any

import pytest

from engine.pulumi_proto import provider_pb2
from engine.standin.values import Values, from_struct, to_struct
from tests.support.fake_google import FakeGoogle
from tests.support.plugin import Engine, RefusedError

TABLE = "gcp:bigquery/table:Table"
DATASET_PATH = "projects/local-project/datasets/dataset1"
PATH = f"{DATASET_PATH}/tables/studies"
VIEW: Values = {
    "datasetId": "dataset1",
    "tableId": "studies",
    "deletionProtection": False,
    "view": {"query": "SELECT 1 AS one", "useLegacySql": False},
}
SCHEMA = [{"name": "PatientID", "type": "STRING"}, {"name": "Images", "type": "INT64"}]
DiffKind = provider_pb2.PropertyDiff


def _changes(response: Any) -> dict[str, int]:
    return {path: diff.kind for path, diff in response.detailedDiff.items()}


def test_creates_a_view(engine: Engine, google: FakeGoogle) -> None:
    id_, outputs = engine.create(TABLE, {**VIEW, "labels": {"env": "lab"}})

    post = google.requests[0]
    assert id_ == PATH
    assert (post.method, post.path) == ("POST", f"/bigquery/v2/{DATASET_PATH}/tables")
    assert post.body == {
        "tableReference": {
            "projectId": "local-project", "datasetId": "dataset1", "tableId": "studies",
        },
        "view": {"query": "SELECT 1 AS one", "useLegacySql": False},
        "labels": {"env": "lab", "goog-pulumi-provisioned": "true"},
    }  # fmt: skip
    assert outputs["deletionProtection"] is False
    assert not _changes(engine.diff(TABLE, id_, outputs, {**VIEW, "labels": {"env": "lab"}}))


def test_a_view_is_put_as_a_whole(engine: Engine, google: FakeGoogle) -> None:
    id_, state = engine.create(TABLE, {**VIEW, "description": "studies"})
    news = {**VIEW, "view": {"query": "SELECT 2 AS two", "useLegacySql": False}}

    assert _changes(engine.diff(TABLE, id_, state, news)) == {
        "description": DiffKind.DELETE,
        "view.query": DiffKind.UPDATE,
    }
    outputs = engine.update(TABLE, id_, state, news)

    (put,) = google.calls("PUT")
    assert put.path == f"/bigquery/v2/{PATH}"
    assert put.body is not None
    assert put.body["view"]["query"] == "SELECT 2 AS two"
    assert "description" not in put.body
    assert outputs["view"]["query"] == "SELECT 2 AS two"


def test_a_protected_table_stays(engine: Engine, google: FakeGoogle) -> None:
    protected = {key: value for key, value in VIEW.items() if key != "deletionProtection"}
    id_, state = engine.create(TABLE, protected)

    with pytest.raises(RefusedError) as refused:
        engine.delete(TABLE, id_, state)

    assert refused.value.text == (
        f"cannot destroy table {id_} without setting deletion_protection=false and running "
        "`terraform apply`"
    )
    assert PATH in google.resources
    assert _changes(engine.diff(TABLE, id_, state, VIEW)) == {"deletionProtection": DiffKind.UPDATE}
    requests = len(google.requests)
    state = engine.update(TABLE, id_, state, VIEW)
    assert [request.method for request in google.requests[requests:]] == ["GET"]
    engine.delete(TABLE, id_, state)
    assert PATH not in google.resources


def test_a_schema_by_other_names_is_the_same(engine: Engine, google: FakeGoogle) -> None:
    news = {"datasetId": "dataset1", "tableId": "studies", "schema": json.dumps(SCHEMA)}
    id_, _ = engine.create(TABLE, news)
    assert google.resources[PATH]["schema"] == {"fields": SCHEMA}
    google.resources[PATH]["schema"]["fields"] = [
        {"name": "PatientID", "type": "STRING", "mode": "NULLABLE"},
        {"name": "Images", "type": "INTEGER", "mode": "NULLABLE"},
    ]

    _, state, _ = engine.read(TABLE, id_)

    assert not _changes(engine.diff(TABLE, id_, state, news))
    more = json.dumps([*SCHEMA, {"name": "Modality", "type": "STRING"}])
    assert _changes(engine.diff(TABLE, id_, state, {**news, "schema": more})) == {
        "schema": DiffKind.UPDATE
    }


def test_a_schema_that_is_no_json_is_named(engine: Engine) -> None:
    [failure] = engine.check(TABLE, {"datasetId": "d", "tableId": "t", "schema": "[{"}).failures

    assert failure.reason.startswith('"schema" contains an invalid JSON: ')


def test_clusterings_and_partitions(engine: Engine, google: FakeGoogle) -> None:
    news = {
        "datasetId": "dataset1",
        "tableId": "studies",
        "clusterings": ["PatientID"],
        "timePartitioning": {"type": "DAY", "field": "At", "expirationMs": 86_400_000},
    }

    id_, state = engine.create(TABLE, news)

    body = google.resources[PATH]
    assert body["clustering"] == {"fields": ["PatientID"]}
    assert body["timePartitioning"] == {"type": "DAY", "field": "At", "expirationMs": 86_400_000}
    assert not _changes(engine.diff(TABLE, id_, state, news))
    news["timePartitioning"] = {"type": "DAY", "field": "Other"}
    assert list(engine.diff(TABLE, id_, state, news).replaces) == ["timePartitioning"]


def test_a_new_name_makes_the_new_one_first(engine: Engine) -> None:
    id_, state = engine.create(TABLE, VIEW)

    renamed = engine.diff(TABLE, id_, state, {**VIEW, "tableId": "other"})
    moved = engine.diff(TABLE, id_, state, {**VIEW, "datasetId": "other"})

    assert (list(renamed.replaces), renamed.deleteBeforeReplace) == (["tableId"], False)
    assert list(moved.replaces) == ["datasetId"]


@pytest.mark.parametrize("given", [PATH, "local-project/dataset1/studies", "dataset1/studies"])
def test_imports_a_view(engine: Engine, given: str) -> None:
    id_, _ = engine.create(TABLE, VIEW)

    found, state, inputs = engine.read(TABLE, given)

    assert found == id_
    assert inputs["view"]["query"] == "SELECT 1 AS one"
    assert state["deletionProtection"] is True


def test_reads_the_account_that_encrypts(engine: Engine, google: FakeGoogle) -> None:
    google.resources["projects/other-project/serviceAccount"] = {"email": "bq-7@example.com"}
    request = provider_pb2.InvokeRequest(
        tok="gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount",
        args=to_struct({"project": "other-project"}),
    )
    assert from_struct(getattr(engine.stub.Invoke(request), "return")) == {
        "id": "bq-7@example.com",
        "email": "bq-7@example.com",
        "member": "serviceAccount:bq-7@example.com",
        "project": "other-project",
    }


def _get_tables(engine: Engine, args: Values) -> Values:
    request = provider_pb2.InvokeRequest(
        tok="gcp:bigquery/getTables:getTables", args=to_struct(args)
    )
    return from_struct(getattr(engine.stub.Invoke(request), "return"))


def test_lists_tables_page_by_page(engine: Engine, google: FakeGoogle) -> None:
    google.resources[DATASET_PATH] = {}
    engine.create(TABLE, {**VIEW, "labels": {"env": "lab"}})
    engine.create(TABLE, {**VIEW, "tableId": "series"})

    found = _get_tables(engine, {"datasetId": "dataset1"})

    attribution = {"goog-pulumi-provisioned": "true"}
    assert found == {
        "id": f"{DATASET_PATH}/tables",
        "project": "local-project",
        "datasetId": "dataset1",
        "tables": [
            {"tableId": "series", "labels": attribution},
            {"tableId": "studies", "labels": {"env": "lab", **attribution}},
        ],
    }


def test_tables_of_no_dataset_are_an_error(engine: Engine) -> None:
    with pytest.raises(RefusedError) as refused:
        _get_tables(engine, {"datasetId": "missing", "project": "other-project"})

    assert refused.value.text.startswith("Error retrieving tables: googleapi: Error 404: ")


def test_tables_of_no_project_are_an_error(engine: Engine) -> None:
    engine.configure(project=None)

    with pytest.raises(RefusedError, match="getTables: no project"):
        _get_tables(engine, {"datasetId": "dataset1"})
