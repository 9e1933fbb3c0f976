"""The published viewer: its files beside the APIs, and a patient's x-ray in a real browser."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from emulator.server.server_file import ServerInfo
from tests.support import browser, http, viewer_pages
from tests.support.waiting import wait_until
from viewer import address, app_config, cache

pytestmark = pytest.mark.sockets

TYPES = {"css": "text/css", "ico": "image/", "js": "text/javascript", "png": "image/png"}
PATIENT_88 = "00000088_000"


@pytest.fixture(scope="module", autouse=True)
def viewer() -> None:
    """The viewer in the user's cache; without it and without a registry, the reason to skip."""
    if reason := viewer_pages.why_not():
        pytest.skip(reason)


@pytest.fixture
def store(emulator: ServerInfo, project: str) -> str:
    """A store with the x-rays of two patients, four studies."""
    return viewer_pages.fill_store(emulator.url, project, "1", "88")


def test_a_page_and_all_that_it_loads_are_served(emulator: ServerInfo, store: str) -> None:
    page = http.get(address.study(emulator.url, store, "1.2.3"))
    assert "<title>OHIF Viewer</title>" in page.text
    names = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    assert len(names) > 20
    for name in names:
        answer = http.get(f"{emulator.url}{name}")
        assert answer.status_code == 200, name
        wanted = (
            "text/javascript"
            if name.endswith(".js")
            else "text/css"
            if name.endswith(".css")
            else ""
        )
        assert answer.headers["content-type"].startswith(wanted)
    assert store in http.get(f"{emulator.url}/app-config.js").text


def test_the_settings_are_those_that_the_publishers_use_for_google_cloud() -> None:
    theirs = (cache.folder() / "google.js").read_text()
    ours = app_config.script(["projects/p/locations/l/datasets/d/dicomStores/s"])
    settings = json.loads(ours.removeprefix("window.config = ").removesuffix(";\n"))
    source = settings["dataSources"][0]
    assert f"namespace: '{source['namespace']}'" in theirs
    common = {
        name: value
        for name, value in source["configuration"].items()
        if re.search(rf"\b{name}: ", theirs) and not name.endswith(("Root", "ame"))
    }
    assert len(common) >= 8
    for name, value in common.items():
        written = f"'{value}'" if isinstance(value, str) else str(value).lower()
        assert f"{name}: {written}," in theirs


def test_the_command_line_prints_the_address(emulator: ServerInfo) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "emulator", "viewer"],
        env={**os.environ, "LAB_DIR": str(emulator.state.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{emulator.url}/\n"
    assert "not for diagnosis" in done.stderr


@pytest.mark.skipif(browser.why_not() is not None, reason=str(browser.why_not()))
def test_a_browser_shows_patient_88_and_the_list(emulator: ServerInfo, store: str) -> None:
    expected = viewer_pages.rendered(emulator.url, store, PATIENT_88)
    with browser.open_tab(emulator.url) as tab:
        page = tab.page
        page.goto(address.study(emulator.url, store, viewer_pages.study_of(PATIENT_88)))
        viewer_pages.wait_for_picture(page)
        picture = viewer_pages.shown(page, expected.shape)
        assert picture.std() > 30
        assert np.corrcoef(picture.ravel(), expected.ravel())[0, 1] > 0.99
        assert np.abs(picture - expected).mean() < 5

        page.get_by_text("L:", exact=True).wait_for()
        box = page.locator("canvas.cornerstone-canvas").bounding_box()
        assert box
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.move(*middle)
        page.mouse.down()
        page.mouse.move(middle[0], middle[1] + 40, steps=4)  # a higher level: darker
        page.mouse.up()
        page.get_by_text("128", exact=True).wait_for(state="detached")
        assert viewer_pages.shown(page, expected.shape).mean() < picture.mean() - 5

        page.locator("img[src^='blob:']").first.wait_for()  # the thumbnail, by /rendered
        page.goto(address.study_list(emulator.url, store))
        page.get_by_text("Synthetic, Patient 88").wait_for()
        rows = page.get_by_role("row").all_inner_texts()
        described = [row for row in rows if "Synthetic, Patient" in row]
        assert len(described) == 4
        assert sum("Patient 88" in row and "Cardiomegaly|Effusion" in row for row in described) == 1
    assert tab.troubles == []
    assert any(path.partition("?")[0].endswith("/rendered") for path in tab.requests)


@pytest.mark.skipif(browser.why_not() is not None, reason=str(browser.why_not()))
def test_lengths_are_in_millimetres_and_the_series_has_no_warning(
    emulator: ServerInfo, store: str
) -> None:
    """The viewer says `Proj` where it knows that a length is one in the plane of the detector.

    It says `px` without spacing and `Unknown` without that of the detector, and shows a sign beside
    the thumbnail where a series lacks something.
    """
    study = viewer_pages.study_of(PATIENT_88)
    metadata = http.get(f"{emulator.url}/v1/{store}/dicomWeb/studies/{study}/metadata").json()[0]
    (row_spacing, spacing), shape = (
        metadata["00280030"]["Value"],
        [metadata[tag]["Value"][0] for tag in ("00280010", "00280011")],
    )
    assert row_spacing == spacing
    with browser.open_tab(emulator.url) as tab:
        page = tab.page
        page.goto(address.study(emulator.url, store, study))
        viewer_pages.wait_for_picture(page)
        page.get_by_text("Confirm and hide").click()
        page.locator("img[src^='blob:']").first.wait_for()
        page.locator("[data-cy='MeasurementTools-split-button-primary']").click()
        box = page.locator("canvas.cornerstone-canvas").bounding_box()
        assert box
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x - 100, y)
        page.mouse.down()
        page.mouse.move(x + 100, y, steps=4)
        page.mouse.up()
        label = page.get_by_text(re.compile(r"^[\d.]+ mm Proj$")).first
        label.wait_for()
        scale = min(box["height"] / shape[0], box["width"] / shape[1])
        expected = pytest.approx(200 / scale * spacing, rel=0.01)

        # The viewer also draws between two steps of the mouse: the first length may be shorter.
        wait_until(
            lambda: float((label.text_content() or "nan").split()[0]) == expected,
            f"the length never gets {expected} mm",
        )
        page.locator("[data-cy='study-browser-thumbnail']").wait_for()
        assert page.locator("[id^='display-set-tooltip-']").count() == 0
    assert tab.troubles == []
