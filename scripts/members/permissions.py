"""Whether a member has a permission, by the roles and the conditions of its grants."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from googleapiclient.errors import HttpError

from emulator.core.errors import ApiError
from emulator.services.iam import conditions
from emulator.services.iam.conditions import Target
from scripts.lib.google import clients, retry
from scripts.lib.google.errors import translate_errors
from scripts.members.grants import Grant, is_member
from scripts.members.resources import Resource


class Holds(StrEnum):
    """Whether a grant counts now."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Evaluated:
    """A grant, and whether it counts now on the resources that were asked for."""

    grant: Grant
    holds: Holds

    def to_json(self) -> dict[str, str]:
        """Return the shape of `--json`."""
        return {**asdict(self.grant), "holds": str(self.holds)}


def evaluate(grant: Grant, targets: Iterable[Resource]) -> Evaluated:
    """Evaluate the condition of a grant now, on each of the targets that it reaches.

    A condition about what is not known here, such as tags, can't be evaluated.
    """
    if not grant.condition:
        return Evaluated(grant, Holds.YES)
    try:
        conditions.check(grant.condition)
    except ApiError:
        return Evaluated(grant, Holds.UNKNOWN)
    holds = any(
        conditions.holds(grant.condition, _target(one))
        for one in targets
        if one.has_grants_of(grant.resource)
    )
    return Evaluated(grant, Holds.YES if holds else Holds.NO)


def _target(resource: Resource) -> Target:
    service = f"{resource.service}.googleapis.com"
    return Target(resource.name, service, f"{service}/{resource.type}")


def check(
    grants: Iterable[Grant],
    targets: Sequence[Resource],
    member: str,
    permission: str,
    permissions_of: Callable[[str], frozenset[str]],
) -> list[Evaluated]:
    """Return the grants that give a member a permission on any of the targets.

    Args:
        grants: on the resources of a stack
        targets: the resources that the question is about
        member: as IAM writes it, or its e-mail address
        permission: such as `healthcare.dicomStores.dicomWebRead`
        permissions_of: returns the permissions of a role
    """
    return [
        evaluate(grant, targets)
        for grant in grants
        if is_member(grant, member)
        and any(one.has_grants_of(grant.resource) for one in targets)
        and permission in permissions_of(grant.role)
    ]


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
