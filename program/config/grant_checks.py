"""What is wrong between the grants of one list."""

from collections.abc import Iterator

from components.problems import Problem, show
from components.settings.raw import maps, text, texts


def grant_problems(grants: object, key: str) -> Iterator[Problem]:
    """Members that get one role twice under one condition.

    Args:
        grants: The raw list of grants.
        key: The full key of the list.
    """
    seen: dict[tuple[str, str, str], str] = {}
    for index, grant in maps(grants):
        condition = grant.get("condition")
        title = text(condition.get("title")) if isinstance(condition, dict) else ""
        for place, member in enumerate(texts(grant.get("members"))):
            membership = (text(grant.get("role")), member, title)
            here = f"{key}[{index}].members[{place}]"
            if member and membership in seen:
                complaint = (
                    f"has {membership[0]} already by {seen[membership]}. Remove one of them."
                )
                yield Problem(here, complaint, show(member))
            seen.setdefault(membership, here)
