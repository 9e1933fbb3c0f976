"""BigQuery's datasets, views and access on the real emulator, by Google's own client."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.sockets
KEY = "projects/p/locations/us-central1/keyRings/ring/cryptoKeys/key"


@pytest.fixture
def client(emulator: ServerInfo, project: str) -> bigquery.Client:
    """Google's client in a fresh project; it finds the emulator by its environment."""
    assert emulator.url
    return bigquery.Client(project=project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]


@pytest.fixture
def table(client: bigquery.Client) -> bigquery.Table:
    """A table of two patients."""
    client.create_dataset("lab", timeout=PATIENCE_SECONDS)
    schema = [
        bigquery.SchemaField("PatientID", "STRING"),
        bigquery.SchemaField("Images", "INTEGER", description="how many"),
    ]
    created = client.create_table(bigquery.Table(f"{client.project}.lab.images", schema))
    client.query("INSERT INTO lab.images VALUES ('1', 3), ('2', 4)").result()
    return created


def test_datasets_are_listed_by_pages_and_labels(client: bigquery.Client) -> None:
    for name, labels in (
        ("c", {}),
        ("a", {"team": "imaging"}),
        ("_b", {}),
        ("b", {"team": "ward"}),
    ):
        dataset = bigquery.Dataset(f"{client.project}.{name}")
        dataset.labels = labels
        client.create_dataset(dataset)

    def listed(**asked: Any) -> list[str]:
        return [one.dataset_id for one in client.list_datasets(**asked)]

    assert listed(page_size=1) == ["a", "b", "c"]
    assert listed(include_all=True) == ["_b", "a", "b", "c"]
    assert listed(filter="labels.team") == ["a", "b"]
    assert listed(filter="labels.team:ward") == ["b"]
    assert listed(filter="labels.team labels.site") == []
    with pytest.raises(exceptions.BadRequest, match=r"labels\.KEY or labels\.KEY:VALUE"):
        listed(filter="team=ward")


def test_a_dataset_keeps_all_its_settings(client: bigquery.Client) -> None:
    wanted = bigquery.Dataset(f"{client.project}.kept")
    wanted.location = "us-central1"
    wanted.description, wanted.friendly_name = "DICOM", "The lab"
    wanted.labels = {"env": "lab", "gone": "soon"}
    wanted.default_table_expiration_ms = 86_400_000
    wanted.default_partition_expiration_ms = 172_800_000
    wanted.max_time_travel_hours = 96
    wanted.default_encryption_configuration = bigquery.EncryptionConfiguration(KEY)
    client.create_dataset(wanted)

    found = client.get_dataset("kept")

    for name in (
        "description", "friendly_name", "labels", "default_table_expiration_ms", "location",
        "default_partition_expiration_ms",
    ):  # fmt: skip
        assert getattr(found, name) == getattr(wanted, name), name
    assert int(found.max_time_travel_hours) == 96
    key = found.default_encryption_configuration
    assert key is not None
    assert key.kms_key_name == KEY
    assert {entry.entity_id for entry in found.access_entries} == {
        "projectOwners", "projectWriters", "projectReaders", "you@example.com",
    }  # fmt: skip
    found.labels = {"env": "prod", "gone": None}
    found.description = None
    client.update_dataset(found, ["labels", "description"])
    again = client.get_dataset("kept")
    assert (again.labels, again.description) == ({"env": "prod"}, None)
    assert again.default_table_expiration_ms == 86_400_000


def test_a_change_of_what_another_changed_is_refused(client: bigquery.Client) -> None:
    client.create_dataset("raced")
    mine, theirs = client.get_dataset("raced"), client.get_dataset("raced")
    theirs.description = "theirs"
    client.update_dataset(theirs, ["description"])

    mine.description = "mine"
    with pytest.raises(exceptions.PreconditionFailed):
        client.update_dataset(mine, ["description"])

    assert client.get_dataset("raced").description == "theirs"


def test_a_dataset_with_tables_stays(client: bigquery.Client, table: bigquery.Table) -> None:
    with pytest.raises(exceptions.BadRequest, match="is still in use"):
        client.delete_dataset("lab")
    client.delete_dataset("lab", delete_contents=True)
    with pytest.raises(exceptions.NotFound):
        client.get_table(table)
    with pytest.raises(exceptions.NotFound):
        list(client.list_tables("lab"))


