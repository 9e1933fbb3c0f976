"""Messages: create, ingest, get, list, patch, delete; duplicates and views."""

import base64
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from tests.support import hl7v2_messages
from tests.support.hl7v2_messages import admission, body, encoded, message


def get(client: TestClient, path: str, **params: Any) -> Any:
    answer = client.get(f"/v1/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: Any, status: int = 400) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    error: dict[str, Any] = answer.json()["error"]
    return error


def ids(listed: dict[str, Any]) -> list[str]:
    return [one["name"].rpartition("/")[2] for one in listed.get("hl7V2Messages", [])]


def test_a_message_is_created_and_read_again(client: TestClient, hl7_store: str) -> None:
    answer = client.post(f"/v1/{hl7_store}/messages", json=body(admission(), ward="a"))
    created = answer.json()
    digest = base64.urlsafe_b64encode(hashlib.sha256(admission()).digest()).decode()
    assert created["name"] == f"{hl7_store}/messages/{digest}"
    assert created["data"] == encoded(admission())
    assert created["labels"] == {"ward": "a"}
    assert created["messageType"] == "ADT"
    assert created["sendFacility"] == "NORTH"
    assert created["sendTime"] == "2024-02-29T08:15:00Z"
    assert created["patientIds"][0] == {"value": "7001", "type": "PI"}
    assert [each["segmentId"] for each in created["parsedData"]["segments"]] == [
        "MSH",
        "EVN",
        "PID",
        "NK1",
        "PV1",
    ]
    assert "schematizedData" not in created
    assert get(client, created["name"]) == created


def test_an_ingested_message_is_acknowledged(client: TestClient, hl7_store: str) -> None:
    answer = client.post(f"/v1beta1/{hl7_store}/messages:ingest", json=body(admission("C-1")))
    acknowledged = answer.json()
    ack = base64.b64decode(acknowledged["hl7Ack"]).decode()
    assert ack.startswith("MSH|^~\\&|LAB|SOUTH|REG|NORTH|")
    assert ack.endswith("\rMSA|AA|C-1")
    assert get(client, acknowledged["message"]["name"]) == acknowledged["message"]


def test_a_duplicate_is_one_resource_with_one_ack(
    client: TestClient, hl7_store: str, ingest: Callable[..., Any]
) -> None:
    client.post(f"/v1/{hl7_store}/messages", json=body(admission(), first="yes"))
    first = ingest(hl7_store, admission())
    second = ingest(hl7_store, admission(), second="yes")
    assert first == second
    assert first["message"]["labels"] == {"first": "yes"}
    assert len(ids(get(client, f"{hl7_store}/messages"))) == 1


@pytest.mark.parametrize("rejects", [False, True])
def test_concurrent_duplicates_are_one_message(
    client: TestClient, make_store: Callable[..., str], rejects: bool
) -> None:
    store = make_store(rejectDuplicateMessage=rejects)

    def send(_number: int) -> Any:
        return client.post(f"/v1/{store}/messages:ingest", json=body(admission()))

    with ThreadPoolExecutor(4) as pool:
        answers = [*pool.map(send, range(12))]
    good = [one.json() for one in answers if one.status_code == 200]
    assert len(good) == (1 if rejects else 12)
    assert all(one == good[0] for one in good)
    assert len(ids(get(client, f"{store}/messages"))) == 1


def test_a_store_may_refuse_duplicates(
    client: TestClient, make_store: Callable[..., str], ingest: Callable[..., Any]
) -> None:
    store = make_store(rejectDuplicateMessage=True)
    ingest(store, admission())
    error = refused(client.post(f"/v1/{store}/messages:ingest", json=body(admission())))
    assert error["status"] == "INVALID_ARGUMENT"
    nack = base64.b64decode(error["details"][0]["hl7Nack"]).decode()
    assert "\rMSA|AE|MSG00001|duplicate message" in nack
    created = client.post(f"/v1/{store}/messages", json=body(admission()))
    assert refused(created, 409)["status"] == "ALREADY_EXISTS"
    ingest(store, admission("OTHER"))


def test_a_refused_message_has_a_nack_and_is_not_kept(client: TestClient, hl7_store: str) -> None:
    sent = body(hl7v2_messages.EUROPEAN)
    error = refused(client.post(f"/v1/{hl7_store}/messages:ingest", json=sent))
    assert error["message"] == (
        "unsupported encoding in message, only ASCII and UTF-8 are supported"
    )
    [detail] = error["details"]
    assert detail["@type"] == (
        "type.googleapis.com/google.cloud.healthcare.v1.hl7v2.IngestMessageErrorDetail"
    )
    nack = base64.b64decode(detail["hl7Nack"]).decode()
    assert nack.endswith(f"\rMSA|AE|K1|{error['message']}")
    created = refused(client.post(f"/v1/{hl7_store}/messages", json=sent))
    assert created["message"] == error["message"]
    assert "details" not in created
    assert get(client, f"{hl7_store}/messages") == {}


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({}, "message.data is required"),
        ({"message": {}}, "message.data is required"),
        ({"message": {"data": "*"}}, "Base64"),
        ({"message": {"data": "QQ==", "labels": {"A": "x"}}}, "label"),
        ({"message": {"content": "QQ=="}}, "Cannot find field"),
    ],
)
@pytest.mark.parametrize("verb", ["", ":ingest"])
def test_a_request_that_is_not_valid(
    client: TestClient, hl7_store: str, verb: str, sent: Any, reason: str
) -> None:
    assert reason in refused(client.post(f"/v1/{hl7_store}/messages{verb}", json=sent))["message"]


