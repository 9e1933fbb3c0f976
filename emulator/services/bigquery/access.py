"""Access entries of a dataset: the roles of members.

https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets#Dataset.FIELDS.access
"""

from collections.abc import Iterable, Mapping
from typing import Any

from emulator.core.errors import ApiError
from emulator.services.bigquery.errors import invalid
from emulator.services.iam import conditions
from emulator.services.iam.callers import OWNER
from emulator.services.iam.conditions import Target
from emulator.services.iam.models import Permissions
from emulator.services.iam.roles import permissions_of

Entry = Mapping[str, Any]

_BASIC = {
    "OWNER": "roles/bigquery.dataOwner",
    "WRITER": "roles/bigquery.dataEditor",
    "READER": "roles/bigquery.dataViewer",
}
_SHORT = {role: basic for basic, role in _BASIC.items()}
_WHO = ("userByEmail", "groupByEmail", "domain", "specialGroup", "iamMember")
_WHAT = ("view", "routine", "dataset")
_EVERYBODY = {"allUsers", "allAuthenticatedUsers"}

DEFAULT: list[Entry] = [
    {"role": "WRITER", "specialGroup": "projectWriters"},
    {"role": "OWNER", "specialGroup": "projectOwners"},
    {"role": "OWNER", "userByEmail": OWNER.removeprefix("user:")},
    {"role": "READER", "specialGroup": "projectReaders"},
]
"""The access entries of a dataset that is created without any."""


def normal(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries as BigQuery does: basic roles by their short names, without duplicates.

    Raises:
        ApiError: 400 for an entry without a member or without a role.
    """
    found: list[Entry] = []
    for given in entries:
        entry = {key: value for key, value in (given or {}).items() if value is not None}
        if len([key for key in (*_WHO, *_WHAT) if entry.get(key)]) != 1:
            raise invalid(f"An access entry must have exactly one of {', '.join((*_WHO, *_WHAT))}.")
        if role := entry.get("role"):
            entry["role"] = _SHORT.get(role, role)
        elif not any(entry.get(key) for key in _WHAT):
            raise invalid("An access entry for a member must have a role.")
        if condition := entry.get("condition"):
            _check_condition(condition)
        if entry not in found:
            found.append(entry)
    return found


def _check_condition(condition: Mapping[str, Any]) -> None:
    try:
        conditions.check(str(condition.get("expression") or ""))
    except ApiError as error:
        raise invalid(error.message) from None


def service_accounts(entries: Iterable[Entry]) -> set[str]:
    """Return the addresses of the service accounts that entries name."""
    found = {str(entry.get("userByEmail") or "") for entry in entries}
    found |= {
        str(entry.get("iamMember") or "").partition("serviceAccount:")[2] for entry in entries
    }
    return {address for address in found if address.endswith("gserviceaccount.com")}


def allows(
    entries: Iterable[Entry],
    member: str,
    permission: str,
    target: Target,
    permissions: Permissions = permissions_of,
) -> bool:
    """Whether entries grant a member a permission; members of groups and domains are unknown here.

    Args:
        entries: the access entries of a dataset
        member: as IAM writes it
        permission: such as `bigquery.tables.create`
        target: what conditions are evaluated for
        permissions: returns the permissions of a role
    """
    return any(
        _names(entry, member)
        and conditions.applies(entry, target)
        and permission in permissions(str(_BASIC.get(entry["role"], entry["role"])))
        for entry in entries
        if "role" in entry
    )


def _names(entry: Entry, member: str) -> bool:
    member_type, _, address = member.partition(":")
    if member_type in {"user", "serviceAccount"} and "userByEmail" in entry:
        return str(entry["userByEmail"]).lower() == address.lower()
    named = entry.get("iamMember") or entry.get("specialGroup")
    return named == member or named in _EVERYBODY
