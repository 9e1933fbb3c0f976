"""Types of resources: their paths, their fields, and the resources that they refer to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.services.compute.errors import invalid, not_found
from emulator.services.compute.names import Parts, link, parse
from emulator.services.compute.resources import Resources

GLOBAL, REGIONS, ZONES = "global", "regions", "zones"
CRUD = frozenset({"delete", "get", "insert", "list"})
UPDATED = CRUD | {"patch", "update"}
LABELS = frozenset({"setLabels"})

Json = dict[str, Any]


@dataclass(frozen=True)
class Reference:
    """A field that refers to another resource.

    Attributes:
        path: of the field, such as `backends[].group`
        collections: the types of resources that it may refer to
        is_required: whether a resource has to have it
        is_checked: whether the other resource has to exist, and can't be deleted meanwhile
    """

    path: str
    collections: tuple[str, ...]
    is_required: bool = False
    is_checked: bool = True


@dataclass(frozen=True)
class Type:
    """A type of resource.

    Attributes:
        api: its name in the discovery document, such as `regionHealthChecks`
        collection: its name in paths, such as `healthChecks`
        scope: what its names are below: `global`, `regions` or `zones`
        message: the message of a resource, such as `HealthCheck`
        noun: its name in errors
        methods: those that are served
        references: fields that refer to other resources
        required: fields that a request has to have
        defaults: of fields that a request may leave out
        permissions: before the verb, such as `compute.healthChecks`; by default after `api`
        is_labelled: whether it has labels
        has_fingerprint: whether a change may name the version that it is based on
        is_aggregated: whether there is a list over all locations
        list_kind: `kind` of its lists, where it is not what `message` says
        aggregated_kind: `kind` of its lists over all locations, likewise
        has_list_link: whether its lists have a URL
        by_methods: fields that methods of their own change: a patch leaves them as they are
    """

    api: str
    collection: str
    scope: str
    message: str
    noun: str
    methods: frozenset[str] = CRUD
    references: tuple[Reference, ...] = ()
    required: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    permissions: str = ""
    is_labelled: bool = False
    has_fingerprint: bool = False
    is_aggregated: bool = False
    list_kind: str = ""
    aggregated_kind: str = ""
    has_list_link: bool = True
    by_methods: tuple[str, ...] = ()

    @property
    def json_kind(self) -> str:
        """The field `kind` of a resource."""
        return f"compute#{self.message[0].lower()}{self.message[1:]}"

    @property
    def permission(self) -> str:
        """The first part of its permissions."""
        return self.permissions or f"compute.{self.api}"

    @property
    def path(self) -> str:
        """The path of its collection, with a variable for the location."""
        paths = {GLOBAL: "global", REGIONS: "regions/{location}", ZONES: "zones/{location}"}
        return f"projects/{{project}}/{paths[self.scope]}/{self.collection}"


def holders(body: Json, path: str) -> Iterator[tuple[Any, Any, str]]:
    """Yield each value that a path leads to: what holds it, its key there, and its own path.

    Args:
        body: of a resource
        path: such as `backends[].group`
    """
    head, _, rest = path.partition(".")
    name = head.removesuffix("[]")
    value = body.get(name)
    if value in (None, "", []):
        return
    if not head.endswith("[]"):
        if rest:
            yield from ((*found[:2], f"{name}.{found[2]}") for found in holders(value, rest))
        else:
            yield body, name, name
        return
    for index, item in enumerate(value):
        where = f"{name}[{index}]"
        if rest:
            yield from ((*found[:2], f"{where}.{found[2]}") for found in holders(item, rest))
        else:
            yield value, index, where


def resolve(type_: Type, body: Json, own: Parts, resources: Resources) -> list[str]:
    """Write the references of a body as full URLs; return the names that have to stay.

    Raises:
        ComputeError: 400 for a field that does not refer to a resource of a type that it may have;
            404 for a resource that does not exist
    """
    kept = []
    for reference in type_.references:
        for holder, key, path in holders(body, reference.path):
            target = _target(reference, holder[key], path, own)
            if reference.is_checked:
                if resources.find(target.name) is None:
                    raise not_found(target.name)
                kept.append(target.name)
            holder[key] = link(target.name)
    return kept


def _target(reference: Reference, value: Any, path: str, own: Parts) -> Parts:
    target = parse(str(value), own.project)
    if target is None:
        raise invalid(f"resource.{path}", value, "The URL is malformed.")
    if target.collection not in reference.collections:
        wanted = " or ".join(reference.collections)
        raise invalid(f"resource.{path}", value, f"The URL must refer to one of {wanted}.")
    locations = {target.location, own.location}
    if len(locations) > 1 and all(one.startswith("regions/") for one in locations):
        reason = f"The resource must be in {own.location}, as this one is."
        raise invalid(f"resource.{path}", value, reason)
    return target
