"""HL7v2 stores under Google's own clients: messages, import, export, rollback, notifications."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud.storage import Client as StorageClient
from typer.testing import CliRunner

from emulator.server.server_file import ServerInfo
from scripts import export_hl7v2, import_hl7v2, send_hl7v2
from scripts.lib.errors import ExitCode
from tests.support import http
from tests.support.hl7v2_messages import EUROPEAN, RESULT, admission, body, encoded
from tests.support.import_export import ANONYMOUS, healthcare, refused
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets


class Ward:
    """A dataset with an HL7v2 store and a bucket, in a project of its own."""

    def __init__(self, running: ServerInfo, project: str) -> None:
        self.root, self.project = running.url, project
        self.datasets = healthcare(running).projects().locations().datasets()
        self.stores = self.datasets.hl7V2Stores()
        self.messages = self.stores.messages()
        parent = f"projects/{project}/locations/us-central1"
        self.datasets.create(parent=parent, datasetId="d", body={}).execute()
        self.dataset = f"{parent}/datasets/d"
        self.store = self.add_store("hl7", parserConfig={"version": "V2"})
        self.bucket = StorageClient(
            project,
            ANONYMOUS(),
            client_options={"api_endpoint": running.environment()["STORAGE_EMULATOR_HOST"]},
        ).create_bucket(f"{project}-hl7")

    def add_store(self, store_id: str, **settings: Any) -> str:
        request = self.stores.create(parent=self.dataset, hl7V2StoreId=store_id, body=settings)
        return str(request.execute()["name"])

    def ingest(self, data: bytes, store: str = "", **labels: str) -> dict[str, Any]:
        request = self.messages.ingest(parent=store or self.store, body=body(data, **labels))
        answer: dict[str, Any] = request.execute()
        return answer

    def names(self, store: str = "", **more: Any) -> list[str]:
        """The names of all messages, page by page."""
        found: list[str] = []
        request = self.messages.list(parent=store or self.store, pageSize=2, **more)
        while request is not None:
            page = request.execute()
            found += [one["name"] for one in page.get("hl7V2Messages", [])]
            request = self.messages.list_next(request, page)
        return found

    def write(self, name: str, *lines: dict[str, Any] | str) -> None:
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        self.bucket.blob(name).upload_from_string("\n".join(texts))

    def read(self, prefix: str) -> list[dict[str, Any]]:
        """The lines of the objects below a prefix."""
        blobs = self.bucket.list_blobs(prefix=prefix)
        text = "".join(blob.download_as_text() for blob in blobs)
        return [json.loads(line) for line in text.splitlines()]

    def import_(self, pattern: str, store: str = "") -> dict[str, Any]:
        uri = {"gcsSource": {"uri": f"gs://{self.bucket.name}/{pattern}"}}
        return self.wait(self.stores.import_(name=store or self.store, body=uri))

    def export(self, **request: Any) -> dict[str, Any]:
        return self.wait(self.stores.export(name=self.store, body=request))

    def rollback(self, moment: str, **more: Any) -> list[dict[str, Any]]:
        """The lines of the result."""
        request = {"rollbackTime": moment, "resultGcsBucket": f"gs://{self.bucket.name}", **more}
        done = self.wait(self.stores.rollback(name=self.store, body=request))
        assert done["response"]["hl7v2Store"] == self.store
        return self.read(f"rollback-{done['name'].rpartition('/')[2]}")

    def wait(self, request: Any) -> dict[str, Any]:
        name = request.execute()["name"]

        def look() -> dict[str, Any]:
            operation: dict[str, Any] = self.datasets.operations().get(name=name).execute()
            return operation if operation.get("done") else {}

        return wait_until(look, f"{name} does not end")

    def call(self, method: str, path: str, sent: object = None) -> dict[str, Any]:
        answer = http.request(method, f"{self.root}/v1/{path}", json=sent or {}, timeout=30)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content


@pytest.fixture
def ward(emulator: ServerInfo, project: str, grant: Callable[..., None]) -> Ward:
    grant("roles/storage.objectAdmin", "roles/pubsub.publisher")
    return Ward(emulator, project)


def now() -> str:
    return datetime.now(UTC).isoformat()


def test_the_life_of_a_message(ward: Ward) -> None:
    created = ward.messages.create(parent=ward.store, body=body(admission(), ward="a")).execute()
    answer = ward.ingest(RESULT)
    assert base64.b64decode(answer["hl7Ack"]).endswith(b"\rMSA|AA|L-77")
    got = ward.messages.get(name=created["name"]).execute()
    assert got == created
    assert got["data"] == encoded(admission())
    assert ward.names() == [created["name"], answer["message"]["name"]]
    assert ward.names(filter='PatientId("7001", "PI")') == [created["name"]]
    assert ward.names(orderBy="send_time desc")[1] == created["name"]
    change = {"labels": {"ward": "b"}}
    patch = ward.messages.patch(name=created["name"], updateMask="labels", body=change)
    assert patch.execute()["labels"] == {"ward": "b"}
    metrics = ward.stores.getHL7v2StoreMetrics(name=ward.store).execute()
    assert metrics["name"] == ward.store
    assert [(one["messageType"], one["count"]) for one in metrics["metrics"]] == [
        ("ADT", "1"),
        ("ORU", "1"),
    ]
    assert ward.messages.delete(name=created["name"]).execute() == {}
    assert ward.names() == [answer["message"]["name"]]
    code, message = refused(ward.messages.ingest(parent=ward.store, body=body(EUROPEAN)).execute)
    assert (code, "only ASCII and UTF-8" in message) == (400, True)


def test_an_import_counts_each_line_and_logs_what_fails(ward: Ward) -> None:
    ward.ingest(admission("known"), old="yes")
    ward.write(
        "in/one.ndjson",
        {"data": encoded(admission("known")), "labels": {"new": "yes"}},
        {"data": encoded(RESULT)},
        "",
        {"data": encoded(EUROPEAN)},
        "not JSON",
        {"data": "*"},
        {"labels": {}},
    )
    ward.write("in/more/two.ndjson", {"data": encoded(RESULT)})
    done = ward.import_("in/**.ndjson")
    assert done["metadata"]["counter"] == {"success": "3", "failure": "4"}
    assert done["metadata"]["apiMethodName"].endswith(".hl7v2.Hl7V2Service.ImportMessages")
    assert done["error"]["code"] == 2
    [known, result] = ward.names()
    labels = ward.messages.get(name=known).execute()["labels"]
    assert labels == {"new": "yes"}
    assert ward.messages.get(name=result).execute()["data"] == encoded(RESULT)
    entries = ward.call(
        "POST",
        "../v2/entries:list",
        {
            "resourceNames": [f"projects/{ward.project}"],
            "filter": f'operation.id="{done["name"]}"',
        },
    )["entries"]
    logged = {one["jsonPayload"]["source"]: one["jsonPayload"]["error"] for one in entries}
    file = f"gs://{ward.bucket.name}/in/one.ndjson"
    assert set(logged) == {f"{file}:{line}" for line in (4, 5, 6, 7)}
    assert "only ASCII and UTF-8" in logged[f"{file}:4"]["message"]
    assert entries[0]["resource"]["type"] == "healthcare_hl7v2_store"
    again = ward.import_("in/more/*")
    assert again["metadata"]["counter"] == {"success": "1"}
    assert again["response"]["@type"].endswith(".v1.hl7v2.ImportMessagesResponse")


def test_an_import_is_refused_before_it_starts(ward: Ward, grant: Callable[..., None]) -> None:
    def import_(uri: str) -> tuple[int, str]:
        sent = {"gcsSource": {"uri": uri}}
        return refused(ward.stores.import_(name=ward.store, body=sent).execute)

    assert "zero GCS objects" in import_(f"gs://{ward.bucket.name}/none/*")[1]
    assert import_("")[0] == 400
    assert import_("gs://")[0] == 400
    grant()
    code, message = import_(f"gs://{ward.bucket.name}/none/*")
    assert (code, "storage.objects.list" in message) == (403, True)


def test_an_export_has_a_range_a_filter_and_a_view(ward: Ward) -> None:
    old = ward.ingest(admission("old", "20230101"))["message"]
    new = ward.ingest(admission("new", "20240101"), a="b")["message"]
    ward.ingest(admission("none", ""))
    ward.ingest(admission("future", "20990101"))
    folder = {"gcsDestination": {"uriPrefix": f"gs://{ward.bucket.name}/out"}}
    done = ward.export(**folder)
    assert done["metadata"]["counter"] == {"success": "2"}
    [blob] = ward.bucket.list_blobs(prefix="out/")
    assert blob.name == "out/messages-00000-of-00001.ndjson"
    assert ward.read("out/") == [old, new]
    other = ward.add_store("copy", parserConfig={"version": "V2"})
    assert ward.import_("out/*", other)["response"]
    copies = [ward.messages.get(name=name).execute() for name in ward.names(other)]
    assert [(one["data"], one.get("labels")) for one in copies] == [
        (old["data"], None),
        (new["data"], {"a": "b"}),
    ]
    raw = {"uriPrefix": f"gs://{ward.bucket.name}/raw/", "messageView": "RAW_ONLY"}
    ward.export(gcsDestination=raw, startTime="2023-06-01T00:00:00Z")
    [line] = ward.read("raw/")
    assert line == {key: value for key, value in new.items() if key != "parsedData"}
    ward.export(
        gcsDestination={"uriPrefix": f"gs://{ward.bucket.name}/early"},
        endTime="2024-01-01T00:00:00Z",
        filter='send_facility = "NORTH"',
    )
    assert ward.read("early/") == [old]


def test_an_export_to_pubsub_names_the_messages(ward: Ward) -> None:
    topic = f"projects/{ward.project}/topics/out"
    subscription = f"projects/{ward.project}/subscriptions/out"
    ward.call("PUT", topic)
    ward.call("PUT", subscription, {"topic": topic})
    names = [ward.ingest(admission(key))["message"]["name"] for key in ("a", "b")]
    ward.export(pubsubDestination={"pubsubTopic": topic})
    received = ward.call("POST", f"{subscription}:pull", {"maxMessages": 9})["receivedMessages"]
    assert sorted(base64.b64decode(one["message"]["data"]).decode() for one in received) == (
        sorted(names)
    )


def test_an_export_is_refused_before_it_starts(ward: Ward, grant: Callable[..., None]) -> None:
    bucket = f"gs://{ward.bucket.name}/out"
    topic = f"projects/{ward.project}/topics/out"
    ward.call("PUT", topic)

    def export(**request: Any) -> tuple[int, str]:
        return refused(ward.stores.export(name=ward.store, body=request).execute)

    gcs, pubsub = {"uriPrefix": bucket}, {"pubsubTopic": topic}
    assert export()[0] == 400
    assert export(gcsDestination=gcs, pubsubDestination=pubsub)[0] == 400
    assert export(gcsDestination={"uriPrefix": "out"})[0] == 400
    assert export(pubsubDestination={"pubsubTopic": f"{topic}-none"})[0] == 404
    assert "color" in export(gcsDestination=gcs, filter="color = red")[1]
    late = {"startTime": "2024-02-01T00:00:00Z", "endTime": "2024-01-01T00:00:00Z"}
    assert "end_time" in export(gcsDestination=gcs, **late)[1]
    grant()
    assert export(gcsDestination=gcs)[0] == 403
    assert export(pubsubDestination=pubsub)[0] == 403


def test_a_rollback_reverts_changes_since_a_time(ward: Ward) -> None:
    kept = ward.ingest(admission("kept"), a="1")["message"]
    gone = ward.ingest(admission("gone"), a="2")["message"]
    moment = now()
    ward.messages.delete(name=gone["name"]).execute()
    change = {"labels": {"a": "changed"}}
    for _ in range(2):
        ward.messages.patch(name=kept["name"], updateMask="labels", body=change).execute()
        change = {"labels": {"a": "again"}}
    new = ward.ingest(admission("new"))["message"]

    dry = ward.rollback(moment)
    assert ward.names() == [kept["name"], new["name"]]
    assert sorted((one["resource"], one["revertedChange"]) for one in dry) == sorted(
        [
            (kept["name"], "UPDATE"),
            (kept["name"], "UPDATE"),
            (gone["name"], "DELETE"),
            (new["name"], "CREATE"),
        ]
    )
    updates = ward.rollback(moment, force=True, changeType="UPDATE")
    assert {one["resource"] for one in updates} == {kept["name"]}
    assert ward.messages.get(name=kept["name"]).execute() == kept
    assert ward.names() == [kept["name"], new["name"]]
    ward.rollback(moment, force=True, excludeRollbacks=True)
    assert sorted(ward.names()) == sorted([kept["name"], gone["name"]])
    for message in (kept, gone):
        assert ward.messages.get(name=message["name"]).execute() == message


def test_a_rollback_of_chosen_messages_or_operations(ward: Ward) -> None:
    moment = now()
    by_call = ward.ingest(admission("call"))["message"]["name"]
    other = ward.ingest(admission("other"))["message"]["name"]
    ward.write("in.ndjson", {"data": encoded(admission("imported"))})
    operation = ward.import_("in.ndjson")["name"].rpartition("/")[2]
    chosen = {"filteringFields": {"operationIds": [operation]}}
    [reverted] = ward.rollback(moment, force=True, **chosen)
    assert reverted["resource"] not in (by_call, other)
    assert ward.names() == [by_call, other]
    ward.write("ids.txt", other.rpartition("/")[2])
    listed = f"gs://{ward.bucket.name}/ids.txt"
    ward.rollback(moment, force=True, inputGcsObject=listed)
    assert ward.names() == [by_call]
    for request in ({}, {"rollbackTime": "x"}, {"rollbackTime": moment}):
        assert refused(ward.stores.rollback(name=ward.store, body=request).execute)[0] == 400


def test_notifications_name_new_messages_that_a_filter_matches(ward: Ward) -> None:
    topics = {name: f"projects/{ward.project}/topics/{name}" for name in ("all", "some")}
    for name, topic in topics.items():
        ward.call("PUT", topic)
        ward.call("PUT", f"projects/{ward.project}/subscriptions/{name}", {"topic": topic})
    store = ward.add_store(
        "watched",
        notificationConfigs=[
            {"pubsubTopic": topics["all"]},
            {"pubsubTopic": topics["some"], "filter": 'message_type = "ORU" OR labels.urgent:*'},
        ],
    )
    first = ward.ingest(admission(), store)["message"]["name"]
    ward.ingest(admission(), store)  # the same again
    second = ward.ingest(RESULT, store)["message"]["name"]
    third = ward.messages.create(
        parent=store, body=body(admission("third"), urgent="yes")
    ).execute()["name"]

    def received(name: str) -> list[str]:
        path = f"projects/{ward.project}/subscriptions/{name}:pull"
        messages = ward.call("POST", path, {"maxMessages": 9}).get("receivedMessages", [])
        assert all("attributes" not in one["message"] for one in messages)
        return [base64.b64decode(one["message"]["data"]).decode() for one in messages]

    assert received("all") == [first, second, third]
    assert received("some") == [second, third]


def test_the_script_sends_files_and_reports_what_is_refused(ward: Ward, tmp_path: Path) -> None:
    for name, data in (("1.hl7", admission()), ("2.hl7", EUROPEAN), ("3.hl7", RESULT)):
        (tmp_path / name).write_bytes(data)
    where = ["--project", ward.project, "--location", "us-central1"]
    command = [str(tmp_path), *where, "--dataset", "d", "--store", "hl7", "--json"]
    for _ in range(2):
        sent = CliRunner().invoke(send_hl7v2.app, command)
        assert sent.exit_code == ExitCode.PARTLY_FAILED
        error = json.loads(sent.stdout)["error"]
        assert (error["store"], error["success"], error["failure"]) == (ward.store, 2, 1)
        [failure] = error["failures"]
        assert failure["source"].endswith("2.hl7")
        assert "only ASCII and UTF-8" in failure["error"]
    assert len(ward.names()) == 2


def test_the_scripts_export_and_import(ward: Ward) -> None:
    names = [ward.ingest(data)["message"]["name"] for data in (admission(), RESULT)]
    ward.add_store("copy")
    where = ["--project", ward.project, "--location", "us-central1", "--dataset", "d", "--json"]
    folder = f"gs://{ward.bucket.name}/out"
    restriction = ["--filter", 'message_type = "ORU"', "--start", "2024-01-01T00:00:00Z"]
    exported = CliRunner().invoke(
        export_hl7v2.app, [folder, *where, "--store", "hl7", *restriction]
    )
    assert exported.exit_code == 0, exported.stdout
    assert json.loads(exported.stdout)["success"] == 1
    assert [line["name"] for line in ward.read("out/")] == names[1:]
    command = [f"{folder}/*", *where, "--store", "copy"]
    imported = CliRunner().invoke(import_hl7v2.app, command)
    assert imported.exit_code == 0, imported.stdout
    assert json.loads(imported.stdout)["success"] == 1
    assert len(ward.names(f"{ward.dataset}/hl7V2Stores/copy")) == 1
    ward.write("bad.ndjson", "not JSON")
    bad = CliRunner().invoke(
        import_hl7v2.app, [f"gs://{ward.bucket.name}/bad.ndjson", *where, "--store", "copy"]
    )
    assert bad.exit_code == ExitCode.PARTLY_FAILED
    [failure] = json.loads(bad.stdout)["error"]["failures"]
    assert failure["source"] == f"gs://{ward.bucket.name}/bad.ndjson:1"
