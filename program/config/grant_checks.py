"""Errors between the grants of one list."""

from collections.abc import Iterator

from program.config.errors import ConfigError, show
from program.config.raw import maps, text, texts


def grant_errors(grants: object, key: str) -> Iterator[ConfigError]:
    """Yield an error for each member that gets a role twice under one condition.

    Args:
        grants: The raw list of grants.
        key: The full key of the list.
    """
    seen: dict[tuple[str, str, str], str] = {}
    for index, grant in maps(grants):
        condition = grant.get("condition")
        title = text(condition.get("title")) if isinstance(condition, dict) else ""
        for position, member in enumerate(texts(grant.get("members"))):
            membership = (text(grant.get("role")), member, title)
            here = f"{key}[{index}].members[{position}]"
            if member and membership in seen:
                message = f"has {membership[0]} already by {seen[membership]}. Remove one of them."
                yield ConfigError(here, message, show(member))
            seen.setdefault(membership, here)
