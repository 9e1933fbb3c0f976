"""The behaviour of the `...IAMAuditConfig` types: what is logged of one service.

The entry of the service in the policy becomes what the program says, as a whole; the entries of
other services and all grants stay.
"""

import json
from dataclasses import dataclass

from engine.standin.errors import StandInError
from engine.standin.http import Api, Json, unless_gone
from engine.standin.iam import POLICY_VERSION, Member
from engine.standin.outputs import fill
from engine.standin.resource import ResourceType, Update
from engine.standin.values import Values, without_internal


@dataclass(frozen=True, kw_only=True)
class AuditConfig:
    """The calls behind one `...IAMAuditConfig` type.

    Attributes:
        policy: how grants on the same resource reach its policy.
    """

    policy: Member

    @property
    def service(self) -> str:
        """The Google service that it calls."""
        return self.policy.service

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:  # noqa: ARG002
        """Set the service's entry, over one that is there."""
        name = self.policy.resource_name(wanted, api)
        self._write(api, name, wanted["service"], _entry(wanted))
        return _id(name, wanted["service"])

    def read(self, type_: ResourceType, id_: str, known: Values, api: Api) -> Values | None:  # noqa: ARG002
        """Look the service's entry up; gone when the policy or the entry is."""
        policy = unless_gone(
            lambda: self.policy.get(api, self.policy, self.policy.resource_name(known, api))
        )
        if policy is None:
            return None
        for entry in policy.get("auditConfigs", []):
            if entry["service"] == known["service"]:
                values = {name: known[name] for name in type_.properties if name in known}
                shown = {"auditLogConfigs": entry["auditLogConfigs"]}
                return fill(type_.properties, {**values, **shown, "etag": policy.get("etag", "")})
        return None

    def update(self, type_: ResourceType, id_: str, change: Update, api: Api) -> None:  # noqa: ARG002
        """Write the entry again; that of an earlier service stays, as with the real plugin."""
        self.create(type_, change.wanted, api)

    def delete(self, type_: ResourceType, id_: str, state: Values, api: Api) -> None:  # noqa: ARG002
        """Take the service's entry out, and no other."""
        self._write(api, self.policy.resource_name(state, api), state["service"], None)

    def parse_import_id(self, type_: ResourceType, id_: str, api: Api) -> tuple[str, Values]:
        """Take `RESOURCE SERVICE`, as Google's provider does."""
        parts = id_.split()
        if len(parts) != 2:
            raise StandInError(
                f'"{id_}" is not an id of {type_.pulumi_type}: it has to be "RESOURCE SERVICE"'
            )
        values: Values = {self.policy.key: parts[0], "service": parts[1]}
        return _id(self.policy.resource_name(values, api), parts[1]), values

    def _write(self, api: Api, name: str, service: str, entry: Json | None) -> None:
        def change(policy: Json) -> Json:
            configs = policy.get("auditConfigs", [])
            others = [one for one in configs if one.get("service") != service]
            after = [*others, entry] if entry else others
            return {**policy, "auditConfigs": after, "version": POLICY_VERSION}

        self.policy.change(api, name, change, _configs)


def _entry(values: Values) -> Json:
    logs = [without_internal(one) for one in values["auditLogConfigs"]]
    return {
        "service": values["service"],
        "auditLogConfigs": [{key: value for key, value in one.items() if value} for one in logs],
    }


def _configs(policy: Json) -> list[str]:
    return sorted(
        json.dumps([config["service"], log["logType"], sorted(log.get("exemptedMembers") or [])])
        for config in policy.get("auditConfigs", [])
        for log in config["auditLogConfigs"]
    )


def _id(name: str, service: str) -> str:
    return f"{name}/audit_config/{service}"
