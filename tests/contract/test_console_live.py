"""The console as things happen, and for people who use it in several ways."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from playwright.sync_api import Page, Route

from emulator.server.server_file import ServerInfo
from emulator.services.storage.public_bucket import BUCKET
from tests.support import browser, http, viewer_pages
from tests.support.browser import Tab
from tests.support.console_pages import cells, open_console
from tests.support.import_export import Lab
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.sockets,
    pytest.mark.skipif(browser.why_not() is not None, reason=str(browser.why_not())),
]

ALL = f"gs://{BUCKET}/dicom/*.dcm"
FEW = f"gs://{BUCKET}/dicom/0000008*.dcm"
MIN_CONTRAST = 4.5
"""Of text to its background: https://www.w3.org/TR/WCAG22/#contrast-minimum."""
ATTACKER = "http://attacker.example"

_CONTRASTS = """() => {
  const linear = (part) => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4;
  const luminance = (color) => {
    const [red, green, blue] = color.match(/[\\d.]+/g).map((part) => linear(part / 255));
    return .2126 * red + .7152 * green + .0722 * blue;
  };
  const background = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor;
      if (!color.endsWith(', 0)')) return color;
    }
  };
  const texts = document.querySelectorAll('h1, h2, label, th, td, a:not(.skip), button, select');
  return [...texts].map((element) => {
    const colors = [getComputedStyle(element).color, background(element)];
    const [dark, light] = colors.map(luminance).sort((one, other) => one - other);
    return [element.textContent.slice(0, 40), (light + .05) / (dark + .05)];
  });
}"""
_SEND = """async (address) => {
  const outcomes = [];
  for (const mode of ['cors', 'no-cors']) {
    const options = {method: 'POST', mode, body: '{"messages": [{"data": "Zm9yZ2Vk"}]}'};
    outcomes.push(await fetch(address, options).then((one) => one.type, () => 'refused'));
  }
  return outcomes;
}"""
_FOCUSED = """() => {
  const focused = document.activeElement;
  return focused.getAttribute('aria-label') ?? focused.textContent;
}"""


@contextmanager
def stopped_workers(emulator: ServerInfo) -> Iterator[None]:
    """Stop the processes that parse files: an import has begun, and does not continue.

    One of those that wait for work holds the lock of their queue, so that none that starts
    meanwhile gets any.
    """
    workers = [
        each
        for each in psutil.Process(emulator.pid).children()
        if "multiprocessing.spawn" in " ".join(each.cmdline())
    ]
    assert workers
    for each in workers:
        each.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for each in workers:
            each.send_signal(signal.SIGCONT)


@pytest.fixture
def lab(emulator: ServerInfo, project: str, grant: object) -> Lab:
    """A lab whose emulator has started its workers."""
    lab = Lab(emulator, project)
    lab.import_(FEW, lab.add_store("few"))
    return lab


def test_an_import_shows_its_progress_and_its_end(
    emulator: ServerInfo, project: str, tab: Tab, lab: Lab
) -> None:
    page = open_console(tab, project)
    with stopped_workers(emulator):
        lab.begin_import(ALL)
        row = page.locator("#operations tr", has_text="running")
        row.wait_for()  # the page was there before: it looks by itself
        progress = row.get_by_role("progressbar", name="Progress of ImportDicomData of dataset1")
        wait_until(lambda: progress.get_attribute("max") == "405", "the total is not shown")
        assert int(progress.get_attribute("value") or -1) < 405
        assert "pending" in row.inner_text()
        page.get_by_role("status").get_by_text("operations running").wait_for()
        button = page.get_by_role("button", name="Cancel ImportDicomData of dataset1")
        button.focus()
        looks = _looks(tab)
        wait_until(lambda: _focused(page) and _looks(tab) > looks + 1, "the page looks no more")
        assert _focused(page) == "Cancel ImportDicomData of dataset1"
    page.locator("#operations tr", has_text="success 405").get_by_text("done").wait_for()
    assert page.get_by_role("progressbar").count() == 0
    # What the import has changed is shown without a new look at the page.
    page.locator("#stores tr", has_text="dicomstore1").get_by_text("405 instances").wait_for()


def test_an_import_is_cancelled(emulator: ServerInfo, project: str, tab: Tab, lab: Lab) -> None:
    page = open_console(tab, project)
    with stopped_workers(emulator):
        name = lab.begin_import(ALL)
        page.get_by_role("button", name="Cancel ImportDicomData of dataset1").click()
        page.locator("#operations tr", has_text="ends").wait_for()
        found = http.get(f"{emulator.url}/v1/{name}").json()
        assert found["metadata"]["cancelRequested"] is True
    page.locator("#operations td", has_text="failed: The operation was cancelled.").wait_for()
    assert lab.wait(name)["error"]["code"] == 1


