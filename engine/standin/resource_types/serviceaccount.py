"""Resource types of service accounts: account, member of an account's policy."""

from dataclasses import dataclass

from engine.standin.checking import refusals
from engine.standin.errors import ApiError
from engine.standin.http import Api, Json, unless_gone
from engine.standin.iam import MEMBER, POLICY_VERSION, Member
from engine.standin.outputs import fill
from engine.standin.resource import ResourceType, Update
from engine.standin.resource_types.common import MADE_UP, resource_type
from engine.standin.rest import Rest
from engine.standin.values import Values

_TEXTS = ("displayName", "description")
_MASK = {"displayName": "display_name", "description": "description"}
_NAME = "projects/{project}/serviceAccounts/{email}"
_DOMAIN = "iam.gserviceaccount.com"


@dataclass(frozen=True, kw_only=True)
class Account(Rest):
    """A service account, which the service names by an address."""

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:  # noqa: ARG002
        """Create it; with `createIgnoreAlreadyExists` take the one that is there."""
        path = f"projects/{wanted['project']}/serviceAccounts"
        body = {"accountId": wanted["accountId"], "serviceAccount": _texts(wanted)}
        try:
            return str(api.call(self.service, "POST", path, body=body)["name"])
        except ApiError as error:
            if error.code != 409 or not wanted.get("createIgnoreAlreadyExists"):
                raise
        return f"{path}/{wanted['accountId']}@{wanted['project']}.{_DOMAIN}"

    def read(self, type_: ResourceType, id_: str, known: Values, api: Api) -> Values | None:
        """Read it by its id."""
        found = unless_gone(lambda: api.call(self.service, "GET", id_))
        if found is None:
            return None
        values = {name: known[name] for name in type_.properties if name in known}
        read = {
            **{name: found.get(name) for name in ("email", "name", "uniqueId", *_TEXTS)},
            "accountId": found["email"].partition("@")[0],
            "disabled": found.get("disabled", False),
            "member": f"serviceAccount:{found['email']}",
            "project": found["projectId"],
        }
        return {**values, **fill({name: type_.properties[name] for name in read}, read)}

    def update(self, type_: ResourceType, id_: str, change: Update, api: Api) -> None:  # noqa: ARG002
        """Send the texts that differ; enabling and disabling are calls of their own."""
        if changed := [name for name in _TEXTS if name in change.changed]:
            mask = ",".join(_MASK[name] for name in changed)
            body: Json = {"serviceAccount": _texts(change.wanted), "updateMask": mask}
            api.call(self.service, "PATCH", id_, body=body)
        if "disabled" in change.changed:
            verb = "disable" if change.wanted.get("disabled") else "enable"
            api.call(self.service, "POST", f"{id_}:{verb}", body={})

    def delete(self, type_: ResourceType, id_: str, state: Values, api: Api) -> None:  # noqa: ARG002
        """Delete it."""
        api.call(self.service, "DELETE", id_)


def _texts(values: Values) -> Json:
    return {name: values[name] for name in _TEXTS if values.get(name)}


def _get_policy(api: Api, member: Member, name: str) -> Json:
    query = {"options.requestedPolicyVersion": str(POLICY_VERSION)}
    return api.call(member.service, "POST", f"{name}:getIamPolicy", query=query)


_ACCOUNTS = resource_type(
    "gcp:serviceaccount/account:Account",
    "service account",
    Account(
        service="iam",
        id=_NAME,
        create_call="",
        imports=(_NAME, "{project}/{email}", "{email}"),
    ),
    quirks={
        "name": {"autoname": False, "required": False},
        "accountId": {**MADE_UP, "validate": refusals.account_id},
        "description": {"validate": refusals.text_length},
    },
)

_MEMBERS = resource_type(
    "gcp:serviceaccount/iAMMember:IAMMember",
    "IAM member of the service account",
    Member(
        service="iam",
        name="{serviceAccountId}",
        key="serviceAccountId",
        patterns=(r"(?P<serviceAccountId>projects/[^/]+/serviceAccounts/[^/]+)",),
        get=_get_policy,
    ),
    quirks=MEMBER,
)

RESOURCE_TYPES = (_ACCOUNTS, _MEMBERS)
