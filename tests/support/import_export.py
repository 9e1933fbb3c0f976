"""A lab on the emulator, to import into and to export from, by Google's own clients."""

import json
from collections.abc import Callable
from typing import Any

import google.auth.credentials
import pytest
from google.cloud import bigquery
from google.cloud.storage import Client as StorageClient
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.waiting import wait_until

ANONYMOUS: Any = google.auth.credentials.AnonymousCredentials


def healthcare(running: ServerInfo) -> Any:
    """The Healthcare API by google-api-python-client, with its bundled discovery document."""
    return build(
        "healthcare",
        "v1",
        credentials=ANONYMOUS(),
        client_options={"api_endpoint": running.url},
        static_discovery=True,
    )


class Lab:
    """A dataset with a DICOM store and a BigQuery dataset, in a project of its own."""

    def __init__(self, running: ServerInfo, project: str) -> None:
        self.project = project
        self.root = running.url
        self.api = healthcare(running).projects().locations().datasets()
        self.stores = self.api.dicomStores()
        location = f"projects/{project}/locations/us-central1"
        self.api.create(parent=location, datasetId="dataset1", body={}).execute()
        self.dataset = f"{location}/datasets/dataset1"
        self.store = self.add_store("dicomstore1")
        self.bigquery_client = bigquery.Client(
            project,
            ANONYMOUS(),
            client_options={"api_endpoint": running.environment()["BIGQUERY_EMULATOR_HOST"]},
        )
        self.bigquery_client.create_dataset("dataset1")
        self.buckets = StorageClient(
            project,
            ANONYMOUS(),
            client_options={"api_endpoint": running.environment()["STORAGE_EMULATOR_HOST"]},
        )

    def add_store(self, name: str) -> str:
        store = self.stores.create(parent=self.dataset, dicomStoreId=name, body={}).execute()
        return str(store["name"])

    def begin_import(self, uri: str, store: str = "", **more: Any) -> str:
        body = {"gcsSource": {"uri": uri}, **more}
        named = self.stores.import_(name=store or self.store, body=body)
        return str(named.execute()["name"])

    def import_(self, uri: str, store: str = "", **more: Any) -> dict[str, Any]:
        return self.wait(self.begin_import(uri, store, **more))

    def export(self, store: str = "", **destination: Any) -> dict[str, Any]:
        body = {"bigqueryDestination": {"tableUri": self.table_uri("dicomstore1"), **destination}}
        operation = self.stores.export(name=store or self.store, body=body).execute()
        return self.wait(operation["name"])

    def table_uri(self, table: str) -> str:
        return f"bq://{self.project}.dataset1.{table}"

    def wait(self, name: str) -> dict[str, Any]:
        def look() -> dict[str, Any]:
            operation: dict[str, Any] = self.api.operations().get(name=name).execute()
            return operation if operation.get("done") else {}

        return wait_until(look, f"{name} does not end")

    def log(self, operation: str) -> list[dict[str, Any]]:
        """The entries of an operation in Cloud Logging."""
        body = {
            "resourceNames": [f"projects/{self.project}"],
            "filter": f'operation.id="{operation}"',
        }
        logging = build(
            "logging",
            "v2",
            credentials=ANONYMOUS(),
            client_options={"api_endpoint": self.root},
            static_discovery=True,
        )
        found: list[dict[str, Any]] = logging.entries().list(body=body).execute().get("entries", [])
        return found

    def count(self, store: str = "") -> int:
        name = store or self.store
        return int(self.stores.getDICOMStoreMetrics(name=name).execute()["instanceCount"])

    def query_all(self) -> list[tuple[str, str, str]]:
        """Study, series and instance of all instances, in order."""
        url = f"{self.root}/v1/{self.store}/dicomWeb/instances"
        tags = ("0020000D", "0020000E", "00080018")
        return sorted(
            (one[tags[0]]["Value"][0], one[tags[1]]["Value"][0], one[tags[2]]["Value"][0])
            for one in http.get(url).json()
        )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.bigquery_client.query(sql).result()]


def refused(call: Callable[[], object]) -> tuple[int, str]:
    """The code and the message of an error."""
    with pytest.raises(HttpError) as caught:
        call()
    error = json.loads(caught.value.content)["error"]
    assert error["code"] == caught.value.status_code
    return error["code"], error["message"]