def test_the_store_and_the_message_must_exist(client: TestClient, hl7_store: str) -> None:
    for answer in (
        client.post(f"/v1/{hl7_store}x/messages:ingest", json=body(admission())),
        client.get(f"/v1/{hl7_store}x/messages"),
        client.get(f"/v1/{hl7_store}/messages/none"),
        client.delete(f"/v1/{hl7_store}/messages/none"),
        client.patch(f"/v1/{hl7_store}/messages/none?updateMask=labels", json={}),
    ):
        assert refused(answer, 404)["status"] == "NOT_FOUND"


def test_views(client: TestClient, hl7_store: str, ingest: Callable[..., Any]) -> None:
    name = ingest(hl7_store, admission(), a="b")["message"]["name"]
    attributes = {
        "name",
        "createTime",
        "labels",
        "messageType",
        "sendFacility",
        "sendTime",
        "patientIds",
    }
    for view, fields in {
        "RAW_ONLY": attributes | {"data"},
        "PARSED_ONLY": attributes | {"parsedData"},
        "SCHEMATIZED_ONLY": attributes,
        "FULL": attributes | {"data", "parsedData"},
        "BASIC": {"name"},
    }.items():
        assert set(get(client, name, view=view)) == fields
        [listed] = get(client, f"{hl7_store}/messages", view=view)["hl7V2Messages"]
        assert set(listed) == fields
    assert get(client, name) == get(client, name, view="FULL")
    assert get(client, f"{hl7_store}/messages")["hl7V2Messages"] == [{"name": name}]
    assert "view" in refused(client.get(f"/v1/{name}?view=HALF"))["message"]


def test_a_list_by_send_time(
    client: TestClient, hl7_store: str, ingest: Callable[..., Any]
) -> None:
    days = {"3": "20240303", "1": "20240301", "2": "20240302", "none": ""}
    names = {
        key: ingest(hl7_store, admission(key, day))["message"]["name"].rpartition("/")[2]
        for key, day in days.items()
    }
    path = f"{hl7_store}/messages"
    assert ids(get(client, path)) == list(names.values())
    ordered = [names[key] for key in ("none", "1", "2", "3")]
    assert ids(get(client, path, orderBy="send_time")) == ordered
    assert ids(get(client, path, orderBy="send_time desc")) == ordered[::-1]
    assert "order_by" in refused(client.get(f"/v1/{path}?orderBy=name"))["message"]
    for order in ("", "send_time", "send_time desc"):
        whole = ids(get(client, path, orderBy=order))
        pages, token = [], ""
        while True:
            page = get(client, path, orderBy=order, pageSize=2, pageToken=token)
            pages += ids(page)
            token = page.get("nextPageToken", "")
            if not token:
                break
        assert pages == whole


