"""Whether a member has a permission, by the roles of its grants."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from googleapiclient.errors import HttpError

from scripts.lib.google import clients, retry
from scripts.lib.google.errors import translate_errors
from scripts.members.grants import Grant, is_member


@dataclass(frozen=True)
class Answer:
    """Where a member has a permission.

    Attributes:
        always: grants without a condition
        sometimes: grants with one
    """

    always: list[Grant] = field(default_factory=list)
    sometimes: list[Grant] = field(default_factory=list)


def check(
    grants: Iterable[Grant],
    member: str,
    permission: str,
    permissions_of: Callable[[str], frozenset[str]],
) -> Answer:
    """Return the grants that give a member a permission.

    Args:
        grants: on the resources of a stack
        member: as IAM writes it, or its e-mail address
        permission: such as `healthcare.dicomStores.dicomWebRead`
        permissions_of: returns the permissions of a role
    """
    answer = Answer()
    for grant in grants:
        if is_member(grant, member) and permission in permissions_of(grant.role):
            (answer.sometimes if grant.condition else answer.always).append(grant)
    return answer


def role_reader() -> Callable[[str], frozenset[str]]:
    """Return a function that reads the permissions of a role from IAM, each role once.

    A role that does not exist, such as a deleted custom one, has none.
    """
    iam = clients.iam()

    @cache
    def permissions_of(role: str) -> frozenset[str]:
        collection: Any = iam.roles() if role.startswith("roles/") else iam.projects().roles()
        with translate_errors(f"reading the role {role}"):
            try:
                found = retry.call(lambda: collection.get(name=role).execute())
            except HttpError as error:
                if error.status_code != 404:
                    raise
                return frozenset()
        is_off = found.get("deleted") or found.get("stage") == "DISABLED"
        return frozenset([] if is_off else found.get("includedPermissions", []))

    return permissions_of
