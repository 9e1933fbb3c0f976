"""The operations of the `...IamMember` types: one member of one role in the policy of a resource.

A grant is added to the policy as it is, and everybody else's grants stay. The policy is read,
changed and written back with its etag; when another client was faster (409, in Cloud Storage 412),
it starts again.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.standin.checking import refusals
from engine.standin.checking.iam_members import normal_member, same_member
from engine.standin.errors import ApiError, StandInError
from engine.standin.http import Api, Json, NotYetError, unless_gone
from engine.standin.outputs import fill
from engine.standin.provider_schema.derive import Quirks
from engine.standin.resource import ResourceType, Update
from engine.standin.values import Values, without_internal

NO_LOCATION = (
    "Cannot determine location: set in this resource, or set provider-level 'region' or 'zone'."
)
POLICY_VERSION = 3  # the first that knows conditions
_STABLE_READS = 3  # Google's provider trusts a policy that it read so many times in a row
_SCOPES = {
    "project": re.compile(r"projects/([^/]+)/"),
    "location": re.compile(r"projects/[^/]+/(?:locations/|iap_web/cloud_run-)([^/]+)/"),
}
_CONDITION_FIELDS = ("expression", "title", "description")
MEMBER: Quirks = {"member": {"same": same_member, "validate": refusals.iam_member}}
"""The quirks that all these types share."""


def _get_policy(api: Api, member: "Member", name: str) -> Json:
    # Without it, bindings with conditions come under roles that are not theirs.
    query = {"options.requestedPolicyVersion": str(POLICY_VERSION)} if member.conditions else {}
    path = f"{name}:getIamPolicy"
    return api.call(member.service, "GET", path, query=query, version=member.version)


def read_by_post(api: Api, member: "Member", name: str) -> Json:
    """Return a policy of an API that reads policies by POST alone."""
    body = {"options": {"requestedPolicyVersion": POLICY_VERSION}}
    return api.call(member.service, "POST", f"{name}:getIamPolicy", body=body)


def _set_policy(api: Api, member: "Member", name: str, policy: Json) -> None:
    path = f"{name}:setIamPolicy"
    api.call(member.service, "POST", path, body={"policy": policy}, version=member.version)


@dataclass(frozen=True, kw_only=True)
class Member:
    """The calls behind one `...IamMember` type.

    Attributes:
        service: key of `config.SERVICES`.
        name: template of the resource whose policy it is, as the id begins with it.
        key: property that names the resource.
        patterns: regular expressions of what `key` may say, with the variables of `name` as groups.
        imported: template of what an import makes `key` say; what the id says when empty.
        version: API version of the policy's calls, in place of the endpoint's own.
        conditions: whether the provider asks for a policy with conditions. Where it does not
            (observed), it never finds a conditional grant again.
        shown: property -> template of what the outputs say, where it is not what was given.
        get, set: how the policy is read and written.
    """

    service: str
    name: str
    key: str
    patterns: tuple[str, ...] = ()
    imported: str = ""
    version: str = ""
    conditions: bool = True
    shown: Mapping[str, str] = field(default_factory=dict)
    get: Callable[[Api, "Member", str], Json] = _get_policy
    set: Callable[[Api, "Member", str, Json], None] = _set_policy

    def resource_name(self, values: Values, api: Api) -> str:
        """Return the full name of the resource whose policy it is.

        Raises:
            StandInError: the property does not name one.
        """
        return self.name.format_map(self._parts(values, api))

    def _parts(self, values: Values, api: Api) -> dict[str, Any]:
        given = str(values[self.key])
        for pattern in self.patterns:
            if match := re.fullmatch(pattern, given):
                project = values.get("project") or api.config.project
                location = values.get("location") or api.config.region
                if (
                    not location
                    and "{location}" in self.name
                    and "location" not in match.re.groupindex
                ):
                    raise StandInError(NO_LOCATION)
                return {"project": project, "location": location, **match.groupdict()}
        shapes = " or ".join(re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", p) for p in self.patterns)
        raise StandInError(
            f'{self.key} "{given}" does not name a resource: it has to look like {shapes}'
        )

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:  # noqa: ARG002
        """Add the member."""
        name = self.resource_name(wanted, api)
        self.change(api, name, lambda policy: _add(policy, wanted))
        return _id(name, wanted)

    def read(self, type_: ResourceType, id_: str, known: Values, api: Api) -> Values | None:  # noqa: ARG002
        """Look the member up; gone when the policy or the grant is."""
        policy = unless_gone(lambda: self.get(api, self, self.resource_name(known, api)))
        if policy is None:
            return None
        binding = _find(policy, known)
        if binding is None:
            return None
        member = next(m for m in binding["members"] if same_member(m, known["member"]))
        values = {name: known[name] for name in type_.properties if name in known}
        parts = self._parts(known, api)
        values |= {name: shown.format_map(parts) for name, shown in self.shown.items()}
        values |= {"member": member, "condition": binding.get("condition")}
        return fill(type_.properties, {**values, "etag": policy.get("etag", "")})

    def update(self, type_: ResourceType, id_: str, change: Update, api: Api) -> None:
        """Nothing can change in place."""

    def delete(self, type_: ResourceType, id_: str, state: Values, api: Api) -> None:  # noqa: ARG002
        """Remove the member, and no other."""
        self.change(api, self.resource_name(state, api), lambda policy: _remove(policy, state))

    def parse_import_id(self, type_: ResourceType, id_: str, api: Api) -> tuple[str, Values]:
        """Take `RESOURCE ROLE MEMBER [CONDITION TITLE]`, as Google's provider does."""
        parts = id_.split(maxsplit=3)
        if len(parts) < 3:
            raise StandInError(
                f'"{id_}" is not an id of {type_.pulumi_type}: '
                'it has to be "RESOURCE ROLE MEMBER", '
                "and the condition's title after it, if there is one"
            )
        values: Values = {self.key: parts[0], "role": parts[1], "member": normal_member(parts[2])}
        name = self.resource_name(values, api)
        if self.imported:
            values[self.key] = self.imported.format_map(self._parts(values, api))
        # The provider sets both when it reads what it imports.
        for key, scope in _SCOPES.items():
            if key in type_.properties and (match := scope.match(name)):
                values[key] = match[1]
        title = parts[3] if len(parts) > 3 else ""
        for binding in self.get(api, self, name).get("bindings", []):
            condition = binding.get("condition") or {}
            if (
                binding["role"] == parts[1]
                and condition.get("title", "") == title
                and any(same_member(m, parts[2]) for m in binding.get("members", []))
            ):
                values |= {"condition": condition} if condition else {}
                return _id(name, values), values
        raise StandInError(
            f'there is no binding of "{parts[1]}" for "{parts[2]}"'
            + (f' with the condition "{title}"' if title else "")
            + f" in the policy of {name}"
        )

    def change(
        self,
        api: Api,
        name: str,
        change: Callable[[Json], Json],
        part: Callable[[Json], list[str]] | None = None,
    ) -> None:
        """Change the policy, and waits until the change shows.

        Args:
            api: Google's APIs.
            name: whose policy it is.
            change: makes the new policy of the present one.
            part: what of a policy is changed, in words; its bindings unless it says otherwise.
        """

        def write() -> Json:
            policy = change(self.get(api, self, name))
            self.set(api, self, name, policy)
            return policy

        with api.lock(f"{self.service}/{name}"):
            api.persist(write, _conflict)
            bindings = _bindings if self.conditions else _plain_bindings
            self._wait_until_visible(api, name, change, part or bindings)

    def _wait_until_visible(
        self,
        api: Api,
        name: str,
        change: Callable[[Json], Json],
        part: Callable[[Json], list[str]],
    ) -> None:
        """Read until the change is seen a few times in a row: policies spread with a delay."""
        seen = 0

        def look() -> None:
            nonlocal seen
            while seen < _STABLE_READS:
                policy = self.get(api, self, name)
                if part(policy) != part(change(policy)):
                    seen = 0
                    raise NotYetError(f"the policy of {name} does not show the change")
                seen += 1

        api.persist(look, lambda error: isinstance(error, NotYetError))