def test_a_filter_of_a_list(client: TestClient, hl7_store: str, ingest: Callable[..., Any]) -> None:
    ingest(hl7_store, admission())
    result = ingest(hl7_store, hl7v2_messages.RESULT)["message"]["name"].rpartition("/")[2]
    listed = get(client, f"{hl7_store}/messages", filter='message_type = "ORU"')
    assert ids(listed) == [result]
    error = refused(client.get(f"/v1/{hl7_store}/messages?filter=color=red"))
    assert "message_type" in error["message"]


def test_a_patch_changes_labels_alone(
    client: TestClient, hl7_store: str, ingest: Callable[..., Any]
) -> None:
    before = ingest(hl7_store, admission(), a="1", b="2")["message"]
    name = before["name"]
    changed = client.patch(f"/v1/{name}?updateMask=labels", json={"labels": {"c": "3"}}).json()
    assert changed == {**before, "labels": {"c": "3"}}
    one = client.patch(f"/v1/{name}?updateMask=labels.d", json={"labels": {"d": "4"}}).json()
    assert one["labels"] == {"c": "3", "d": "4"}
    assert "labels" not in client.patch(f"/v1/{name}?updateMask=labels", json={}).json()
    for mask, sent in (("", {}), ("data", {"data": "QQ=="}), ("labels", {"labels": {"A": ""}})):
        refused(client.patch(f"/v1/{name}?updateMask={mask}", json=sent))


def test_a_deleted_message_is_gone_and_may_come_again(
    client: TestClient, hl7_store: str, ingest: Callable[..., Any]
) -> None:
    first = ingest(hl7_store, admission(), a="1")
    name = first["message"]["name"]
    assert client.delete(f"/v1/{name}").json() == {}
    assert refused(client.get(f"/v1/{name}"), 404)
    second = ingest(hl7_store, admission())
    assert second["message"]["name"] == name
    assert "labels" not in second["message"]
    assert second["hl7Ack"] != first["hl7Ack"]


def test_a_batch_is_of_v1beta1_alone(
    client: TestClient, hl7_store: str, ingest: Callable[..., Any]
) -> None:
    names = [ingest(hl7_store, admission(key))["message"]["name"] for key in ("a", "b")]
    wanted = [name.rpartition("/")[2] for name in reversed(names)]
    path = f"{hl7_store}/messages:batchGet"
    answer = client.get(f"/v1beta1/{path}", params={"ids": wanted, "view": "RAW_ONLY"}).json()
    assert [one["name"] for one in answer["messages"]] == names[::-1]
    assert answer["messages"][1]["data"] == encoded(admission("a"))
    basic = client.get(f"/v1beta1/{path}", params={"ids": wanted[:1]}).json()
    assert basic == {"messages": [{"name": names[1]}]}
    for bad, status in (([], 400), (["x"] * 101, 400), (["none"], 404)):
        refused(client.get(f"/v1beta1/{path}", params={"ids": bad}), status)
    assert client.get(f"/v1/{path}", params={"ids": wanted}).status_code == 404


def test_messages_are_deleted_with_their_store_and_dataset(
    client: TestClient, cloud: Cloud, make_store: Callable[..., str], ingest: Callable[..., Any]
) -> None:
    stores = [make_store(name) for name in ("one", "two", "three")]
    for store in stores:
        ingest(store, admission())
    name = ingest(stores[0], admission("other"))["message"]["name"]
    client.delete(f"/v1/{name}").raise_for_status()

    def rows() -> list[str]:
        both = "SELECT store FROM hl7v2_messages UNION SELECT store FROM hl7v2_history"
        return sorted(row["store"] for row in cloud.healthcare.hl7v2.messages.select(both))

    assert rows() == sorted(stores)
    client.delete(f"/v1/{stores[0]}").raise_for_status()
    assert rows() == sorted(stores[1:])
    client.delete(f"/v1/{stores[1].partition('/hl7V2Stores')[0]}").raise_for_status()
    assert rows() == []


