"""Members of IAM policies: which are the same."""

import re

_CASE_MATTERS = re.compile(
    r"(allUsers|allAuthenticatedUsers|principal\w*:|projectOwner|projectReader|projectWriter)"
)


def same_member(one: str, other: str) -> bool:
    """Whether two members are the same: e-mail addresses know no case."""
    if _CASE_MATTERS.match(one) or _CASE_MATTERS.match(other):
        return one == other
    return one.lower() == other.lower()


def normal_member(member: str) -> str:
    """Return a member as it is compared."""
    member_type, _, name = member.partition(":")
    return member if _CASE_MATTERS.match(member) or not name else f"{member_type}:{name.lower()}"
