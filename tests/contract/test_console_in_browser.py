"""The console in a real browser: what its tables show, and what it refuses."""

import json
from typing import Any

import pytest

from emulator.server.server_file import ServerInfo
from tests.support import browser, hl7v2_messages, http, viewer_pages
from tests.support.browser import Tab
from tests.support.compute_requests import (
    PORT,
    RULES,
    SERVICES,
    balance,
    make_group,
    user_data,
)
from tests.support.console_pages import cells, open_console
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.sockets,
    pytest.mark.skipif(browser.why_not() is not None, reason=str(browser.why_not())),
]

_SHADES = """image => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 64, height: 64});
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0, 64, 64);
  return new Set(context.getImageData(0, 0, 64, 64).data).size;
}"""
"""Returns the number of values in the picture of an <img>: one while it is not loaded."""


def store_url(emulator: ServerInfo, project: str, collection: str) -> str:
    location = f"{emulator.url}/v1/projects/{project}/locations/us-central1"
    return f"{location}/datasets/dataset1/{collection}"


def test_stores_and_studies_with_pictures(emulator: ServerInfo, project: str, tab: Tab) -> None:
    viewer_pages.fill_store(emulator.url, project, "88")
    page = open_console(tab, project)
    assert cells(page, "stores")[:4] == [
        "dataset1",
        "dicomstore1",
        "DICOM",
        "1 studies, 1 instances",
    ]
    bytes_of_store = cells(page, "stores")[4]
    assert bytes_of_store.endswith(" kB")
    summary = page.get_by_role("region", name="Datasets and stores").get_by_role("status")
    assert summary.inner_text() == f"1 datasets, 1 stores, {bytes_of_store}"
    assert "done" in page.locator("#operations tr", has_text="CreateDataset").inner_text()
    assert "Synthetic" not in page.inner_text("body")  # patient data only on request

    page.get_by_role("button", name="Show studies of dicomstore1").click()
    page.get_by_role("cell", name="Patient 88").wait_for()
    assert "Cardiomegaly|Effusion" in page.locator("#studies").inner_text()
    link = page.locator("#studies a")
    study = viewer_pages.study_of("00000088_000")
    source = f"{project}~us-central1~dataset1~dicomstore1"
    assert link.get_attribute("href") == f"/viewer/{source}?StudyInstanceUIDs={study}"
    picture = page.get_by_role("img", name=f"First image of study {study}")
    picture.scroll_into_view_if_needed()
    wait_until(lambda: picture.evaluate(_SHADES) > 50, "the picture stays empty")


def test_hl7v2_messages_and_their_content(emulator: ServerInfo, project: str, tab: Tab) -> None:
    viewer_pages.fill_store(emulator.url, project)
    stores = store_url(emulator, project, "hl7V2Stores")
    http.post(f"{stores}?hl7V2StoreId=reports", json={}).raise_for_status()
    for data in (hl7v2_messages.admission(), hl7v2_messages.RESULT):
        body = hl7v2_messages.body(data)
        http.post(f"{stores}/reports/messages", json=body).raise_for_status()

    page = open_console(tab, project)
    assert "2 messages" in cells(page, "stores")
    page.get_by_role("button", name="Show messages of reports").click()
    page.get_by_role("heading", name="HL7v2 messages of reports").wait_for()
    rows = page.locator("#messages tbody tr").all_inner_texts()
    assert [row.split("\t")[2:4] for row in rows] == [["ORU", "SOUTH"], ["ADT", "NORTH"]]
    assert "Muster" not in page.inner_text("body")

    page.locator("#messages tr", has_text="ADT").get_by_role("button", name="Open").click()
    page.get_by_text("Muster^Änne^B").wait_for()
    segments = hl7v2_messages.admission().decode().strip().split("\r")
    assert page.inner_text("#message").strip().split("\n") == segments


