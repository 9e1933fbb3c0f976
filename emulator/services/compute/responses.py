"""Requests and answers that are the same for every type of resource."""

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

from emulator.core.discovery import api
from emulator.core.errors import unimplemented
from emulator.core.list_filter.fields import Value
from emulator.core.list_filter.table import FieldTable
from emulator.core.resources.json_merge_patch import merge_patch
from emulator.core.resources.paging import from_items, paginate
from emulator.core.rest import Call
from emulator.services.compute import locations, views
from emulator.services.compute.errors import (
    ComputeError,
    already_exists,
    check_fingerprint,
    invalid,
    required,
)
from emulator.services.compute.fields import output_fields, settable
from emulator.services.compute.names import PATTERN, Parts, is_valid, link
from emulator.services.compute.operations import COLLECTION, JSON_KIND
from emulator.services.compute.service import Compute
from emulator.services.compute.types import Type

MAX_RESULTS = 500
_FILTER = FieldTable(
    usage='compare fields by = and !=, as in name = "a" AND labels.team = "imaging"',
    fields={"**": Value()},
)
_LEGACY = re.compile(r"\(?\s*([\w.]+) (eq|ne) (.+?)\s*\)?")
_NO_RESULTS = {"code": "NO_RESULTS_ON_PAGE"}

Json = dict[str, Any]


def location_of(call: Call[Compute], scope: str) -> tuple[str, str]:
    """Return the project and the location of a request.

    Raises:
        ApiError: 403, the project has not enabled the API; 404, there is no such location
    """
    project = call.service.enter(call.path["project"])
    location = scope if scope == "global" else f"{scope}/{call.path['location']}"
    locations.check(project, location)
    return project, location


def name_of(type_: Type, call: Call[Compute]) -> str:
    """Return the full name of the resource that a request is about."""
    return Parts(*location_of(call, type_.scope), type_.collection, call.path["id"]).name


def insert(type_: Type, call: Call[Compute]) -> Json:
    """Create a resource."""
    compute = call.service
    project, location = location_of(call, type_.scope)
    api("compute", "v1").check(type_.message, call.body, "resource")
    own = Parts(project, location, type_.collection, _new_name(call.body))
    for field in type_.required:
        if call.body.get(field) in (None, "", [], {}):
            raise required(f"resource.{field}")
    body = {**copy.deepcopy(dict(type_.defaults)), **settable(call.body)}
    with compute.lock:
        if compute.resources.find(own.name) is not None:
            raise already_exists(own.name)
        prepared, kept = compute.prepare(type_, body, own, None)
        whole = output_fields(type_, own.name, prepared)
        compute.resources.create(own.name, whole, kept)
        try:
            warnings = compute.created(type_, own.name)
        except ComputeError as error:
            compute.resources.delete(own.name, type_.noun)
            return compute.operations.add("insert", own.name, whole["id"], error=error)
    return compute.operations.add("insert", own.name, whole["id"], warnings=warnings)


def get(type_: Type, call: Call[Compute]) -> Json:
    """One resource."""
    return views.shown(call.service, type_, call.service.resources.get(name_of(type_, call)))


def patch(type_: Type, call: Call[Compute]) -> Json:
    """Change the fields that a body has; a null clears one."""
    return _change(type_, call, "patch")


def update(type_: Type, call: Call[Compute]) -> Json:
    """Replace the fields of a resource by those of a body."""
    return _change(type_, call, "update")


def set_labels(type_: Type, call: Call[Compute]) -> Json:
    """Replace the labels of a resource."""
    scope = {"global": "Global", "regions": "Region"}[type_.scope]
    api("compute", "v1").check(f"{scope}SetLabelsRequest", call.body)
    compute, name = call.service, name_of(type_, call)
    with compute.lock:
        before = compute.resources.get(name)
        check_fingerprint(call.body, before["labelFingerprint"], "labelFingerprint")
        changed = {**before, "labels": call.body.get("labels", {})}
        whole = output_fields(type_, name, changed, before)
        compute.resources.update(name, whole)
    return compute.operations.add("setLabels", name, whole["id"])


def delete(type_: Type, call: Call[Compute]) -> Json:
    """Delete a resource that no other one refers to."""
    compute, name = call.service, name_of(type_, call)
    with compute.lock:
        target_id = compute.resources.get(name)["id"]
        compute.delete(type_, name)
    return compute.operations.add("delete", name, target_id)


def list_page(type_: Type, call: Call[Compute]) -> Json:
    """Return a page of the resources of a location."""
    project, location = location_of(call, type_.scope)
    parent = f"projects/{project}/{location}/{type_.collection}"
    items = [views.shown(call.service, type_, one) for one in call.service.resources.all_in(parent)]
    json_kind = type_.list_kind or f"{type_.json_kind}List"
    found = {"kind": json_kind, "id": parent, **page(items, call, parent)}
    return {**found, "selfLink": link(parent)} if type_.has_list_link else found


