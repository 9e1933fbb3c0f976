"""Make the pictures of pages in `docs/images/`: `python -m tests.support.screenshots`."""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from emulator.server import lifecycle
from emulator.viewer import address, fetch
from tests.support import browser, viewer_pages

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
            study = viewer_pages.study_of("00000088_000")
            with browser.open_tab(running.url) as tab:
                tab.page.goto(address.study(running.url, store, study))
                viewer_pages.wait_for_picture(tab.page)
                tab.page.get_by_text("Confirm and hide").click()
                tab.page.locator("img[src^='blob:']").first.wait_for()
                _save(tab.page, "viewer")
                tab.page.goto(f"{running.url}/_console/")
                tab.page.locator("#operations td", has_text="done").wait_for()
                tab.page.get_by_role("button", name="Show studies").click()
                tab.page.locator("#studies img").first.wait_for()
                tab.page.wait_for_load_state("networkidle")
                tab.page.evaluate("scrollTo(0, 0)")
                tab.page.wait_for_load_state("networkidle")
                _save(tab.page, "console")
        finally:
            lifecycle.stop(state)


def _save(page: Page, name: str) -> None:
    """Save a page as a PNG of few colours: a third of the bytes."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    file = IMAGES / f"{name}.png"
    picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    sys.stdout.write(f"{file}: {file.stat().st_size // 1000} kB\n")


if __name__ == "__main__":
    main()
