"""The behaviour of Compute Engine's types: operations to wait for, references, labels of their own.

References are URLs, which a program may write in part. The API returns them in full, and the
provider takes both for the same.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.standin.errors import ApiError, StandInError
from engine.standin.http import Api, Json, NotYetError
from engine.standin.properties import Properties
from engine.standin.resource import ResourceType, Update
from engine.standin.rest import Rest, to_body
from engine.standin.values import Values

_OPERATION = "compute#operation"
_NAME = re.compile(r"(?:.*/)?(projects/.+?)(?:\?.*)?")


def same_link(one: str, other: str) -> bool:
    """Whether two references mean the same: full URLs, partial ones, or a name alone."""
    if "/" not in other:
        return one.rpartition("/")[2] == other
    shorter = _relative(other)
    return _relative(one) == shorter or _relative(one).endswith(f"/{shorter}")


def _relative(link: str) -> str:
    match = _NAME.fullmatch(link)
    return match[1] if match else link


def _nothing(answer: Json, known: Values) -> Values:  # noqa: ARG001 - the default of the hook
    """Return no values beside those of the properties."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Compute(Rest):
    """A resource of Compute Engine.

    Attributes:
        links: field of a body -> template of what a name alone in it means
    """

    service: str = "compute"
    decode: Callable[[Json, Values], Values] = _nothing
    links: Mapping[str, str] = field(default_factory=dict)

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:
        """Send every property that is set, and wait for the end of the operation."""
        if "{region}" in self.id and not wanted.get("region"):
            raise StandInError(
                f"{type_.title}: no region; set it with `pulumi config set gcp:region REGION`, "
                "or give the resource its `region`"
            )
        method, _, path = self.create_call.partition(" ")
        self._call(api, method, path.format_map(wanted), self._body(type_.properties, wanted))
        return self.id.format_map(wanted)

    def update(self, type_: ResourceType, id_: str, change: Update, api: Api) -> None:  # noqa: ARG002
        """Send what may change; labels have a call of their own."""
        path = self._path({**change.state, **change.wanted})
        if "labels" in change.changed:
            labels = {
                "labels": change.wanted["effectiveLabels"],
                "labelFingerprint": change.state.get("labelFingerprint"),
            }
            self._call(api, "POST", f"{path}/setLabels", labels, timeout=change.timeout)
        self.update_fields(type_, path, change, api)

    def update_fields(self, type_: ResourceType, path: str, change: Update, api: Api) -> None:
        """Send the changed fields, or all of them where the API replaces a resource."""
        changed = {
            str(prop.wire_name(name)).partition(".")[0]
            for name, prop in type_.properties.items()
            if name in change.changed and prop.wire_name(name) and not prop.client
        } - {"labels"}
        if not changed:
            return
        computed = {n: change.state.get(n) for n, p in type_.properties.items() if p.computed}
        body = self._body(type_.properties, {**computed, **change.wanted})
        method = "PUT" if self.update_style == "whole" else "PATCH"
        if method == "PATCH":
            body = {name: body.get(name) for name in sorted(changed)}
        if fingerprint := change.state.get("fingerprint"):
            body["fingerprint"] = fingerprint
        self._call(api, method, path, body, timeout=change.timeout)

    def parse_import_id(self, type_: ResourceType, id_: str, api: Api) -> tuple[str, Values]:
        """Read the properties out of a full or a short id, which may leave out the region."""
        if "{region}" in self.id and "/" not in id_:
            if not api.config.region:
                raise StandInError(
                    f'"{id_}" names no region, and the provider has none: give the id in full, '
                    "or set gcp:region"
                )
            id_ = f"{api.config.region}/{id_}"
        return super().parse_import_id(type_, id_, api)

    def _body(self, properties: Properties, values: Values) -> Json:
        body = self.encode(to_body(properties, values), values)
        for name, template in self.links.items():
            if body.get(name):
                body[name] = full_link(str(body[name]), template, values)
        return body

    def _call(
        self,
        api: Api,
        method: str,
        path: str,
        body: Json | None = None,
        query: Mapping[str, str] | None = None,
        timeout: float = 0,
    ) -> Json:
        answer = super()._call(api, method, path, body, query, timeout)
        if answer.get("kind") == _OPERATION:
            _finish(api, answer, timeout)
        return answer


def full_link(text: str, template: str, values: Values) -> str:
    """Return a reference of a program as the API takes it.

    Args:
        text: a URL, a part of one, or a name alone
        template: of what a name alone means, with `{}` for it
        values: properties that the template names
    """
    return text if "/" in text else template.format(text, **values)


def _finish(api: Api, operation: Json, timeout: float) -> None:
    """Wait for the end of an operation.

    Raises:
        ApiError: it ended with an error
    """
    current = operation

    def poll() -> None:
        nonlocal current
        if current["status"] != "DONE":
            current = api.call("compute", "GET", _relative(current["selfLink"]))
        if current["status"] != "DONE":
            raise NotYetError(f"operation {current['name']} is not done")

    api.persist(poll, lambda error: isinstance(error, NotYetError), timeout)
    for error in current.get("error", {}).get("errors", []):
        code = int(current.get("httpErrorStatusCode", 0))
        raise ApiError(code, error.get("message", ""), error.get("code", ""))
