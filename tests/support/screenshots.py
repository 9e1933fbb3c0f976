"""Make the pictures of pages in `docs/images/`: `python -m tests.support.screenshots`."""

import io
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from emulator.server import lifecycle
from tests.support import browser, hl7v2_messages, http, viewer_pages
from tests.support.browser import Tab
from tests.support.console_pages import open_console
from viewer import address, fetch

IMAGES = Path(__file__).parents[2] / "docs/images"
PROJECT = "local-project"
_COLOURS = 128
_PATIENTS = ("84", "88", "91")


def main() -> None:
    """Start a local Google Cloud, open its pages, and save what they show."""
    fetch.fetch(print)
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "emulator"
        running = lifecycle.start(state, all_services_enabled=True)
        try:
            store = viewer_pages.fill_store(running.url, PROJECT, *_PATIENTS)
            _fill(running.url)
            with browser.open_tab(running.url) as tab:
                _save_viewer(tab, store)
                _save_console(tab)
        finally:
            lifecycle.stop(state)


def _fill(url: str) -> None:
    """Add an HL7v2 store with messages of invented persons, and a topic with messages."""
    location = f"{url}/v1/projects/{PROJECT}/locations/us-central1"
    stores = f"{location}/datasets/dataset1/hl7V2Stores"
    topic = f"projects/{PROJECT}/topics/studies"
    _put(f"{url}/v1/{topic}", {})
    _put(f"{url}/v1/projects/{PROJECT}/subscriptions/archive", {"topic": topic})
    http.post(f"{stores}?hl7V2StoreId=reports", json={}).raise_for_status()
    for data in (hl7v2_messages.admission(), hl7v2_messages.RESULT):
        body = hl7v2_messages.body(data)
        http.post(f"{stores}/reports/messages", json=body).raise_for_status()
    for patient in _PATIENTS:
        attributes = {"action": "CreateInstance", "patient": patient}
        body = {"messages": [{"data": "c3R1ZHk=", "attributes": attributes}]}
        http.post(f"{url}/v1/{topic}:publish", json=body).raise_for_status()


def _put(url: str, body: Mapping[str, str]) -> None:
    http.put(url, json=body).raise_for_status()


def _save_viewer(tab: Tab, store: str) -> None:
    study = viewer_pages.study_of("00000088_000")
    tab.page.goto(address.study(tab.origin, store, study))
    viewer_pages.wait_for_picture(tab.page)
    tab.page.get_by_text("Confirm and hide").click()
    tab.page.locator("img[src^='blob:']").first.wait_for()
    _save(tab.page, "viewer")


def _save_console(tab: Tab) -> None:
    page = open_console(tab, PROJECT)
    page.get_by_role("button", name="Show studies").click()
    page.locator("#studies img").first.wait_for()
    page.wait_for_load_state("networkidle")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_load_state("networkidle")
    _save(page, "console")
    page.get_by_role("button", name="Show messages of reports").click()
    page.locator("#messages tr", has_text="ADT").get_by_role("button", name="Open").click()
    page.locator("#message", has_text="MSH").wait_for()
    page.emulate_media(color_scheme="dark")
    page.get_by_role("button", name="Show messages of studies").click()
    page.locator("#topic-messages td", has_text="patient=91").wait_for()
    page.evaluate("document.getElementById('messages-section').scrollIntoView()")
    _save(page, "console-messages")


def _save(page: Page, name: str) -> None:
    """Save a page as a PNG of few colours: a third of the bytes."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    file = IMAGES / f"{name}.png"
    picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    sys.stdout.write(f"{file}: {file.stat().st_size // 1000} kB\n")


if __name__ == "__main__":
    main()