def test_fhir_resources_and_their_content(emulator: ServerInfo, project: str, tab: Tab) -> None:
    viewer_pages.fill_store(emulator.url, project)
    stores = store_url(emulator, project, "fhirStores")
    settings = {"version": "R4", "enableUpdateCreate": True}
    http.post(f"{stores}?fhirStoreId=records", json=settings).raise_for_status()
    headers = {"Content-Type": "application/fhir+json"}
    for name in ("Patient/ann", "Patient/bob", "Observation/weight"):
        resource_type, _, resource_id = name.partition("/")
        body: dict[str, Any] = {"resourceType": resource_type, "id": resource_id}
        if resource_type == "Patient":
            body["name"] = [{"family": f"Muster-{resource_id}"}]
        else:
            body |= {
                "status": "final",
                "code": {"text": "Weight"},
                "valueQuantity": {"value": 70.0},
            }
        url = f"{stores}/records/fhir/{name}"
        http.put(url, json=body, headers=headers).raise_for_status()

    page = open_console(tab, project)
    assert "3 resources" in cells(page, "stores")
    page.get_by_role("button", name="Show resources of records").click()
    page.get_by_role("heading", name="FHIR resources of records").wait_for()
    choice = page.get_by_role("combobox", name="Type")
    assert choice.locator("option").all_inner_texts() == ["Observation (1)", "Patient (2)"]
    choice.select_option("Patient")
    page.get_by_role("cell", name="ann", exact=True).wait_for()
    assert cells(page, "resources")[::4] == ["bob", "ann"]
    assert "Muster" not in page.inner_text("body")

    page.get_by_role("button", name="Open Patient ann").click()
    page.get_by_text("Muster-ann").wait_for()
    assert json.loads(page.inner_text("#resource"))["name"] == [{"family": "Muster-ann"}]
    choice.select_option("Observation")
    page.get_by_role("button", name="Open Observation weight").click()
    page.get_by_text('"value": 70.0').wait_for()  # as it was written


def test_topics_keep_the_messages_that_the_page_shows(
    emulator: ServerInfo, project: str, tab: Tab
) -> None:
    topic, watch = f"projects/{project}/topics/events", f"projects/{project}/subscriptions/watch"
    http.put(f"{emulator.url}/v1/{topic}", json={}).raise_for_status()
    http.put(f"{emulator.url}/v1/{watch}", json={"topic": topic}).raise_for_status()
    binary = {"messages": [{"data": "/v8="}]}
    http.post(f"{emulator.url}/v1/{topic}:publish", json=binary).raise_for_status()

    page = open_console(tab, project)
    assert cells(page, "topics")[:2] == ["events", "watch"]
    page.get_by_role("button", name="Show messages of events").click()
    page.get_by_role("cell", name="2 bytes that are not text").wait_for()
    form = page.get_by_role("form", name="Publish a test message")
    form.get_by_label("Data").fill("<b>Grüße</b>")
    form.get_by_label("Attributes").fill("action=Test\n\nnote = a=b")
    form.get_by_role("button", name="Publish").click()
    page.get_by_role("cell", name="<b>Grüße</b>").wait_for()
    assert cells(page, "topic-subscriptions") == ["watch", "2"]
    assert cells(page, "topic-messages")[2:4] == ["action=Test\nnote=a=b", "<b>Grüße</b>"]
    form.get_by_label("Attributes").fill("wrong")
    form.get_by_role("button", name="Publish").click()
    page.get_by_role("alert").get_by_text("not written as KEY=VALUE").wait_for()

    pulled: dict[str, Any] = http.post(
        f"{emulator.url}/v1/{watch}:pull", json={"maxMessages": 10}
    ).json()
    assert [each["message"].get("attributes") for each in pulled["receivedMessages"]] == [
        None,
        {"action": "Test", "note": "a=b"},
    ]