def test_a_restart_deletes_the_messages_of_a_store_that_is_gone(
    cloud: Cloud, make_store: Callable[..., str], ingest: Callable[..., Any]
) -> None:
    ingest(make_store(), admission())
    with cloud.database.write() as connection:
        connection.execute("DELETE FROM healthcare_resources WHERE name LIKE '%hl7V2Stores%'")
    cloud.healthcare.hl7v2.delete_orphans()
    assert cloud.healthcare.hl7v2.messages.select("SELECT 1 FROM hl7v2_messages") == []


def test_the_settings_of_a_store_decide_how_messages_are_parsed(
    client: TestClient, make_store: Callable[..., str], ingest: Callable[..., Any]
) -> None:
    plain = make_store("plain")
    first = ingest(plain, admission())["message"]["parsedData"]["segments"][0]["fields"]
    assert first["1"] == "^~\\&"
    lines = make_store("lines", parserConfig={"segmentTerminator": "Cg==", "version": "V3"})
    data = message("MSH|^~\\&|A|B|||||ADT|7", "NTE|1||\\F\\", terminator="\n")
    parsed = ingest(lines, data)["message"]["parsedData"]["segments"]
    assert parsed[1]["fields"]["3"] == "|"
    headless = make_store("headless", parserConfig={"allowNullHeader": True})
    found = ingest(headless, message("PID|1||9^^^X^MR"))
    assert found["message"]["patientIds"] == [{"value": "9", "type": "MR"}]
    assert base64.b64decode(found["hl7Ack"]).endswith(b"\rMSA|AA|")


def test_the_version_of_a_parser_is_immutable(client: TestClient, hl7_store: str) -> None:
    path = f"/v1/{hl7_store}?updateMask=parserConfig"
    same = {"parserConfig": {"version": "V2", "allowNullHeader": True}}
    assert client.patch(path, json=same).json()["parserConfig"] == same["parserConfig"]
    other = refused(client.patch(path, json={"parserConfig": {"version": "V3"}}))
    assert "immutable" in other["message"]


@pytest.mark.parametrize(
    "settings",
    [
        {"parserConfig": {"segmentTerminator": "*"}},
        {"parserConfig": {"segmentTerminator": "/w=="}},
        {"notificationConfigs": [{"filter": "color = red"}]},
    ],
)
def test_settings_that_are_not_valid(client: TestClient, dataset: str, settings: Any) -> None:
    refused(client.post(f"/v1/{dataset}/hl7V2Stores?hl7V2StoreId=bad", json=settings))


def test_callers_need_the_permission_of_each_method(open_cloud: Callable[..., Cloud]) -> None:
    cloud = open_cloud(enforce_iam=True)
    cloud.service_usage.services.enable("local-project", ["healthcare.googleapis.com"])
    location = "projects/local-project/locations/us-central1"
    with TestClient(create_app(cloud), "http://127.0.0.1") as client:
        client.post(f"/v1/{location}/datasets?datasetId=d", json={}).raise_for_status()
        stores = f"/v1/{location}/datasets/d/hl7V2Stores"
        client.post(f"{stores}?hl7V2StoreId=s", json={}).raise_for_status()
        member = "user:sender@example.com"
        binding = {"role": "roles/healthcare.hl7V2Ingest", "members": [member]}
        policy = {"policy": {"bindings": [binding]}}
        client.post(f"{stores}/s:setIamPolicy", json=policy).raise_for_status()
        as_sender = {"Authorization": f"Bearer local:{member}"}
        sent = client.post(f"{stores}/s/messages:ingest", json=body(admission()), headers=as_sender)
        assert sent.status_code == 200
        name = sent.json()["message"]["name"]
        for answer in (
            client.get(f"/v1/{name}", headers=as_sender),
            client.delete(f"/v1/{name}", headers=as_sender),
            client.get(f"{stores}/s/messages", headers=as_sender),
            client.post(f"{stores}/s/messages", json=body(admission("x")), headers=as_sender),
            client.post(f"{stores}/s:import", json={}, headers=as_sender),
        ):
            assert "hl7V2" in refused(answer, 403)["message"]
        assert client.get(f"/v1/{name}").status_code == 200
