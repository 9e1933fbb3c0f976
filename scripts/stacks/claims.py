"""Claims of an example, each with what was seen of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from scripts.lib.cli import Output
from scripts.lib.errors import ScriptError


@dataclass(frozen=True)
class Claim:
    """A claim, and whether it holds.

    Attributes:
        text: the claim
        seen: what was seen
        holds: whether that is what the claim says
    """

    text: str
    seen: str
    holds: bool


def show(claims: Sequence[Claim], output: Output) -> None:
    """Print claims, as a table or as JSON.

    Raises:
        ScriptError: one of them does not hold
    """
    table = Table("claim", "seen", "holds", box=None, title_justify="left")
    for each in claims:
        table.add_row(each.text, each.seen, "yes" if each.holds else "NO")
    if not output.as_json:
        output.out.print(table)
    shape = [{"claim": each.text, "seen": each.seen, "holds": each.holds} for each in claims]
    wrong = [each.text for each in claims if not each.holds]
    if wrong:
        raise ScriptError(f"Not every claim holds: {'; '.join(wrong)}.", details={"claims": shape})
    output.json({"ok": True, "claims": shape})
