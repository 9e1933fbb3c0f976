"""The options of a tear-down, as values; importing it costs nothing."""

from dataclasses import dataclass
from datetime import timedelta

WAIT_SECONDS = 600.0
"""Default time for cancelled operations to end."""


@dataclass(frozen=True)
class Request:
    """The options of a tear-down.

    Attributes:
        resume: the command line that continues it
        dry_run: report only; change nothing
        older_than: minimum age of the last update
        strays: also delete stores that the stack did not create in its datasets
        timeout: seconds to wait for running operations and updates
        keep_grants: whether to leave the grants that no other stack of the backend holds, on
            resources that the stack does not destroy; None to ask
    """

    resume: str
    dry_run: bool = False
    older_than: timedelta | None = None
    strays: bool = False
    timeout: float = WAIT_SECONDS
    keep_grants: bool | None = None
