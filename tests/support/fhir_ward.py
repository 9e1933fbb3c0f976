"""A FHIR store under Google's own client, with a bucket."""

import json
from typing import Any

import httpx
from google.cloud.storage import Client as StorageClient
from googleapiclient.errors import HttpError

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.import_export import ANONYMOUS, healthcare
from tests.support.waiting import wait_until


class Ward:
    """A dataset with a FHIR store and a bucket, in a project of its own."""

    def __init__(self, running: ServerInfo, project: str) -> None:
        self.root, self.project = running.url, project
        self.datasets = healthcare(running).projects().locations().datasets()
        self.stores = self.datasets.fhirStores()
        self.fhir = self.stores.fhir()
        parent = f"projects/{project}/locations/us-central1"
        self.datasets.create(parent=parent, datasetId="d", body={}).execute()
        body = {"version": "R4", "enableUpdateCreate": True}
        dataset = f"{parent}/datasets/d"
        created = self.stores.create(parent=dataset, fhirStoreId="s", body=body).execute()
        self.store = str(created["name"])
        self.bucket = StorageClient(
            project,
            ANONYMOUS(),
            client_options={"api_endpoint": running.environment()["STORAGE_EMULATOR_HOST"]},
        ).create_bucket(f"{project}-fhir")

    def name(self, path: str) -> str:
        return f"{self.store}/fhir/{path}"

    def read(self, path: str) -> dict[str, Any]:
        return decoded(self.fhir.read(name=self.name(path)))

    def put(self, resource: dict[str, Any]) -> dict[str, Any]:
        name = self.name(f"{resource['resourceType']}/{resource['id']}")
        return decoded(self.fhir.update(name=name, body=resource))

    def has(self, path: str) -> bool:
        try:
            self.read(path)
        except HttpError as error:
            if error.status_code not in (404, 410):
                raise
            return False
        return True

    def write(self, name: str, *lines: Any) -> None:
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        self.bucket.blob(name).upload_from_string("\n".join(texts))

    def lines(self, name: str) -> list[str]:
        return str(self.bucket.blob(name).download_as_text()).splitlines()

    def import_(self, pattern: str, structure: str = "") -> dict[str, Any]:
        body: dict[str, Any] = {"gcsSource": {"uri": f"gs://{self.bucket.name}/{pattern}"}}
        if structure:
            body["contentStructure"] = structure
        return self.wait(self.stores.import_(name=self.store, body=body))

    def export(self, folder: str, **more: str) -> dict[str, Any]:
        destination = {"uriPrefix": f"gs://{self.bucket.name}/{folder}"}
        body = {"gcsDestination": destination, **more}
        return self.wait(self.stores.export(name=self.store, body=body))

    def preview(self, verb: str, **body: Any) -> dict[str, Any]:
        """The operation of a method that only v1beta1 has, once it is done."""
        url = f"{self.root}/v1beta1/{self.store}:{verb}"
        begun = http.post(url, json=body, timeout=30)
        assert begun.status_code == 200, begun.text
        return self.ended(begun.json()["name"])

    def bulk_delete(self, **body: Any) -> dict[str, Any]:
        return self.wait(self.stores.bulkDelete(name=self.store, body=body))

    def rollback(self, moment: str, **more: Any) -> list[str]:
        """The lines of the result."""
        body = {"rollbackTime": moment, "resultGcsBucket": f"gs://{self.bucket.name}/out", **more}
        done = self.wait(self.stores.rollback(name=self.store, body=body))
        assert done["response"]["fhirStore"] == self.store
        return self.lines(f"out/rollback-{done['name'].rpartition('/')[2]}.txt")

    def begin_bulk_export(self, path: str, method: str = "GET", **more: Any) -> httpx.Response:
        """Ask for a bulk export, as a client of the SMART protocol does."""
        url = f"{self.root}/v1beta1/{self.name(path)}"
        headers = {"Accept": "application/fhir+json", "Prefer": "respond-async"}
        return http.request(method, url, headers=headers, timeout=30, **more)

    def bulk_export(self, path: str, method: str = "GET", **more: Any) -> dict[str, Any]:
        """The manifest of a bulk export."""
        begun = self.begin_bulk_export(path, method, **more)
        assert begun.status_code == 202, begun.text
        url = begun.headers["Content-Location"]
        assert url.startswith(f"{self.root}/v1beta1/{self.store}/operations/")

        def look() -> dict[str, Any]:
            answer = http.get(url, timeout=30)
            if answer.status_code == 202:
                assert answer.headers["X-Progress"] == "in progress"
                return {}
            manifest: dict[str, Any] = answer.raise_for_status().json()
            return manifest

        return wait_until(look, f"{url} does not end")

    def wait(self, request: Any) -> dict[str, Any]:
        return self.ended(request.execute()["name"])

    def ended(self, name: str) -> dict[str, Any]:
        """An operation, once it is done."""

        def look() -> dict[str, Any]:
            operation: dict[str, Any] = self.datasets.operations().get(name=name).execute()
            return operation if operation.get("done") else {}

        return wait_until(look, f"{name} does not end")

    def logged(self, operation: dict[str, Any]) -> dict[str, str]:
        """The reasons of the log entries of an operation, by source."""
        sent = {
            "resourceNames": [f"projects/{self.project}"],
            "filter": f'operation.id="{operation["name"]}"',
        }
        answer = http.post(f"{self.root}/v2/entries:list", json=sent, timeout=30).json()
        payloads = [each["jsonPayload"] for each in answer.get("entries", [])]
        return {each["source"]: each["error"]["message"] for each in payloads}


def decoded(request: Any) -> dict[str, Any]:
    """The answer of a call whose body the client returns as it comes."""
    answer = request.execute()
    content: dict[str, Any] = json.loads(answer) if isinstance(answer, (str, bytes)) else answer
    return content
