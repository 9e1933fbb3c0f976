"""BigQuery's datasets, access, tables and views through the real engine."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from tests.support import http
from tests.support.labs import Lab, Stack
from tests.support.programs import Program

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]
_NUMBERS = count(1)
_DATASET = """
import json

import pulumi
from pulumi_gcp import bigquery

config = pulumi.Config()
dataset = bigquery.Dataset(
    "dataset",
    dataset_id="lab",
    location="us-central1",
    friendly_name="The lab",
    description=config.get("description") or "DICOM",
    labels={"env": "lab"},
    default_table_expiration_ms=30 * 86_400_000,
    default_partition_expiration_ms=7 * 86_400_000,
    max_time_travel_hours="96",
    default_encryption_configuration={"kms_key_name": config.get("key") or "KEY"},
    delete_contents_on_destroy=True,
    accesses=ACCESSES,
)
""".replace("KEY", "projects/p-1/locations/us-central1/keyRings/ring/cryptoKeys/key")
_OWN_ACCESSES = """[
    {"role": "OWNER", "special_group": "projectOwners"},
    {"role": "roles/bigquery.dataEditor", "user_by_email": "editor@example.com"},
    {"role": "READER", "group_by_email": "readers@example.com"},
]"""
_MEMBERS = """
for role in ("roles/bigquery.dataEditor", "roles/bigquery.dataViewer"):
    bigquery.DatasetIamMember(
        role.rpartition(".")[2],
        dataset_id=dataset.dataset_id,
        role=role,
        member="user:viewer@example.com",
    )
"""
_TABLES = """
images = bigquery.Table(
    "images",
    dataset_id=dataset.dataset_id,
    table_id="images",
    description="one row an image",
    schema=json.dumps(
        [
            {"name": "PatientID", "type": "STRING", "description": "who"},
            {"name": "At", "type": "TIMESTAMP"},
            {"name": "Images", "type": "INT64", "mode": "REQUIRED"},
        ]
    ),
    time_partitioning={"type": "DAY", "field": "At"},
    clusterings=["PatientID"],
    encryption_configuration={"kms_key_name": "projects/p-1/locations/l/keyRings/r/cryptoKeys/k"},
    deletion_protection=config.get_bool("protected") or False,
)
bigquery.Table(
    "totals",
    dataset_id=dataset.dataset_id,
    table_id="totals",
    description="all of them",
    friendly_name="Totals",
    labels={"env": "lab"},
    expiration_time=4_000_000_000_000,
    deletion_protection=False,
    view={
        "query": f"SELECT {config.get('columns') or 'SUM(Images) AS Total'} FROM lab.images",
        "use_legacy_sql": False,
    },
    opts=pulumi.ResourceOptions(depends_on=[images]),
)
"""
_FOUND = """
import pulumi
from pulumi_gcp import bigquery

