"""A text of limited length, with a note on what did not fit."""

from collections.abc import Sequence

# Reserved for the last lines: the note on omissions, and the footer.
_RESERVE = 600


class Page:
    """A page that takes blocks and lists while there is room."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[str] = []
        self._size = 0
        self._omitted: list[str] = []

    def add(self, block: str, *, reserve: int = _RESERVE) -> bool:
        """Add a block and an empty line, if it fits."""
        if self._size + len(block) + 2 > self._limit - reserve:
            return False
        self._parts.append(block)
        self._size += len(block) + 2
        return True

    def add_list(
        self, opening: str, rows: Sequence[str], more: str, what: str, closing: str = ""
    ) -> None:
        """Add as many rows as fit, and the number of the others.

        Args:
            opening: the text before the rows
            rows: one line each
            more: the line for the rest, with `{}` for their number
            what: name of the rows, for the note if none fits
            closing: the text after the rows
        """
        room = self._limit - _RESERVE - self._size - len(opening) - len(closing) - len(more) - 24
        fitting = 0
        for row in rows:
            room -= len(row) + 1
            if room < 0:
                break
            fitting += 1
        if not fitting:
            if rows:
                self._omitted.append(f"{len(rows)} {what}")
            return
        lines = [opening, *rows[:fitting]] if opening else list(rows[:fitting])
        if fitting < len(rows):
            lines.append(more.format(len(rows) - fitting))
        self.add("\n".join([*lines, closing] if closing else lines))

    def text(self, footer: str) -> str:
        """Return the text, with the note on omissions and the footer."""
        if self._omitted:
            self.add(f"*Left out, too long for a comment: {', '.join(self._omitted)}.*", reserve=0)
        self.add(footer, reserve=0)
        return "\n\n".join(self._parts) + "\n"
