"""The methods of Compute Engine, with their permissions and their names in audit logs.

Documented: https://cloud.google.com/compute/docs/logging/audit-logging and
https://cloud.google.com/compute/docs/access/iam.
"""

from collections.abc import Iterator

from emulator.core.method_table import ADMIN_WRITE, MethodTable, Row
from emulator.services.compute.balancers.responses import METHODS as BALANCER_METHODS
from emulator.services.compute.type_table import (
    BACKEND_SERVICES,
    GROUP_MANAGERS,
    INSTANCE_GROUPS,
    TYPES,
)
from emulator.services.compute.types import Type

_PROJECT = "projects/{project}"
_SETTERS = ("setLabels", "expandIpCidrRange", "setPrivateIpGoogleAccess")
_VERBS = (
    ("list", "GET", "", "list"),
    ("insert", "POST", "", "create"),
    ("get", "GET", "/{id}", "get"),
    ("patch", "PATCH", "/{id}", "update"),
    ("update", "PUT", "/{id}", "update"),
    ("delete", "DELETE", "/{id}", "delete"),
    *((verb, "POST", f"/{{id}}/{verb}", verb) for verb in _SETTERS),
)
_OF_MANAGERS = (
    ("listManagedInstances", "POST", "get"),
    ("listErrors", "GET", "get"),
    ("resize", "POST", "update"),
    ("setInstanceTemplate", "POST", "update"),
    ("recreateInstances", "POST", "update"),
    ("deleteInstances", "POST", "update"),
    ("applyUpdatesToInstances", "POST", "update"),
)
_OPERATIONS = (
    ("globalOperations", "global"),
    ("regionOperations", "regions/{location}"),
    ("zoneOperations", "zones/{location}"),
)


def _rows(type_: Type) -> Iterator[Row]:
    for method, verbs, suffix, permission in _VERBS:
        if method in type_.methods:
            is_new, name = method == "insert", f"v1.compute.{type_.api}.{method}"
            id_suffix = "/{id}" if method in _SETTERS else suffix
            audited = f"{type_.path}/{{new}}" if is_new else f"{type_.path}{id_suffix}"
            yield Row(
                verbs,
                f"{type_.path}{suffix}",
                f"{type_.permission}.{permission}",
                _PROJECT,
                name,
                _PROJECT if method == "list" else audited,
                "targetLink" if is_new else "",
            )
    if type_.is_aggregated:
        path = f"{_PROJECT}/aggregated/{type_.collection}"
        name = f"v1.compute.{type_.api}.aggregatedList"
        yield Row("GET", path, f"{type_.permission}.list", _PROJECT, name)


def _verb(type_: Type, method: str, http: str, permission: str) -> Row:
    resource = f"{type_.path}/{{id}}"
    name = f"v1.compute.{type_.api}.{method}"
    permission = f"{type_.permission}.{permission}"
    return Row(http, f"{resource}/{method}", permission, _PROJECT, name, resource)


def _of_balancers() -> Iterator[Row]:
    for type_, method, http, path, permission, _ in BALANCER_METHODS:
        name = f"v1.compute.{type_.api}.{method}"
        resource = f"{type_.path}/{{id}}"
        yield Row(http, path, f"{type_.permission}.{permission}", _PROJECT, name, resource)


def _of_operations() -> Iterator[Row]:
    for api, path in _OPERATIONS:
        parent = f"{_PROJECT}/{path}/operations"
        yield Row("GET", parent, f"compute.{api}.list", _PROJECT)
        yield Row("GET", f"{parent}/{{id}}", f"compute.{api}.get", _PROJECT)
        yield Row("POST", f"{parent}/{{id}}/wait", f"compute.{api}.get", _PROJECT)
        yield Row("DELETE", f"{parent}/{{id}}", f"compute.{api}.delete", _PROJECT)


def _of_locations() -> Iterator[Row]:
    yield Row("GET", _PROJECT, "compute.projects.get", _PROJECT, "v1.compute.projects.get")
    for noun in ("regions", "zones"):
        path, name = f"{_PROJECT}/{noun}", f"v1.compute.{noun}"
        yield Row("GET", path, f"compute.{noun}.list", _PROJECT, f"{name}.list")
        yield Row("GET", f"{path}/{{id}}", f"compute.{noun}.get", _PROJECT, f"{name}.get")


TABLE = MethodTable(
    "compute.googleapis.com",
    (
        *_of_locations(),
        *(row for type_ in TYPES for row in _rows(type_)),
        *(_verb(GROUP_MANAGERS, *method) for method in _OF_MANAGERS),
        _verb(INSTANCE_GROUPS, "listInstances", "POST", "get"),
        _verb(BACKEND_SERVICES, "getHealth", "POST", "get"),
        *_of_balancers(),
        *_of_operations(),
    ),
    root="/compute/v1/",
    types={
        f"{type_.permission}.{verb}": ADMIN_WRITE
        for type_ in TYPES
        for verb in _SETTERS
        if verb in type_.methods
    },
)
