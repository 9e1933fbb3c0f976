"""The resource type of a security policy of Cloud Armor.

Observed in the provider's code (https://github.com/hashicorp/terraform-provider-google-beta): its
rules are added, changed and removed one by one.
"""

from dataclasses import dataclass

from engine.standin.compute import Compute
from engine.standin.http import Api, Json
from engine.standin.resource import ResourceType, Update
from engine.standin.resource_types.common import SHORT_NAME, resource_type
from engine.standin.resource_types.compute.global_resources import of_project
from engine.standin.rest import to_body
from engine.standin.values import Values

_EXCLUDED = {
    "requestBodies": "requestBodiesToExclude", "requestCookies": "requestCookiesToExclude",
    "requestHeaders": "requestHeadersToExclude", "requestUris": "requestUrisToExclude",
    "requestQueryParams": "requestQueryParamsToExclude",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Policy(Compute):
    """A security policy: its rules have calls of their own, by priority."""

    def update_fields(self, type_: ResourceType, path: str, change: Update, api: Api) -> None:
        """Change its fields, then its rules: add, change, and remove in this order."""
        others = change.changed - {"rules"}
        rest = Update(change.state, change.wanted, others, change.timeout)
        super().update_fields(type_, path, rest, api)
        if "rules" not in change.changed:
            return
        fields = type_.properties["rules"].fields
        old, new = (_by_priority(one.get("rules")) for one in (change.state, change.wanted))
        for priority, rule in sorted(new.items()):
            body = {"description": "", "preview": False, **to_body(fields, rule)}
            if priority not in old:
                self._call(api, "POST", f"{path}/addRule", body, timeout=change.timeout)
            elif to_body(fields, rule) != to_body(fields, old[priority]):
                query = {"priority": str(priority)}
                gone = to_body(fields, old[priority]).keys() - body.keys()
                self._call(
                    api,
                    "POST",
                    f"{path}/patchRule",
                    {**body, "match": _whole_match(body), **dict.fromkeys(gone)},
                    query,
                    change.timeout,
                )
        for priority in sorted(old.keys() - new.keys()):
            query = {"priority": str(priority)}
            self._call(api, "POST", f"{path}/removeRule", None, query, change.timeout)


def _by_priority(rules: list[Values] | None) -> dict[int, Values]:
    return {rule["priority"]: rule for rule in rules or []}


def _whole_match(rule: Json) -> Json:
    """Return the match of a rule that replaces another kind of it."""
    return {**dict.fromkeys(("config", "expr", "versionedExpr")), **rule["match"]}


SECURITY_POLICY = resource_type(
    "gcp:compute/securityPolicy:SecurityPolicy",
    "SecurityPolicy",
    _Policy(**of_project("securityPolicies")),
    quirks={
        **SHORT_NAME,
        "rules": {"wire": "rules"},
        "rules.preconfiguredWafConfig.exclusions": {"wire": "exclusions"},
        **{
            f"rules.preconfiguredWafConfig.exclusions.{name}": {"wire": wire}
            for name, wire in _EXCLUDED.items()
        },
        **{
            f"rules.preconfiguredWafConfig.exclusions.{name}.{field}": {"wire": wire}
            for name in _EXCLUDED
            for field, wire in (("operator", "op"), ("value", "val"))
        },
    },
    uncovered=("adaptiveProtectionConfig", "recaptchaOptionsConfig"),
)