def test_a_change_of_the_project_leaves_nothing_of_the_other(
    emulator: ServerInfo, project: str, tab: Tab
) -> None:
    viewer_pages.fill_store(emulator.url, project, "88")
    topic = f"{emulator.url}/v1/projects/{project}/topics/events"
    http.put(topic, json={}).raise_for_status()
    other = f"{project}-other"
    http.get(f"{emulator.url}/v1/projects/{other}").raise_for_status()

    page = open_console(tab, project)
    assert "dicomstore1" in cells(page, "stores")
    page.get_by_role("button", name="Show studies of dicomstore1").click()
    page.get_by_role("cell", name="Patient 88").wait_for()
    page.get_by_label("Project").select_option(other)
    page.get_by_role("cell", name="No datasets.").wait_for()
    page.get_by_role("status").get_by_text("Cloud Pub/Sub API has not been used").wait_for()
    page.locator("main:not([aria-busy])").wait_for()
    assert cells(page, "topics") == []
    assert page.get_by_role("region", name="Studies").count() == 0
    assert page.get_by_role("alert").count() == 0  # an API that is not used is not an error
    assert page.url.endswith(f"?project={other}")
    tab.troubles[:] = [each for each in tab.troubles if "403" not in each]

    page.get_by_label("Project").select_option(project)
    page.get_by_role("cell", name="events", exact=True).wait_for()
    assert page.get_by_text("has not been used").count() == 0

    http.put(f"{topic}-2", json={}).raise_for_status()
    page.get_by_role("button", name="Refresh").click()
    page.get_by_role("cell", name="events-2", exact=True).wait_for()


def test_the_keyboard_alone_is_enough(emulator: ServerInfo, project: str, tab: Tab) -> None:
    viewer_pages.fill_store(emulator.url, project, "88")
    page = open_console(tab, project)
    page.keyboard.press("Tab")
    assert _focused(page) == "Skip to the tables"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert _focused(page) == "Show studies of dicomstore1"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    heading = "Studies of dicomstore1 (the first 20)"
    page.get_by_role("heading", name=heading).wait_for()
    wait_until(lambda: _focused(page) == heading, "the focus is not on the studies")
    page.keyboard.press("Tab")
    study = viewer_pages.study_of("00000088_000")
    assert str(page.evaluate("document.activeElement.href")).endswith(f"StudyInstanceUIDs={study}")
    names = page.evaluate(
        "[...document.querySelectorAll('a, button, input, select, textarea')]"
        ".filter((one) => !one.closest('[hidden]')).map((one) => one.tabIndex)"
    )
    assert {*names} == {0}  # all in the order of the page


def test_roles_and_names_say_what_is_on_the_page(
    emulator: ServerInfo, project: str, tab: Tab
) -> None:
    page = open_console(tab, project)
    for name in (
        *("Datasets and stores", "Operations", "Topics", "BigQuery tables", "Who can do what"),
        "Failures in the log",
    ):
        region = page.get_by_role("region", name=name)
        assert region.get_by_role("heading", name=name, level=2).count() == 1
        assert region.get_by_role("table", name=name).count() == 1
        link = page.get_by_role("navigation", name="Tables").get_by_role("link", name=name)
        assert page.locator(str(link.get_attribute("href"))).count() == 1
    heads = page.get_by_role("table", name="Topics").get_by_role("columnheader")
    assert heads.all_inner_texts() == ["Topic", "Subscriptions", "Messages"]
    assert page.get_by_role("main").count() == 1
    assert page.get_by_role("combobox", name="Project").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_text_is_readable_in_both_schemes(
    emulator: ServerInfo, project: str, tab: Tab, scheme: str
) -> None:
    viewer_pages.fill_store(emulator.url, project)
    tab.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page = open_console(tab, project)
    contrasts = page.evaluate(_CONTRASTS)
    tab.page.emulate_media(color_scheme=None)
    assert len(contrasts) > 30
    assert [each for each in contrasts if each[1] < MIN_CONTRAST] == []
    background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert background.startswith("rgb(")


def test_a_page_of_another_origin_publishes_nothing(
    emulator: ServerInfo, project: str, tab: Tab
) -> None:
    topic = f"projects/{project}/topics/events"
    http.put(f"{emulator.url}/v1/{topic}", json={}).raise_for_status()
    address = f"{emulator.url}/v1/{topic}:publish"
    form = f"""<!doctype html><form method=post enctype=text/plain action="{address}">
      <input name='{{"messages": [{{"data": "Zm9yZ2Vk", "attributes": {{"a": "' value='"}}}}]}}'>
      <button>Go</button></form>"""

    def serve(route: Route) -> None:
        route.fulfill(body=form, content_type="text/html")

    session = tab.page.context.browser
    assert session
    with session.new_page() as page:
        page.route(f"{ATTACKER}/**", serve)
        page.goto(f"{ATTACKER}/")
        assert page.evaluate(_SEND, address)[0] == "refused"
        page.get_by_role("button", name="Go").click()
        page.wait_for_load_state()
    shown = http.get(f"{emulator.url}/_emulator/{topic}/messages").json()
    assert shown["messages"] == []


def _looks(tab: Tab) -> int:
    """Return how often the page has asked for operations."""
    return sum(each.endswith("/operations") for each in tab.requests)


def _focused(page: Page) -> str:
    return str(page.evaluate(_FOCUSED))
