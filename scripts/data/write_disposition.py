"""Write dispositions of an export; importing this module costs nothing."""

from enum import StrEnum


class WriteDisposition(StrEnum):
    """The treatment of rows that are in the table already."""

    EMPTY = "empty"
    TRUNCATE = "truncate"
    APPEND = "append"

    @property
    def api_name(self) -> str:
        """As the Healthcare API spells it."""
        return f"WRITE_{self.name}"
