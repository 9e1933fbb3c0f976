"""Escaping of a preview's text in Markdown, so that it can't inject markup.

Names and values come from a pull request, so from anyone. Each is written into a `<code>` element,
with characters that have a meaning in Markdown or HTML as entities: GitHub finds no mentions, no
references to issues and no emoji in it. An entity can't end a cell of a table, as even an escaped
pipe in a code span can.
"""

import re
import unicodedata

# The characters without a meaning inside a line, alone or together.
_PLAIN = re.compile(r"[A-Za-z0-9 .,/=-]")
# GitHub turns a bare address into a link by these letters.
_ADDRESS = re.compile(r"www\.", re.IGNORECASE)


def code(text: str) -> str:
    """Return `text` as code in one line; invisible characters are written out."""
    if not text:
        return "<code>&#34;&#34;</code>"
    escaped = "".join(map(_character, text))
    return f"<code>{_ADDRESS.sub(_unlink, escaped)}</code>"


def comment(text: str) -> str:
    """Return `text` for an HTML comment, without characters that could end it."""
    return re.sub(r"[^A-Za-z0-9_.]+", "-", text).strip("-")


def _unlink(match: re.Match[str]) -> str:
    return f"{match.group()[:3]}&#46;"


def _character(char: str) -> str:
    if _PLAIN.fullmatch(char):
        return char
    if char == "\n":
        return "&#9166;"  # a return symbol, as a cell has one line
    if unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}:
        # Control characters, and those that change the direction of writing.
        return f"&#92;u&#123;{ord(char):x}&#125;"
    return f"&#{ord(char)};" if ord(char) < 128 else char
