"""Names and values from a pull request can't say anything of their own in a comment."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from scripts.preview.escape import code, comment

# Enough of GitHub's dialect to be attacked: HTML, tables, links from bare addresses.
GITHUB = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
ATTACKS = [
    "a|b",
    "a\\|b",
    "`| x |`",
    "``",
    "</code><img src=x onerror=alert(1)>",
    "@team please",
    "closes #1",
    "<!-- x -->",
    "-->",
    "[text](https://example.com)",
    "![](https://example.com/x.png)",
    "www.example.com",
    "https://example.com",
    "**bold** _it_ ~~no~~",
    "line\nbreak\r\n| cell |",
    "&lt;b&gt; &#64;",
    ":smile:",
    "\u202ereversed\u200b",
    "\\",
    "",
    " ",
]


class Page(HTMLParser):
    """The page as a browser parses it: the tags, the cells and their text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.cells: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data.strip("\n")


def attacks(test: Callable[[str], None]) -> Callable[[str], None]:
    """Try every known attack, besides what hypothesis thinks of."""
    for attack in ATTACKS:
        test = example(attack)(test)
    return test


@attacks
@given(st.text())
def test_a_cell_stays_one_cell_with_one_code_element(text: str) -> None:
    page = Page(GITHUB.render(f"| a | b | c |\n| - | - | - |\n| x | {code(text)} | y |"))
    assert page.tags == {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert len(page.cells) == 3
    assert (page.cells[0], page.cells[2]) == ("x", "y")


@attacks
@given(st.text())
def test_nothing_is_left_that_github_would_act_on(text: str) -> None:
    inner = code(text).removeprefix("<code>").removesuffix("</code>")
    without_entities = re.sub(r"&#\d+;", "", inner)
    assert not set(without_entities) & set("|`<>@#*_~[]()!\\:{}&\"'\n\r$+^%;?")
    assert "www." not in without_entities.lower()


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_readers_see_the_very_text(text: str) -> None:
    page = Page(GITHUB.render(f"| a |\n| - |\n| x{code(text)}x |"))
    # HTML folds spaces, and so does a reader.
    assert " ".join(page.cells[0].split()) == " ".join(f"x{text}x".split())


def test_what_cannot_be_seen_is_written_out() -> None:
    assert "202e" in code("\u202ex")
    assert "&#9166;" in code("a\nb")


@attacks
@given(st.text())
def test_a_marker_is_one_closed_comment(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.-]*", comment(text))
    assert "--" not in comment(text)