def test_who_can_do_what(emulator: ServerInfo, project: str, tab: Tab) -> None:
    viewer_pages.fill_store(emulator.url, project)
    store = f"{store_url(emulator, project, 'dicomStores')}/dicomstore1"
    condition = {"title": "until", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"}
    binding = {
        "role": "roles/healthcare.dicomViewer",
        "members": ["user:ann@example.com"],
        "condition": condition,
    }
    body = {"policy": {"bindings": [binding], "version": 3}}
    http.post(f"{store}:setIamPolicy", json=body).raise_for_status()
    reference = {"projectId": project, "datasetId": "shared"}
    access = [{"role": "READER", "userByEmail": "bob@example.com"}]
    datasets = f"{emulator.url}/bigquery/v2/projects/{project}/datasets"
    http.post(datasets, json={"datasetReference": reference, "access": access}).raise_for_status()

    page = open_console(tab, project)
    lines = page.locator("#access tbody tr").all_inner_texts()
    ann = ["user:ann@example.com", "roles/healthcare.dicomViewer"]
    where = "locations/us-central1/datasets/dataset1/dicomStores/dicomstore1"
    assert [*ann, where, condition["expression"]] in [line.split("\t") for line in lines]
    assert any("roles/owner" in line and f"projects/{project}" in line for line in lines)
    page.get_by_role("searchbox").fill("BOB@")
    page.get_by_role("status").get_by_text(f"1 of {len(lines)} lines").wait_for()
    assert cells(page, "access") == [
        "user:bob@example.com",
        "READER",
        "BigQuery dataset shared",
        "",
    ]


def test_tables_queries_and_failures(emulator: ServerInfo, project: str, tab: Tab) -> None:
    root = f"{emulator.url}/bigquery/v2/projects/{project}"
    reference = {"projectId": project, "datasetId": "warehouse"}
    http.post(f"{root}/datasets", json={"datasetReference": reference}).raise_for_status()
    create = "CREATE TABLE warehouse.findings AS SELECT '<b>bold</b>' AS label, 88 AS patient"
    body = {"query": create, "useLegacySql": False}
    http.post(f"{root}/queries", json=body).raise_for_status()
    entry = {
        "logName": f"projects/{project}/logs/test",
        "resource": {"type": "global"},
        "severity": "ERROR",
        "textPayload": "<img src=x> could not be read",
    }
    http.post(f"{emulator.url}/v2/entries:write", json={"entries": [entry]}).raise_for_status()

    page = open_console(tab, project)
    assert cells(page, "tables")[:4] == ["warehouse", "findings", "TABLE", "1"]
    assert "<img src=x> could not be read" in cells(page, "failures")
    sql, run = page.get_by_label("Query (one SELECT)"), page.get_by_role("button", name="Run")
    sql.fill("SELECT * FROM warehouse.findings")
    run.click()
    page.get_by_role("status").get_by_text("1 rows").wait_for()
    assert cells(page, "rows") == ["<b>bold</b>", "88"]
    for refused in ("DROP TABLE warehouse.findings", "SELECT 1; DROP TABLE warehouse.findings"):
        sql.fill(refused)
        run.click()
        page.get_by_role("alert").get_by_text("one statement that begins with").wait_for()
        sql.fill("WITH one AS (SELECT 1) SELECT * FROM one")
        run.click()
        page.get_by_role("alert").wait_for(state="hidden")
    assert http.get(f"{root}/datasets/warehouse/tables/findings").status_code == 200


def test_workloads_with_the_end_of_their_log(emulator: ServerInfo, project: str, tab: Tab) -> None:
    enabled = {"serviceIds": ["compute.googleapis.com", "run.googleapis.com"]}
    services = f"{emulator.url}/v1/projects/{project}/services:batchEnable"
    http.post(services, json=enabled).raise_for_status()
    root = f"{emulator.url}/compute/v1/projects/{project}"

    def send(method: str, path: str, body: Any = None) -> Any:
        return http.request(method, f"{root}/{path}", json=body).raise_for_status().json()

    # A program that prints how it is used, and ends: it is started again and again.
    text = user_data("registry.example/mllp-adapter:1", "--help")
    group = make_group(send, text)
    rule = balance(send)
    container = {"image": "registry.example/mllp-adapter:2", "args": ["--help"]}
    service = {"template": {"containers": [container]}}
    run = f"{emulator.url}/v2/projects/{project}/locations/us-central1/services"
    http.post(f"{run}?serviceId=web", json=service).raise_for_status()
    try:
        wait_until(lambda: len(_containers(emulator, project)) == 2, "no container is started")
        page = open_console(tab, project)
        row = page.locator("#workloads tr", has_text="registry.example/mllp-adapter:1")
        [address] = [
            each["address"] for each in _containers(emulator, project) if each["port"] is None
        ]
        assert row.locator("td").all_inner_texts()[2] == address
        uri = http.get(f"{run}/web").json()["uri"]
        assert cells(page, "addresses") == [
            *("r", "Forwarding rule", f"{rule['IPAddress']}:{PORT}"),
            *("web", "Cloud Run service", uri),
        ]
        log = page.locator("#workload-log td", has_text="--help")

        def logged() -> bool:
            row.get_by_role("button", name="Show log").click()
            page.get_by_role("heading", name="(the last 50 lines)").wait_for()
            return log.count() > 0

        wait_until(logged, "the log does not show what the program prints")
    finally:
        http.delete(f"{run}/web").raise_for_status()
        for path in (f"{RULES}/r", f"{SERVICES}/b", group):
            send("DELETE", path)
        wait_until(lambda: not _containers(emulator, project), "the container stays")


def _containers(emulator: ServerInfo, project: str) -> list[dict[str, Any]]:
    address = f"{emulator.url}/_emulator/projects/{project}/containers"
    found: list[dict[str, Any]] = http.get(address).json()["containers"]
    return found