found = bigquery.get_tables(dataset_id="found", project=pulumi.Config("gcp").require("project"))
pulumi.export("tables", [[table.table_id, table.labels] for table in found.tables])
"""


@pytest.fixture
def program(lab: Lab, tmp_path: Path) -> Callable[[str], Program]:
    """Makes stacks of programs written on the spot, in a project of their own."""

    def make(text: str) -> Program:
        stack = f"local-warehouse{next(_NUMBERS)}"
        return Program.create(lab, tmp_path / stack, "warehouse", text, stack)

    return make


def _client(program: Program) -> bigquery.Client:
    return bigquery.Client(
        project=program.project,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": program.lab.environment["BIGQUERY_EMULATOR_HOST"]},
    )


def _rows(program: Program, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in _client(program).query(sql).result()]


@pytest.mark.parametrize("accesses", ["None", _OWN_ACCESSES], ids=["default", "own"])
def test_a_dataset_with_everything(program: Callable[[str], Program], accesses: str) -> None:
    stack = program(_DATASET.replace("ACCESSES", accesses))
    stack.change("up")

    assert stack.plan() == {}
    stack.change("refresh", "--expect-no-changes")
    dataset = _client(stack).get_dataset("lab")
    assert dataset.default_table_expiration_ms == 30 * 86_400_000
    assert dataset.default_partition_expiration_ms == 7 * 86_400_000
    assert dataset.labels["env"] == "lab"
    assert dataset.default_encryption_configuration.kms_key_name.endswith("/cryptoKeys/key")
    key = "projects/p-1/locations/l/keyRings/r/cryptoKeys/other"
    stack.configure({"warehouse:description": "X-rays", "warehouse:key": key})
    assert stack.plan() == {"dataset": "update"}
    stack.change("up")
    changed = _client(stack).get_dataset("lab")
    assert changed.description == "X-rays"
    assert changed.default_encryption_configuration.kms_key_name.endswith("/cryptoKeys/other")
    # The plug-in sends them back in an order of its own.
    assert sorted(map(repr, changed.access_entries)) == sorted(map(repr, dataset.access_entries))
    assert stack.plan() == {}


def test_members_come_and_go_beside_others(program: Callable[[str], Program]) -> None:
    text = _DATASET.replace("ACCESSES", "None")
    stack = program(text + _MEMBERS)
    stack.change("up")

    def held() -> set[tuple[str, str]]:
        entries = _client(stack).get_dataset("lab").access_entries
        return {(entry.role, str(entry.entity_id)) for entry in entries}

    assert held() >= {
        ("WRITER", "viewer@example.com"),
        ("READER", "viewer@example.com"),
        ("OWNER", "projectOwners"),
    }
    assert stack.plan() == {}
    stack.change("refresh", "--expect-no-changes")
    (stack.folder / "__main__.py").write_text(text)
    stack.change("up")
    assert "viewer@example.com" not in {who for _, who in held()}
    assert ("OWNER", "projectOwners") in held()


def test_a_life_of_a_table_and_a_view(program: Callable[[str], Program]) -> None:
    stack = program(_DATASET.replace("ACCESSES", "None") + _TABLES)
    stack.change("up")
    assert stack.plan() == {}
    stack.change("refresh", "--expect-no-changes")
    _client(stack).query("INSERT INTO lab.images (PatientID, Images) VALUES ('1', 3)").result()
    assert _rows(stack, "SELECT * FROM lab.totals") == [(3,)]
    view = next(one for one in stack.resources() if one["urn"].endswith("::totals"))
    assert view["id"] == f"projects/{stack.project}/datasets/lab/tables/totals"
    assert view["outputs"]["type"] == "VIEW"

    stack.configure({"warehouse:columns": "PatientID, Images"})
    stack.change("up")

    assert _rows(stack, "SELECT PatientID, Images FROM lab.totals") == [("1", 3)]
    assert stack.plan() == {}
    stack.change("destroy")
    assert list(_client(stack).list_datasets()) == []


def test_a_protected_table_outlives_a_destroy(program: Callable[[str], Program]) -> None:
    stack = program(_DATASET.replace("ACCESSES", "None") + _TABLES)
    stack.configure({"warehouse:protected": "true"})
    stack.change("up")

    done = stack.pulumi("destroy", "--yes", "--skip-preview", check=False)

    assert done.returncode != 0
    assert "without setting deletion_protection=false" in done.stdout + done.stderr
    assert [item.table_id for item in _client(stack).list_tables("lab")] == ["images"]
    stack.configure({"warehouse:protected": None})
    stack.change("up")


def test_a_view_over_nothing_is_refused(program: Callable[[str], Program]) -> None:
    text = (_DATASET + _TABLES).replace("ACCESSES", "None").replace("FROM lab.images", "FROM lab.x")
    stack = program(text)

    done = stack.pulumi("up", "--yes", "--skip-preview", check=False)

    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert "googleapi: Error 404: Not found: Table" in output
    assert "Error creating Table" not in output
    assert [item.table_id for item in _client(stack).list_tables("lab")] == ["images"]


def test_a_view_is_adopted(program: Callable[[str], Program]) -> None:
    stack = program("")
    client = _client(stack)
    client.create_dataset("lab")
    byhand = bigquery.Table(f"{stack.project}.lab.byhand")
    byhand.view_query = "SELECT 1 AS one"
    client.create_table(byhand)
    id_ = f"{stack.project}/lab/byhand"

    stack.change(
        "import", "--generate-code=false", "--protect=false",
        "gcp:bigquery/table:Table", "byhand", id_,
    )  # fmt: skip

    (stack.folder / "__main__.py").write_text(
        """
from pulumi_gcp import bigquery

bigquery.Table(
    "byhand",
    dataset_id="lab",
    table_id="byhand",
    view={"query": "SELECT 1 AS one", "use_legacy_sql": False},
)
"""
    )
    assert stack.plan() == {}


def test_tables_are_looked_up(lab: Lab, program: Callable[[str], Program]) -> None:
    stack = program(_FOUND)

    done = stack.pulumi("up", "--yes", "--skip-preview", check=False)
    assert done.returncode != 0
    assert "Error retrieving tables: googleapi: Error 404: Not found: Dataset" in (
        done.stdout + done.stderr
    )
    client = _client(stack)
    client.create_dataset("found")
    stack.change("up")
    assert stack.outputs() == {"tables": []}
    table = bigquery.Table(f"{stack.project}.found.t", [bigquery.SchemaField("a", "STRING")])
    table.labels = {"env": "lab"}
    client.create_table(table)
    stack.change("up")
    assert stack.outputs() == {"tables": [["t", {"env": "lab"}]]}
    url = lab.environment["GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT"]
    http.delete(f"{url}projects/{stack.project}/datasets/found?deleteContents=true")


def test_the_programs_views_come_with_the_exported_table(stack: Stack) -> None:
    stack.configure(bigqueryViews=True, bigqueryDeleteContents=True)
    stack.plan()  # the dataset of the tables does not exist yet, which must not fail
    stack.up()
    assert stack.plan() == {}
    client = bigquery.Client(
        project=stack.project,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": stack.lab.environment["BIGQUERY_EMULATOR_HOST"]},
    )
    uids = ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"]
    columns = ["PatientID", "Modality", "StudyDescription", *uids]
    schema = [bigquery.SchemaField(name, "STRING") for name in columns]
    schema.append(bigquery.SchemaField("StudyDate", "DATE"))
    client.create_table(bigquery.Table(f"{stack.project}.dataset1.dicomstore1", schema))
    row = "('88', '{}', 'Mass', '1.2', '1.2.{}', '1.2.3.{}', NULL)"
    rows = ", ".join(row.format(each, number, number) for number, each in enumerate(("DX", "CT")))
    client.query(f"INSERT INTO dataset1.dicomstore1 VALUES {rows}").result()

    stack.up()

    sql = "SELECT Modalities, Series, Instances FROM dataset1.dicomstore1_studies"
    assert [tuple(row.values()) for row in client.query(sql).result()] == [("CT, DX", 2, 2)]
    assert stack.plan() == {}
    client.delete_table("dataset1.dicomstore1")
    stack.up()
    assert list(client.list_tables("dataset1")) == []