def test_a_view_answers_keeps_and_changes(client: bigquery.Client, table: bigquery.Table) -> None:
    wanted = bigquery.Table(f"{client.project}.lab.totals")
    wanted.view_query = f"SELECT SUM(Images) AS Total FROM `{table}`"
    wanted.labels, wanted.description = {"made": "by-hand"}, "all of them"
    client.create_table(wanted)

    assert [row.Total for row in client.query("SELECT Total FROM lab.totals").result()] == [7]
    found = client.get_table("lab.totals")
    assert (found.table_type, found.view_query) == ("VIEW", wanted.view_query)
    assert (found.labels, found.description) == ({"made": "by-hand"}, "all of them")
    assert [field.name for field in found.schema] == ["Total"]
    listed = {item.table_id: item for item in client.list_tables("lab")}
    assert listed["totals"].labels == {"made": "by-hand"}
    assert not listed["totals"].view_use_legacy_sql

    found.view_query = f"SELECT COUNT(*) AS Rows FROM `{table}`"
    client.update_table(found, ["view_query"])

    assert [row.Rows for row in client.query("SELECT `Rows` FROM lab.totals").result()] == [2]
    assert client.get_table("lab.totals").created == found.created
    client.delete_table("lab.totals")
    assert [item.table_id for item in client.list_tables("lab")] == ["images"]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("SELECT * FROM `{project}.lab.missing`", exceptions.NotFound),
        ("SELECT Nothing FROM `{project}.lab.images`", exceptions.BadRequest),
        ("SELEC 1", exceptions.BadRequest),
    ],
)
@pytest.mark.usefixtures("table")
def test_a_view_over_nothing_is_refused(
    client: bigquery.Client, query: str, error: type[Exception]
) -> None:
    view = bigquery.Table(f"{client.project}.lab.view")
    view.view_query = query.format(project=client.project)

    with pytest.raises(error):
        client.create_table(view)

    assert [item.table_id for item in client.list_tables("lab")] == ["images"]


def test_a_table_keeps_all_its_settings(client: bigquery.Client) -> None:
    client.create_dataset("lab")
    wanted = bigquery.Table(
        f"{client.project}.lab.events",
        [bigquery.SchemaField("At", "TIMESTAMP"), bigquery.SchemaField("Kind", "STRING")],
    )
    wanted.time_partitioning = bigquery.TimePartitioning(field="At", expiration_ms=86_400_000)
    wanted.clustering_fields = ["Kind"]
    wanted.encryption_configuration = bigquery.EncryptionConfiguration(KEY)
    wanted.labels = {"env": "lab"}
    client.create_table(wanted)

    found = client.get_table("lab.events")

    assert found.time_partitioning == wanted.time_partitioning
    assert found.clustering_fields == ["Kind"]
    assert found.encryption_configuration == wanted.encryption_configuration
    found.schema = [*found.schema, bigquery.SchemaField("Count", "INTEGER")]
    found = client.update_table(found, ["schema"])
    client.query("INSERT INTO lab.events (Kind, Count) VALUES ('stored', 5)").result()
    rows = client.query("SELECT Kind, `Count` AS n FROM lab.events").result()
    assert [(row.Kind, row.n) for row in rows] == [("stored", 5)]
    found.schema = found.schema[:1]
    with pytest.raises(exceptions.BadRequest, match="is missing in new schema"):
        client.update_table(found, ["schema"])


def test_tables_of_a_dataset_with_an_expiry_expire(client: bigquery.Client) -> None:
    dataset = bigquery.Dataset(f"{client.project}.short")
    dataset.default_table_expiration_ms = 3_600_000
    client.create_dataset(dataset)

    created = client.create_table(
        bigquery.Table(f"{client.project}.short.t", [bigquery.SchemaField("a", "STRING")])
    )

    assert created.expires is not None
    assert created.created is not None
    assert 3_590 < (created.expires - created.created).total_seconds() < 3_610


class Access:
    """A DICOM store whose metadata the service agent is to export."""

    def __init__(self, emulator: ServerInfo, project: str, agent: str) -> None:
        self.url, self.project, self.agent = emulator.url, project, agent
        parent = f"{self.url}/v1/projects/{project}/locations/us-central1/datasets"
        http.post(f"{parent}?datasetId=d", json={}).raise_for_status()
        self.store = f"{parent}/d/dicomStores/s"
        http.post(f"{parent}/d/dicomStores?dicomStoreId=s", json={}).raise_for_status()
        self.datasets = f"{self.url}/bigquery/v2/projects/{project}/datasets"

    def make(self, dataset: str) -> None:
        """Make a BigQuery dataset."""
        body = {"datasetReference": {"datasetId": dataset}}
        http.post(self.datasets, json=body).raise_for_status()

    def give(self, dataset: str, *roles: str) -> None:
        """Grant the agent exactly these roles on the dataset, as the Google provider does."""
        url, email = f"{self.datasets}/{dataset}", self.agent.partition(":")[2]
        entries = [e for e in http.get(url).json()["access"] if e.get("userByEmail") != email]
        given = [{"role": role, "userByEmail": email} for role in roles]
        http.patch(url, json={"access": entries + given}).raise_for_status()

    def export(self) -> httpx.Response:
        """Ask for the export."""
        body = {"bigqueryDestination": {"tableUri": f"bq://{self.project}.lab.images"}}
        return http.post(f"{self.store}:export", json=body)


