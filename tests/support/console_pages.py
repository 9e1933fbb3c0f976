"""The console in a browser tab."""

from playwright.sync_api import Page

from tests.support.browser import Tab


def open_console(tab: Tab, project: str) -> Page:
    """Open the console, and wait until all tables are there."""
    tab.page.goto(f"{tab.origin}/_console/?project={project}")
    tab.page.locator("main:not([aria-busy]) #stores td").first.wait_for()
    assert tab.page.get_by_label("Project").input_value() == project
    return tab.page


def cells(page: Page, table: str) -> list[str]:
    """Return the texts of a table's cells, row by row."""
    return page.locator(f"#{table} tbody td").all_inner_texts()