def aggregated_list(type_: Type, call: Call[Compute]) -> Json:
    """Return the resources of all locations, by location."""
    project = call.service.enter(call.path["project"])
    matches = _matcher(call.query.get("filter", ""))
    found: dict[str, Json] = {}
    for scope, names in (
        ("global", ["global"]),
        ("regions", [f"regions/{region}" for region in locations.REGIONS]),
        ("zones", [f"zones/{zone}" for zone in locations.zones()]),
    ):
        if scope == type_.scope or (scope == "regions" and type_.scope == "global"):
            found |= {name: {"warning": _NO_RESULTS} for name in names}
    prefix = f"projects/{project}/"
    for name, body in call.service.resources.everywhere(type_.collection).items():
        if name.startswith(prefix) and matches(body):
            location = name.removeprefix(prefix).rpartition(f"/{type_.collection}/")[0]
            item = views.shown(call.service, type_, body)
            kept = found.setdefault(location, {}).get(type_.collection, [])
            found[location] = {type_.collection: [*kept, item]}
    parent = f"projects/{project}/aggregated/{type_.collection}"
    return {
        "kind": type_.aggregated_kind or f"{type_.json_kind}AggregatedList",
        "id": parent,
        "items": found,
        "selfLink": link(parent),
    }


def get_operation(scope: str, call: Call[Compute]) -> Json:
    """Return an operation, which is done."""
    project, location = location_of(call, scope)
    return call.service.resources.get(Parts(project, location, COLLECTION, call.path["id"]).name)


def delete_operation(scope: str, call: Call[Compute]) -> None:
    """Delete an operation."""
    project, location = location_of(call, scope)
    name = Parts(project, location, COLLECTION, call.path["id"]).name
    call.service.resources.delete(name, "operation")


def list_operations(scope: str, call: Call[Compute]) -> Json:
    """Return a page of the operations of a location."""
    project, location = location_of(call, scope)
    parent = f"projects/{project}/{location}/{COLLECTION}"
    items = call.service.resources.all_in(parent)
    return {
        "kind": f"{JSON_KIND}List",
        "id": parent,
        **page(items, call, parent),
        "selfLink": link(parent),
    }


def page(items: list[Json], call: Call[Compute], scope: str) -> Json:
    """Return a page of a list by name, as `filter`, `maxResults` and `pageToken` ask.

    Raises:
        ApiError: 400 for a filter, a size or a token that is not valid; 501 for another order
    """
    order = call.query.get("orderBy", "")
    if order not in ("", "name"):
        raise unimplemented(f"orderBy={order} is not served by the local Google Cloud yet.")
    wanted = call.query.get("filter", "")
    query: Mapping[str, str] = {
        "pageSize": call.query.get("maxResults", ""),
        "pageToken": call.query.get("pageToken", ""),
    }
    return {
        "items": [],
        **paginate(
            from_items(items, lambda item: item["name"]),
            query,
            "items",
            scope=f"{scope} {wanted}",
            default=MAX_RESULTS,
            maximum=MAX_RESULTS,
            matches=_matcher(wanted),
        ),
    }


def _matcher(text: str) -> Any:
    """Return the test of a filter, in the language of today or the one before (`name eq a.*`)."""
    if legacy := _LEGACY.fullmatch(text):
        path, sign, value = legacy.groups()
        pattern = re.compile(value.strip("'\""))

        def matches(item: Mapping[str, Any]) -> bool:
            return (pattern.fullmatch(str(item.get(path, ""))) is not None) == (sign == "eq")

        return matches
    return _FILTER.compile(text)


def change_by(type_: Type, call: Call[Compute], verb: str, make: Callable[[Json], Json]) -> Json:
    """Change a resource; return the operation.

    Args:
        type_: of the resource
        call: that names it
        verb: of the operation, such as `patch`
        make: returns the new body for the one before
    """
    compute, name = call.service, name_of(type_, call)
    own = Parts(*location_of(call, type_.scope), type_.collection, call.path["id"])
    with compute.lock:
        before = compute.resources.get(name)
        prepared, kept = compute.prepare(type_, make(before), own, before)
        whole = output_fields(type_, name, prepared, before)
        compute.resources.put(name, whole, kept)
        compute.changed(type_, name)
    return compute.operations.add(verb, name, whole["id"])


def _change(type_: Type, call: Call[Compute], verb: str) -> Json:
    given = copy.deepcopy(call.body)
    api("compute", "v1").check(type_.message, call.body, "resource")

    def make(before: Json) -> Json:
        check_fingerprint(given, before.get("fingerprint"), "fingerprint")
        defaults = copy.deepcopy(dict(type_.defaults))
        wanted = {k: v for k, v in settable(given).items() if k not in type_.by_methods}
        if verb == "patch":
            return {**defaults, **merge_patch(before, wanted)}
        kept = {name: before[name] for name in type_.by_methods if name in before}
        return {**defaults, **wanted, **kept}

    return change_by(type_, call, verb, make)


def _new_name(body: Mapping[str, Any]) -> str:
    name = body.get("name")
    if not name:
        raise required("resource.name")
    if not is_valid(name):
        raise invalid("resource.name", name, f"Must be a match of regex '{PATTERN}'")
    return str(name)
