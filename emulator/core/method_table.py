"""Tables of the methods of an API: path, permission, and what an audit log says of a call.

Documented (https://cloud.google.com/logging/docs/audit#types): the type of the permission decides
which log has a call, the changes of resources in `activity`, everything else in `data_access`.

Inferred (conformance: audit-services): the full names of resources in the logs, where Google's
examples do not show them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

ADMIN_READ, ADMIN_WRITE, DATA_READ, DATA_WRITE = (
    "ADMIN_READ",
    "ADMIN_WRITE",
    "DATA_READ",
    "DATA_WRITE",
)
ACTIVITY, DATA_ACCESS = "activity", "data_access"
AUDIT_METADATA = "audit_metadata"
"""The member of an ASGI scope that a handler fills with what the audit log says beside a call."""
PERMITS = "permits"
"""The member of an ASGI scope that says whether the caller has a permission on a resource, both as
names; calls that are not decided have none."""
VERSIONS = r"/v1(?:beta1)?/"
"""The root of the paths of most APIs."""
_TYPES = {
    **dict.fromkeys(("get", "list", "getIamPolicy"), ADMIN_READ),
    **dict.fromkeys(
        (
            "create",
            "delete",
            "destroy",
            "disable",
            "enable",
            "setIamPolicy",
            "undelete",
            "update",
        ),
        ADMIN_WRITE,
    ),
}
"""Last part of a permission -> its type, where the API has no other."""
_NEW = "{new}"
MonitoredResource = dict[str, Any]


@dataclass(frozen=True)
class AuditedMethod:
    """A call of an API.

    Attributes:
        service: such as `healthcare.googleapis.com`
        name: of the method, such as `google.cloud.healthcare.v1.dataset.DatasetService.GetDataset`;
            empty if no audit log has its calls
        permission: that it needs, such as `healthcare.datasets.get`
        permission_type: `ADMIN_READ`, `ADMIN_WRITE`, `DATA_READ` or `DATA_WRITE`
        resource: the full name of the resource whose policy decides; `b/BUCKET` or
            `b/BUCKET/o/NAME` of Cloud Storage
        audited_resource: the full name that the log shows; `{new}` stands for what is created
        created: where the answer has the id of what is created, such as `jobReference.jobId`
        log: `activity` or `data_access`
        is_always_logged: whether it is logged whatever the policy of the project asks for
        monitored: templates of names and the type of monitored resource of each
    """

    service: str
    name: str
    permission: str
    permission_type: str
    resource: str
    audited_resource: str
    created: str = ""
    log: str = DATA_ACCESS
    is_always_logged: bool = False
    monitored: tuple[tuple[str, str], ...] = ()

    def named_resource(self, answer: Mapping[str, Any]) -> str:
        """Return the full name that the log shows of an answered call.

        Args:
            answer: the JSON object of the answer; empty if the call failed
        """
        if _NEW not in self.audited_resource:
            return self.audited_resource
        new: Any = answer
        for part in self.created.split("."):
            new = new.get(part) if isinstance(new, Mapping) else None
        if new and isinstance(new, str) and new.startswith("https://"):
            new = new.rpartition("/")[2]  # the URL of what was created
        if new:
            return self.audited_resource.replace(_NEW, str(new))
        return self.audited_resource.rsplit("/", 2)[0]

    def monitored_resource(self, name: str, project: str) -> MonitoredResource:
        """Return the monitored resource of an entry.

        Args:
            name: the full name that the log shows
            project: the id of its project
        """
        for template, type_ in self.monitored:
            if match := re.match(_pattern(template), name):
                return {"type": type_, "labels": {"project_id": project, **match.groupdict()}}
        labels = {"project_id": project, "service": self.service, "method": self.name}
        return {"type": "audited_resource", "labels": labels}


def project_of(resource: str) -> str:
    """Return the project in the full name of a resource.

    `-` stands for the project in the address of a service account.
    """
    parts = resource.split("/")
    if parts[1] != "-":
        return parts[1]
    return parts[-1].partition("@")[2].partition(".")[0] or "-"


class Row(NamedTuple):
    """A method of an API. Braces in a template stand for one segment, `{*}` for any number.

    Attributes:
        verbs: the HTTP methods
        path: behind the root of the API
        permission: that it needs
        resource: template of the resource whose policy decides, filled from path and query
        name: of the method in audit logs; empty if they never have it
        audited: template of the name that the log shows; by default that of `resource`
        created: for a template with `{new}`: where the query or the answer has it
    """

    verbs: str
    path: str
    permission: str
    resource: str
    name: str = ""
    audited: str = ""
    created: str = ""


def policy_rows(
    resource: str, permissions: str, service: str = "google.iam.v1.IAMPolicy."
) -> tuple[Row, ...]:
    """Return the rows of a policy; some of the APIs read it by GET, some by POST.

    Args:
        resource: template of the resource's name
        permissions: such as `pubsub.topics`
        service: what audit logs write before the name of the method
    """
    return tuple(
        Row(verbs, f"{resource}:{verb}", f"{permissions}.{verb}", resource, f"{service}{name}")
        for verbs, verb, name in (
            ("GET POST", "getIamPolicy", "GetIamPolicy"),
            ("POST", "setIamPolicy", "SetIamPolicy"),
        )
    )


@dataclass(frozen=True)
class MethodTable:
    """The methods of one API.

    Attributes:
        service: such as `pubsub.googleapis.com`
        rows: of the methods
        root: pattern of what the paths begin with
        types: permission -> its type, where it is not what its last part says
        in_data_access: permissions whose calls are in `data_access`, whatever their type
        is_always_logged: whether data access is logged whatever the policy asks for
        monitored: templates of names and the type of monitored resource of each
    """

    service: str
    rows: tuple[Row, ...]
    root: str = VERSIONS
    types: Mapping[str, str] = field(default_factory=dict)
    in_data_access: frozenset[str] = frozenset()
    is_always_logged: bool = False
    monitored: tuple[tuple[str, str], ...] = ()

    def find(
        self, http_method: str, path: str, query: Mapping[str, str] | None = None
    ) -> AuditedMethod | None:
        """Return the method that a request calls; None for one that the table does not have.

        Args:
            http_method: such as `GET`
            path: with the root of its API, such as `/v1/projects/p/topics/t`
            query: the parameters of the query
        """
        root = self._root.match(path)
        if root is None:
            return None
        for verbs, pattern, row in self._compiled:
            match = pattern.fullmatch(path, root.end()) if http_method in verbs else None
            if match:
                return self._method(row, {**(query or {}), **match.groupdict()})
        return None

    def permissions(self) -> frozenset[str]:
        """Return every permission that a row names."""
        return frozenset(row.permission for row in self.rows)

    def _method(self, row: Row, values: Mapping[str, str]) -> AuditedMethod:
        permission = row.permission
        type_ = self.types.get(permission) or _TYPES.get(permission.rpartition(".")[2], "")
        is_activity = type_ == ADMIN_WRITE and permission not in self.in_data_access
        new = values.get(row.created) or _NEW
        return AuditedMethod(
            service=self.service,
            name=row.name,
            permission=permission,
            permission_type=type_,
            resource=_filled(row.resource, values),
            audited_resource=_filled(row.audited or row.resource, {**values, "new": new}),
            created=row.created,
            log=ACTIVITY if is_activity else DATA_ACCESS,
            is_always_logged=is_activity or self.is_always_logged,
            monitored=self.monitored,
        )

    @cached_property
    def _root(self) -> re.Pattern[str]:
        return re.compile(self.root)

    @cached_property
    def _compiled(self) -> list[tuple[frozenset[str], re.Pattern[str], Row]]:
        return list(self._patterns())

    def _patterns(self) -> Iterator[tuple[frozenset[str], re.Pattern[str], Row]]:
        for row in self.rows:
            yield frozenset(row.verbs.split()), re.compile(_pattern(row.path)), row


def _pattern(template: str) -> str:
    # A name in a path ends at the colon of a verb; names of objects may hold anything.
    text = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/:]+)", re.escape(template))
    return text.replace(re.escape("{*}"), "(?P<rest>.+)")


def _filled(template: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        return values.get("rest" if match[1] == "*" else match[1], "")

    return re.sub(r"\{(\w+|\*)\}", value, template)