def _conflict(error: Exception) -> bool:
    return isinstance(error, ApiError) and error.code in (409, 412)


def _condition(values: Mapping[str, Any]) -> dict[str, str]:
    condition = without_internal(values.get("condition") or {})
    return {key: condition[key] for key in _CONDITION_FIELDS if condition.get(key)}


def _find(policy: Json, wanted: Values) -> Json | None:
    for binding in policy.get("bindings", []):
        fits = binding.get("role") == wanted["role"] and _condition(binding) == _condition(wanted)
        if fits and any(same_member(m, wanted["member"]) for m in binding.get("members", [])):
            found: Json = binding
            return found
    return None


def _add(policy: Json, wanted: Values) -> Json:
    if _find(policy, wanted) is not None:
        return {**policy, "version": POLICY_VERSION}
    bindings = [dict(binding) for binding in policy.get("bindings", [])]
    for binding in bindings:
        if binding.get("role") == wanted["role"] and _condition(binding) == _condition(wanted):
            binding["members"] = [*binding.get("members", []), wanted["member"]]
            break
    else:
        condition = _condition(wanted)
        new = {"role": wanted["role"], "members": [wanted["member"]]}
        bindings.append({**new, "condition": condition} if condition else new)
    return {**policy, "bindings": _by_role(bindings), "version": POLICY_VERSION}


def _remove(policy: Json, state: Values) -> Json:
    bindings = []
    for binding in policy.get("bindings", []):
        if binding.get("role") == state["role"] and _condition(binding) == _condition(state):
            left = [m for m in binding.get("members", []) if not same_member(m, state["member"])]
            bindings += [{**binding, "members": left}] if left else []
        else:
            bindings.append(binding)
    return {**policy, "bindings": _by_role(bindings)}


def _by_role(bindings: list[Json]) -> list[Json]:
    """Return bindings as the provider writes them (observed)."""
    return sorted(bindings, key=lambda binding: str(binding.get("role")))


def _plain_bindings(policy: Json) -> list[str]:
    return [
        text
        for binding in policy.get("bindings", [])
        if not binding.get("condition") and "_withcond_" not in binding.get("role", "")
        for text in _bindings({"bindings": [binding]})
    ]


def _bindings(policy: Json) -> list[str]:
    return sorted(
        f"{b.get('role')} {m} {_condition(b)}"
        for b in policy.get("bindings", [])
        for m in b.get("members", [])
    )


def _id(name: str, values: Values) -> str:
    id_ = f"{name}/{values['role']}/{normal_member(values['member'])}"
    condition = _condition(values)
    if not condition:
        return id_
    return "/".join(
        [id_, *(condition.get(key, "") for key in ("title", "description", "expression"))]
    )
