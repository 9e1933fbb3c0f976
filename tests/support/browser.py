"""A real browser for the tests of pages: Chromium, driven by Playwright.

Playwright's package brings none, and its download is not on every network: the machine's own
Chromium is used (Debian and Ubuntu: apt-get install chromium), else the one that
`playwright install chromium` has downloaded.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Page, Response, sync_playwright

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTH, HEIGHT = 1280, 800
# Without a graphics card WebGL is computed, and root has no sandbox.
_OPTIONS = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
_DOWNLOADS = Path("~/.cache/ms-playwright").expanduser()
_MAX_WAIT_MILLISECONDS = 60_000


def why_not() -> str | None:
    """Why there is no browser on this machine; None if there is one."""
    if _command() or any(_DOWNLOADS.glob("chromium-*")):
        return None
    return f"no browser: none of {', '.join(COMMANDS)} on PATH, none of Playwright's downloaded"


def _command() -> str | None:
    return next(filter(None, map(shutil.which, COMMANDS)), None)


@dataclass
class Tab:
    """A page that is open, and what went wrong in it.

    Attributes:
        page: Playwright's page
        origin: `http://127.0.0.1:PORT`; the page needs no other
        troubles: warnings and errors of scripts, refused requests, requests to other origins
        requests: the paths of all requests
    """

    page: Page
    origin: str
    troubles: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Record what happens in the page."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("request", lambda request: self._request(request.url))
        self.page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(f"{message.type}: {message.text}")

    def _request(self, url: str) -> None:
        if url.startswith(("about:", "blob:", "data:")):
            return
        if not url.startswith(f"{self.origin}/"):
            self.troubles.append(f"request to {url}")
        self.requests.append(url.removeprefix(self.origin))

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.troubles.append(f"{response.status} of {response.url}")


@contextmanager
def open_tab(origin: str, **options: Any) -> Iterator[Tab]:
    """Open an empty page in a browser of its own, as long as the context lasts.

    Args:
        origin: `http://127.0.0.1:PORT`
        options: of Playwright's `new_page`
    """
    sandbox = () if os.getuid() else ("--no-sandbox",)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_command(), args=[*_OPTIONS, *sandbox])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, **options)
        page.set_default_timeout(_MAX_WAIT_MILLISECONDS)
        tab = Tab(page, origin)
        tab.listen()
        yield tab
        browser.close()
