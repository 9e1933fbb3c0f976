"""The console in a real browser: what its tables show, and what it refuses."""

import pytest

from emulator.server.server_file import ServerInfo
from tests.support import browser, http, viewer_pages

pytestmark = [
    pytest.mark.sockets,
    pytest.mark.skipif(browser.why_not() is not None, reason=str(browser.why_not())),
]


def test_the_console_shows_a_project(emulator: ServerInfo, project: str) -> None:
    viewer_pages.fill_store(emulator.url, project, "88")
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

    with browser.open_tab(emulator.url) as tab:
        page = tab.page
        page.goto(f"{emulator.url}/_console/")
        page.get_by_label("Project").select_option(project)
        stores = page.locator("#stores tbody tr")
        stores.filter(has_text="1 studies, 1 instances").wait_for()
        cells = stores.locator("td").all_inner_texts()
        assert cells[:4] == ["dataset1", "dicomstore1", "DICOM", "1 studies, 1 instances"]
        assert cells[4].endswith(" kB")
        page.locator("#tables td", has_text="findings").wait_for()
        assert page.locator("#tables tbody td").all_inner_texts()[:4] == [
            *("warehouse", "findings", "TABLE", "1")
        ]
        page.locator("#failures td", has_text="<img src=x> could not be read").wait_for()
        page.locator("#operations tr", has_text="CreateDataset").wait_for()
        assert "done" in page.locator("#operations tr", has_text="CreateDataset").inner_text()
        assert "Synthetic" not in page.inner_text("body")  # patient data only on request

        page.get_by_role("button", name="Show studies").click()
        page.locator("#studies td", has_text="Patient 88").wait_for()
        assert "Cardiomegaly|Effusion" in page.locator("#studies").inner_text()
        link = page.locator("#studies a")
        study = viewer_pages.study_of("00000088_000")
        source = f"{project}~us-central1~dataset1~dicomstore1"
        assert link.get_attribute("href") == f"/viewer/{source}?StudyInstanceUIDs={study}"
        picture = link.locator("img")
        picture.scroll_into_view_if_needed()
        page.wait_for_load_state("networkidle")
        assert picture.evaluate("image => image.naturalWidth") > 100

        page.get_by_role("textbox").fill("SELECT * FROM warehouse.findings")
        page.get_by_role("button", name="Run").click()
        page.get_by_role("status").get_by_text("1 rows").wait_for()
        assert page.locator("#rows tbody td").all_inner_texts() == ["<b>bold</b>", "88"]
        assert tab.troubles == []

        for refused in ("DROP TABLE warehouse.findings", "SELECT 1; DROP TABLE warehouse.findings"):
            page.get_by_role("textbox").fill(refused)
            page.get_by_role("button", name="Run").click()
            page.get_by_role("alert").get_by_text("one statement that begins with").wait_for()
            page.get_by_role("textbox").fill("WITH one AS (SELECT 1) SELECT * FROM one")
            page.get_by_role("button", name="Run").click()
            page.get_by_role("alert").wait_for(state="hidden")
        assert http.get(f"{root}/datasets/warehouse/tables/findings").status_code == 200