@pytest.fixture
def access(emulator: ServerInfo, project: str, service_agent: str) -> Access:
    return Access(emulator, project, service_agent)


@pytest.mark.parametrize("role", ["roles/bigquery.dataEditor", "WRITER", "OWNER"])
def test_an_editor_of_the_dataset_who_may_run_jobs_exports(
    access: Access, grant: Callable[..., None], role: str
) -> None:
    grant("roles/bigquery.jobUser")
    access.make("lab")
    access.give("lab", role)

    answer = access.export()

    assert answer.status_code == 200, answer.text
    stream = {"bigqueryDestination": {"tableUri": f"bq://{access.project}.lab.images"}}
    changed = http.patch(
        f"{access.store}?updateMask=streamConfigs", json={"streamConfigs": [stream]}
    )
    assert changed.status_code == 200, changed.text


@pytest.mark.parametrize(
    ("on_project", "on_dataset", "permission", "advice"),
    [
        ((), ("roles/bigquery.dataEditor",), "bigquery.jobs.create", "roles/bigquery.jobUser"),
        (("roles/bigquery.jobUser",), (), "bigquery.tables.create", "roles/bigquery.dataEditor"),
        (
            ("roles/bigquery.jobUser",),
            ("roles/bigquery.dataViewer",),
            "bigquery.tables.create",
            "roles/bigquery.dataEditor",
        ),
    ],
)
def test_without_one_of_the_two_the_export_names_what_is_missing(
    access: Access,
    grant: Callable[..., None],
    on_project: tuple[str, ...],
    on_dataset: tuple[str, ...],
    permission: str,
    advice: str,
) -> None:
    grant(*on_project)
    access.make("lab")
    access.give("lab", *on_dataset)

    answer = access.export()

    assert answer.status_code == 403
    message = answer.json()["error"]["message"]
    agent = access.agent.partition(":")[2]
    assert f"{agent} does not have {permission}" in message
    assert advice in message


def test_a_grant_on_another_dataset_is_none(access: Access, grant: Callable[..., None]) -> None:
    grant("roles/bigquery.jobUser")
    access.make("lab")
    access.make("other")
    access.give("other", "roles/bigquery.dataEditor")

    assert access.export().status_code == 403


def test_access_goes_with_its_dataset(access: Access, grant: Callable[..., None]) -> None:
    grant("roles/bigquery.jobUser")
    access.make("lab")
    access.give("lab", "roles/bigquery.dataEditor")
    http.delete(f"{access.datasets}/lab").raise_for_status()
    assert access.export().status_code == 403

    access.make("lab")

    assert access.export().status_code == 403
    assert access.agent.partition(":")[2] not in json.dumps(
        http.get(f"{access.datasets}/lab").json()
    )


def test_roles_are_answered_by_their_short_names(access: Access) -> None:
    access.make("lab")
    access.give("lab", "roles/bigquery.dataEditor", "roles/bigquery.metadataViewer")

    entries: list[dict[str, Any]] = http.get(f"{access.datasets}/lab").json()["access"]

    email = access.agent.partition(":")[2]
    roles = [entry["role"] for entry in entries if entry.get("userByEmail") == email]
    assert roles == ["WRITER", "roles/bigquery.metadataViewer"]


def test_an_agent_that_is_not_there_can_be_named_by_no_one(access: Access) -> None:
    access.make("lab")
    email = "service-999999999999@gcp-sa-healthcare.iam.gserviceaccount.com"
    entry = {"role": "WRITER", "userByEmail": email}

    answer = http.patch(f"{access.datasets}/lab", json={"access": [entry]})

    assert answer.status_code == 400
    assert f"Service account {email} does not exist" in answer.json()["error"]["message"]


def test_a_dry_run_changes_nothing(client: bigquery.Client, table: bigquery.Table) -> None:
    dry = bigquery.QueryJobConfig(dry_run=True)
    for sql in ("SELECT 1; DROP TABLE lab.images", "SELECT ';';\nDROP TABLE lab.images;"):
        with pytest.raises(exceptions.MethodNotImplemented, match="one statement at a time"):
            client.query(sql, job_config=dry)
    client.query("DROP TABLE lab.images;", job_config=dry)
    assert client.query("SELECT ';';  -- all", job_config=dry).total_bytes_processed == 0
    assert [row.n for row in client.query("SELECT COUNT(*) AS n FROM lab.images")] == [2]
