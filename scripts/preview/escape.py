"""Text of a preview inside Markdown: it must not be able to say anything of its own.

Names and values come from a pull request, so from anyone. Each goes into a `<code>` element with
every character that Markdown or HTML gives a meaning written as an entity: in there GitHub knows
no mentions, no references to issues and no emoji, and an entity can't end a table's cell, as even
an escaped pipe in a code span can.
"""

import re
import unicodedata

# The characters that mean nothing, alone or together, inside a line.
_PLAIN = re.compile(r"[A-Za-z0-9 .,/=-]")
# A bare address becomes a link by these letters alone.
_ADDRESS = re.compile(r"www\.", re.IGNORECASE)


def code(text: str) -> str:
    """Return `text` as code in one line; what can't be seen is written out."""
    if not text:
        return "<code>&#34;&#34;</code>"
    escaped = "".join(map(_character, text))
    return f"<code>{_ADDRESS.sub(_unlink, escaped)}</code>"


def comment(text: str) -> str:
    """Return `text` fit for an HTML comment: what ends one or is rare in a name is dropped."""
    return re.sub(r"[^A-Za-z0-9_.]+", "-", text).strip("-")


def _unlink(match: re.Match[str]) -> str:
    return f"{match.group()[:3]}&#46;"


def _character(char: str) -> str:
    if _PLAIN.fullmatch(char):
        return char
    if char == "\n":
        return "&#9166;"  # a return symbol: a cell has one line
    if unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}:
        # Control characters, and those that turn the direction of writing.
        return f"&#92;u&#123;{ord(char):x}&#125;"
    return f"&#{ord(char)};" if ord(char) < 128 else char
