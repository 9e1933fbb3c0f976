"""The behaviour that most resource types share: a resource at a path, sent and read as JSON."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.standin import labels
from engine.standin.errors import StandInError
from engine.standin.http import Api, Json, unless_gone
from engine.standin.outputs import fill
from engine.standin.properties import Properties, Property
from engine.standin.resource import ResourceType, Update
from engine.standin.values import Values, is_zero

Hook = Callable[[Json, Values], Json]


def unchanged(body: Json, values: Values) -> Json:  # noqa: ARG001 - the default of the hooks
    """Return the body as it is."""
    return body


def never(error: Exception) -> bool:  # noqa: ARG001 - the default of `again`
    """No error is worth another attempt."""
    return False


@dataclass(frozen=True, kw_only=True)
class Rest:
    """A resource at a path. Templates name properties in braces.

    Attributes:
        service: key of `config.SERVICES`.
        id: template of the id, also the path below the endpoint unless `path` says otherwise.
        create: method and template of the path that creates.
        path: template of the path that reads, updates and deletes.
        read_query, delete_query: templates of queries.
        update_style: PATCH with an `updateMask` in the query, PATCH with the mask in the body
            beside the resource, PATCH that merges the changed properties (null takes one away),
            or PUT of the whole.
        wrapper: with "mask in body", the resource's name there.
        imports: templates of the ids that `pulumi import` takes; the id alone when empty.
        seed: property -> template over the variables of the import id, where they differ.
        encode, decode: last word on the body sent, and on the values read from the answer.
        prepare_delete: what has to go before the resource can.
        again: errors worth another attempt, besides the passing ones.
    """

    service: str
    id: str
    create_call: str
    path: str = ""
    read_query: str = ""
    delete_query: str = ""
    update_style: Literal["mask", "mask in body", "merge", "whole"] = "mask"
    wrapper: str = ""
    imports: tuple[str, ...] = ()
    seed: Mapping[str, str] = field(default_factory=dict)
    encode: Hook = unchanged
    decode: Callable[[Json, Values], Values] = unchanged
    prepare_delete: Callable[[Values, Api], None] | None = None
    again: Callable[[Exception], bool] = never

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:
        """Send every property that is set."""
        body = self.encode(to_body(type_.properties, wanted), wanted)
        method, _, path = self.create_call.partition(" ")
        self._call(api, method, _fill(path, wanted), body)
        return _fill(self.id, wanted)

    def read(self, type_: ResourceType, id_: str, known: Values, api: Api) -> Values | None:  # noqa: ARG002
        """Read it; 404 means gone."""
        answer = unless_gone(lambda: self._call(api, "GET", self._path(known, self.read_query)))
        if answer is None:
            return None
        return self._values(type_, answer, known)

    def update(self, type_: ResourceType, id_: str, change: Update, api: Api) -> None:  # noqa: ARG002
        """Send what may change; nothing when all that changed concerns the provider alone."""
        changed = {
            name: prop
            for name, prop in type_.properties.items()
            if name in change.changed and prop.wire_name(name) and not prop.client
        }
        if not changed:
            return
        mask = ",".join(str(prop.wire_name(name)) for name, prop in changed.items())
        path = self._path({**change.state, **change.wanted}, self.read_query)
        if self.update_style == "whole":
            computed = {
                n for n, p in type_.properties.items() if p.computed
            }  # a PUT drops the rest
            whole = {n: v for n, v in change.state.items() if n in computed} | change.wanted
            body = self.encode(to_body(type_.properties, whole), whole)
            self._call(api, "PUT", path, body, timeout=change.timeout)
            return
        if self.update_style == "merge":
            self._call(api, "PATCH", path, _merge(changed, change), timeout=change.timeout)
            return
        body = to_body({n: p for n, p in type_.properties.items() if not p.replace}, change.wanted)
        query = {"updateMask": mask} if self.update_style == "mask" else {}
        if self.update_style == "mask in body":
            body = {self.wrapper: body, "updateMask": mask}
        self._call(api, "PATCH", path, body, query, change.timeout)

    def delete(self, type_: ResourceType, id_: str, state: Values, api: Api) -> None:  # noqa: ARG002
        """Delete it."""
        if self.prepare_delete is not None:
            self.prepare_delete(state, api)
        self._call(api, "DELETE", self._path(state, self.delete_query))

    def parse_import_id(self, type_: ResourceType, id_: str, api: Api) -> tuple[str, Values]:
        """Read the properties out of a full or a short id."""
        for template in self.imports or (self.id,):
            names = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
            if match := re.fullmatch(names, id_):
                break
        else:
            formats = ", ".join(self.imports or (self.id,))
            raise StandInError(
                f'"{id_}" is not an id of {type_.pulumi_type}: it has to look like one of {formats}'
            )
        found = match.groupdict()
        if "project" not in found:
            if not api.config.project:
                raise StandInError(
                    f'"{id_}" names no project, and the provider has none: give the id in full, '
                    "or set gcp:project"
                )
            found["project"] = api.config.project
        values = {name: _fill(template, found) for name, template in self.seed.items()}
        values = {name: found[name] for name in type_.properties if name in found} | values
        return _fill(self.id, values), values

    def _path(self, values: Values, query: str = "") -> str:
        path = _fill(self.path or self.id, values)
        return f"{path}?{_fill(query, values)}" if query else path

    def _call(
        self,
        api: Api,
        method: str,
        path: str,
        body: Json | None = None,
        query: Mapping[str, str] | None = None,
        timeout: float = 0,
    ) -> Json:
        def attempt() -> Json:
            return api.call(self.service, method, path, body=body, query=query)

        return attempt() if self.again is never else api.persist(attempt, self.again, timeout)

    def _values(self, type_: ResourceType, answer: Json, known: Values) -> Values:
        values = {name: known[name] for name, prop in type_.properties.items() if name in known}
        for name, prop in type_.properties.items():
            wire = prop.wire_name(name)
            if prop.client or wire is None:
                continue
            value = _at(answer, wire)
            values[name] = None if value is None else _from_wire(prop, value)
        read = {n: p for n, p in type_.properties.items() if not p.client and p.wire_name(n)}
        values = {**values, **self.decode(answer, known)}
        values |= fill(read, {name: values.get(name) for name in read})
        if type_.labelled:
            values |= labels.observed(answer.get("labels"), known)
        return values


def to_body(properties: Properties, values: Values) -> Json:
    """Values as the API's JSON; what is "not set" stays out, as Google's provider does."""
    body: Json = {}
    for name, prop in properties.items():
        wire = prop.wire_name(name)
        is_labels = name == "labels" and "effectiveLabels" in properties
        value = values.get("effectiveLabels" if is_labels else name)
        is_switched_off = prop.default is True and value is False
        if wire is None or prop.client or prop.output or (is_zero(value) and not is_switched_off):
            continue
        _put(body, wire, _to_wire(prop, value))
    return body


def _put(body: Json, wire: str, value: Any) -> None:
    *parents, last = wire.split(".")
    for parent in parents:
        body = body.setdefault(parent, {})
    body[last] = value


def _at(answer: Json, wire: str) -> Any:
    value: Any = answer
    for part in wire.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _merge(changed: Properties, change: Update) -> Json:
    body: Json = {}
    for name, prop in changed.items():
        wire, value = str(prop.wire_name(name)), change.wanted.get(name)
        if name == "labels":
            gone = (
                change.state.get("effectiveLabels", {}).keys()
                - change.wanted["effectiveLabels"].keys()
            )
            value = change.wanted["effectiveLabels"] | dict.fromkeys(gone)
        elif prop.type == "boolean":
            value = bool(value)
        elif not is_zero(value):
            value = _to_wire(prop, value)
        _put(body, wire, value)
    return body


def _to_wire(prop: Property, value: Any) -> Any:
    if prop.encode is not None:
        return prop.encode(value)
    if prop.type == "object":
        return to_body(prop.fields, value)
    if prop.type == "list" and prop.fields:
        return [to_body(prop.fields, item) for item in value]
    return value


def _from_wire(prop: Property, value: Any) -> Any:
    if prop.decode is not None:
        return prop.decode(value)
    if prop.type == "object":
        return _object_from_wire(prop.fields, value) or None
    if prop.type == "list" and prop.fields:
        return [_object_from_wire(prop.fields, item) for item in value if item]
    return int(value) if prop.type == "integer" else value


def _object_from_wire(fields: Properties, value: Json) -> Values:
    return {
        name: _from_wire(prop, value[wire])
        for name, prop in fields.items()
        if (wire := prop.wire_name(name)) in value and wire is not None
    }


def _fill(template: str, values: Mapping[str, Any]) -> str:
    def known(match: re.Match[str]) -> str:
        value = values[match[1]]
        return str(value).lower() if isinstance(value, bool) else str(value)

    return re.sub(r"\{(\w+)\}", known, template)
