"""Rights of callers: the roles of the stack, as IAM binds them to members.

A gateway calls the API as its own service account, so it decides itself what each caller may do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workloads.gateway.errors import SettingsError
from workloads.gateway.paths import Right

RIGHTS: Mapping[str, frozenset[Right]] = {
    "roles/healthcare.dicomViewer": frozenset({Right.READ}),
    "roles/healthcare.dicomEditor": frozenset(Right),
    "roles/healthcare.fhirResourceReader": frozenset({Right.READ}),
    "roles/healthcare.fhirResourceEditor": frozenset(Right),
}
"""The roles that a gateway knows. Documented: https://cloud.google.com/healthcare-api/docs/access-control"""

EVERYBODY = "allAuthenticatedUsers"
_MEMBER_TYPES = ("user", "serviceAccount", "domain")


@dataclass(frozen=True)
class Caller:
    """Who sent a request.

    Attributes:
        email: the verified address, in lower case
    """

    email: str

    @property
    def members(self) -> frozenset[str]:
        """The members of IAM that stand for the caller."""
        domain = self.email.rpartition("@")[2]
        return frozenset(
            {f"user:{self.email}", f"serviceAccount:{self.email}", f"domain:{domain}", EVERYBODY}
        )


@dataclass(frozen=True)
class Grant:
    """A role of members on one store.

    Attributes:
        store: the full name
        role: one of `RIGHTS`
        members: as IAM writes them
    """

    store: str
    role: str
    members: frozenset[str]


class Roles:
    """The grants of a gateway.

    Args:
        grants: all of them

    Raises:
        SettingsError: a role or a member that a gateway does not know
    """

    def __init__(self, grants: Sequence[Grant]) -> None:
        for grant in grants:
            _check(grant)
        self._grants = [
            Grant(grant.store, grant.role, frozenset(map(_normal, grant.members)))
            for grant in grants
        ]
        self.stores = frozenset(grant.store for grant in grants)

    def allows(self, caller: Caller, store: str, right: Right) -> bool:
        """Whether a caller has a right on a store."""
        return any(
            grant.store == store and right in RIGHTS[grant.role] and grant.members & caller.members
            for grant in self._grants
        )

    def readable(self, caller: Caller) -> list[str]:
        """Return the full names of the stores that a caller may read."""
        return sorted(store for store in self.stores if self.allows(caller, store, Right.READ))


def _check(grant: Grant) -> None:
    if grant.role not in RIGHTS:
        raise SettingsError(
            f"A gateway knows no role {grant.role!r}: choose one of {', '.join(RIGHTS)}."
        )
    store_type = "dicom" if "/dicomStores/" in grant.store else "fhir"
    if f".{store_type}" not in grant.role:
        raise SettingsError(
            f"{grant.role} is not a role on {grant.store}, a {store_type.upper()} store."
        )
    for member in grant.members:
        member_type, colon, name = member.partition(":")
        if member == EVERYBODY:
            continue
        if member_type == "group":
            raise SettingsError(
                f"{member} can't be a member: a token does not say which groups its caller is in. "
                "Name users or a domain, and let IAP decide about groups."
            )
        if not (colon and name and member_type in _MEMBER_TYPES):
            raise SettingsError(
                f"{member!r} is not a valid member: write user:EMAIL, serviceAccount:EMAIL, "
                f"domain:DOMAIN or {EVERYBODY}."
            )


def _normal(member: str) -> str:
    member_type, colon, name = member.partition(":")
    return f"{member_type}{colon}{name.lower()}"
