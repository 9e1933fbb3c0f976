"""A dataset's access entries: who may do what with its tables.

https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets#Dataset.FIELDS.access
"""

from collections.abc import Iterable, Mapping
from typing import Any

from emulator.bigquery.errors import invalid
from emulator.iam.roles import permissions_of
from emulator.resourcemanager.models import CALLER

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
    {"role": "OWNER", "userByEmail": CALLER.removeprefix("user:")},
    {"role": "READER", "specialGroup": "projectReaders"},
]
"""What a dataset begins with that names none."""


def normal(entries: Iterable[Entry]) -> list[Entry]:
    """Entries as BigQuery answers them: its three oldest roles by their short names, none twice.

    Raises:
        ApiError: 400 for an entry that names nobody, or no role.
    """
    found: list[Entry] = []
    for given in entries:
        entry = {key: value for key, value in (given or {}).items() if value is not None}
        if len([key for key in (*_WHO, *_WHAT) if entry.get(key)]) != 1:
            raise invalid(f"An access entry must have exactly one of {', '.join((*_WHO, *_WHAT))}.")
        if role := entry.get("role"):
            entry["role"] = _SHORT.get(role, role)
        elif not any(entry.get(key) for key in _WHAT):
            raise invalid("An access entry that names somebody must have a role.")
        if entry not in found:
            found.append(entry)
    return found


def service_accounts(entries: Iterable[Entry]) -> set[str]:
    """The addresses of the service accounts that entries name."""
    found = {str(entry.get("userByEmail") or "") for entry in entries}
    found |= {
        str(entry.get("iamMember") or "").partition("serviceAccount:")[2] for entry in entries
    }
    return {address for address in found if address.endswith("gserviceaccount.com")}


def allows(entries: Iterable[Entry], member: str, permission: str) -> bool:
    """Whether entries give a member a permission; who is in a group or domain is not known here.

    Conditions are kept, not evaluated: an entry with one counts as one without.
    """
    return any(
        _names(entry, member)
        and permission in permissions_of(_BASIC.get(entry["role"], entry["role"]))
        for entry in entries
        if "role" in entry
    )


def _names(entry: Entry, member: str) -> bool:
    kind, _, address = member.partition(":")
    if kind in {"user", "serviceAccount"} and "userByEmail" in entry:
        return str(entry["userByEmail"]).lower() == address.lower()
    named = entry.get("iamMember") or entry.get("specialGroup")
    return named == member or named in _EVERYBODY
