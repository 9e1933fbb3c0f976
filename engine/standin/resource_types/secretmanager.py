"""Resource types of Secret Manager: secret, version, member of a secret's policy."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.standin.errors import StandInError
from engine.standin.http import Api, Json, unless_gone
from engine.standin.iam import MEMBER, Member
from engine.standin.outputs import fill
from engine.standin.resource import ResourceType, Update
from engine.standin.resource_types.common import (
    IN_PATH,
    MADE_UP,
    annotations,
    other_annotations,
    resource_type,
)
from engine.standin.rest import Rest
from engine.standin.values import Values

_SECRET = "projects/{project}/secrets/{secretId}"  # noqa: S105 - a template
_SENT_ONLY = ("tags", "ttl")
"""Properties of a secret that the API takes and does not answer with."""
_VERSION = re.compile(
    r"(?P<secret>projects/(?P<project>[^/]+)/secrets/[^/]+)/versions/(?P<version>[^/]+)"
)


@dataclass(frozen=True, kw_only=True)
class Secret(Rest):
    """A secret: annotations of others stay, and it may be protected from deletion."""

    def update(self, type_: ResourceType, id_: str, change: Update, api: Api) -> None:
        """Send what may change; a time to live is never read, so it is sent apart."""
        wanted = dict(change.wanted)
        if "annotations" in change.changed:
            others = other_annotations(change.state)
            wanted["annotations"] = {**others, **(wanted.get("annotations") or {})}
        super().update(type_, id_, replace(change, wanted=wanted), api)
        if "ttl" in change.changed and wanted.get("ttl"):
            self._call(api, "PATCH", id_, {"ttl": wanted["ttl"]}, {"updateMask": "ttl"})


@dataclass(frozen=True, kw_only=True)
class SecretVersion:
    """A version, whose payload is read with it; a destroyed one is gone."""

    service: str = "secretmanager"

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:  # noqa: ARG002
        """Add it to its secret, which names it; disable it if the program says so."""
        data = str(wanted.get("secretData", ""))
        if not wanted.get("isSecretDataBase64"):
            data = base64.b64encode(data.encode()).decode()
        body = {"payload": {"data": data}}
        added = api.call(self.service, "POST", f"{wanted['secret']}:addVersion", body=body)
        name = str(added["name"])
        if not wanted.get("enabled", True):
            self._set(name, "disable", api)
        return name

    def read(self, type_: ResourceType, id_: str, known: Values, api: Api) -> Values | None:
        """Read it, with its payload while it is enabled."""
        found = unless_gone(lambda: api.call(self.service, "GET", id_))
        if found is None:
            return None
        if found["state"] == "DESTROYED":
            return None
        is_enabled = found["state"] == "ENABLED"
        values = {name: known[name] for name in type_.properties if name in known}
        read = {
            "name": found["name"],
            "version": found["name"].rpartition("/")[2],
            "createTime": found["createTime"],
            "destroyTime": found.get("destroyTime"),
            "enabled": is_enabled,
        }
        if is_enabled:
            read["secretData"] = self._payload(id_, known, api)
        return {**values, **fill({name: type_.properties[name] for name in read}, read)}

    def update(self, type_: ResourceType, id_: str, change: Update, api: Api) -> None:  # noqa: ARG002
        """Enable or disable it: nothing else can change."""
        if "enabled" in change.changed:
            self._set(id_, "enable" if change.wanted.get("enabled", True) else "disable", api)

    def delete(self, type_: ResourceType, id_: str, state: Values, api: Api) -> None:  # noqa: ARG002
        """Destroy it, or disable it where the deletion policy says so."""
        disables = state.get("deletionPolicy") == "DISABLE"
        self._set(id_, "disable" if disables else "destroy", api)

    def parse_import_id(self, type_: ResourceType, id_: str, api: Api) -> tuple[str, Values]:  # noqa: ARG002
        """Take the full name."""
        match = _VERSION.fullmatch(id_)
        if match is None:
            raise StandInError(
                f'"{id_}" is not an id of {type_.pulumi_type}: it has to look like '
                "projects/{project}/secrets/{secret}/versions/{version}"
            )
        return id_, match.groupdict()

    def _set(self, name: str, verb: str, api: Api) -> None:
        api.call(self.service, "POST", f"{name}:{verb}", body={})

    def _payload(self, name: str, known: Values, api: Api) -> str:
        data = str(api.call(self.service, "GET", f"{name}:access")["payload"]["data"])
        return data if known.get("isSecretDataBase64") else base64.b64decode(data).decode()


def _with_sent_only(body: Json, values: Values) -> Json:
    return {**body, **{name: values[name] for name in _SENT_ONLY if values.get(name)}}


def _replication(value: Mapping[str, Any]) -> Json:
    """Return a replication as the API has it; an empty block says that it is automatic."""
    if value.get("userManaged"):
        return {"userManaged": value["userManaged"]}
    return {"automatic": value.get("auto") or {}}


def _from_replication(answer: Json) -> Values:
    return {
        name: answer[wire]
        for name, wire in (("auto", "automatic"), ("userManaged", "userManaged"))
        if wire in answer
    }


def _check_protection(state: Values, api: Api) -> None:  # noqa: ARG001
    if state.get("deletionProtection"):
        # Inferred: as the provider words it for a table.
        raise StandInError(
            f"cannot destroy secret projects/{state['project']}/secrets/{state['secretId']} "
            "without setting deletion_protection=false and running `terraform apply`"
        )


def _same_secret(one: str, other: str) -> bool:
    """Whether two names are of one secret: the API writes the project's number, programs its id."""
    return one.rpartition("/")[2] == other.rpartition("/")[2]


_SECRETS = resource_type(
    "gcp:secretmanager/secret:Secret",
    "Secret",
    Secret(
        service="secretmanager",
        id=_SECRET,
        create_call="POST projects/{project}/secrets?secretId={secretId}",
        imports=(_SECRET, "{project}/{secretId}", "{secretId}"),
        encode=_with_sent_only,
        decode=annotations,
        prepare_delete=_check_protection,
    ),
    quirks={
        "name": {"autoname": False, "required": False, "wire": "name"},
        "secretId": {**IN_PATH, **MADE_UP},
        "effectiveAnnotations": IN_PATH,
        "deletionProtection": {"client": True},
        "replication": {"encode": _replication, "decode": _from_replication},
        **{name: {"client": True} for name in _SENT_ONLY},
    },
    uncovered=("secretType",),
)

_VERSIONS = resource_type(
    "gcp:secretmanager/secretVersion:SecretVersion",
    "SecretVersion",
    SecretVersion(),
    quirks={
        "name": {"autoname": False, "required": False},
        "secret": {"same": _same_secret},
        "deletionPolicy": {"choices": ("DELETE", "PREVENT", "ABANDON", "DISABLE")},
    },
    uncovered=("secretDataWo",),
)

_MEMBERS = resource_type(
    "gcp:secretmanager/secretIamMember:SecretIamMember",
    "IAM member of the secret",
    Member(
        service="secretmanager",
        name=_SECRET,
        key="secretId",
        shown={"secretId": _SECRET},
        patterns=(
            r"projects/(?P<project>[^/]+)/secrets/(?P<secretId>[^/]+)",
            r"(?P<project>[^/]+)/(?P<secretId>[^/]+)",
            r"(?P<secretId>[^/]+)",
        ),
    ),
    quirks={"secretId": {"same": _same_secret}, **MEMBER},
)

RESOURCE_TYPES = (_SECRETS, _VERSIONS, _MEMBERS)
