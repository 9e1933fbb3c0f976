"""Audit logs: entries about the calls of an API.

Documented (https://cloud.google.com/logging/docs/audit): changes of resources are always logged;
reads and accesses to data as `auditConfigs` of the project ask, less the exempted members. The
payload is `google.cloud.audit.AuditLog`. Inferred (conformance: audit-activity): the monitored
resource.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.core.method_table import ACTIVITY, AuditedMethod
from emulator.services.iam.models import Policies
from emulator.services.logging.entries import Entries, Entry

MAX_ENDED = 100
"""Operations whose end is remembered until the call that started them is logged."""
_ALL_SERVICES = "allServices"


@dataclass(frozen=True)
class AuditedCall:
    """A call that was answered.

    Attributes:
        method: what was called
        project: the id of the project of the resource
        resource: the full name that the log shows
        member: the caller, as IAM writes it
        status: the google.rpc.Status of the answer; empty if the call succeeded
        granted: whether the caller has the permission
        user_agent: of the request
        operation: the full name of the operation that the call started, if any
        metadata: what the service says beside the call; empty for most calls
    """

    method: AuditedMethod
    project: str
    resource: str
    member: str
    status: Mapping[str, Any]
    granted: bool
    user_agent: str
    operation: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


class AuditLog:
    """Writes the entries of audited calls."""

    def __init__(self, entries: Entries, policies: Policies) -> None:
        self._entries = entries
        self._policies = policies
        self._lock = threading.Lock()
        self._ended: dict[str, Mapping[str, Any]] = {}

    def may_audit(self, method: AuditedMethod) -> bool:
        """Whether calls of a method are logged in any project."""
        return method.is_always_logged or self._policies.have_audit_configs()

    def is_audited(self, project: str, method: AuditedMethod, member: str) -> bool:
        """Whether a call is logged.

        The settings of a service and those of all services add up, exempted members too.

        Args:
            project: the id of the resource's project
            method: what is called
            member: the caller, as IAM writes it
        """
        if method.is_always_logged:
            return True
        logs = [
            log
            for config in self._policies.get(f"projects/{project}").get("auditConfigs", [])
            if config["service"] in (method.service, _ALL_SERVICES)
            for log in config["auditLogConfigs"]
            if log["logType"] == method.permission_type
        ]
        return bool(logs) and not any(member in log.get("exemptedMembers", []) for log in logs)

    def write(self, call: AuditedCall) -> None:
        """Write the entry of a call; of a call that starts an operation, the first of two."""
        entry = _entry(call)
        if not call.operation:
            self._entries.write([entry], durable=False)
            return
        entry |= _operation(call.operation, call.method.service, first=True)
        with self._lock:
            self._entries.write([entry], durable=False)
            status = self._ended.pop(call.operation, None)
        if status is not None:
            self.write_end(call.operation, status)

    def write_end(self, operation: str, status: Mapping[str, Any]) -> None:
        """Write the last entry of an operation whose first one was written.

        Args:
            operation: the full name of the operation
            status: the google.rpc.Status that it ended with; empty if it succeeded
        """
        with self._lock:
            first = self._entries.find(_insert_id(operation, first=True))
            if first is None:  # not audited, or over before the answer to its start is logged
                self._ended[operation] = status
                for oldest in [*self._ended][:-MAX_ENDED]:
                    del self._ended[oldest]
                return
        payload = {**first["protoPayload"], "status": dict(status)}
        service = payload["serviceName"]
        entry = {key: first[key] for key in ("logName", "resource")} | {
            "severity": _severity(first["logName"], status),
            "protoPayload": payload,
            **_operation(operation, service, first=False),
        }
        self._entries.write([entry], durable=False)


def _entry(call: AuditedCall) -> Entry:
    method = call.method
    log_name = f"projects/{call.project}/logs/cloudaudit.googleapis.com%2F{method.log}"
    return {
        "logName": log_name,
        "severity": _severity(log_name, call.status),
        "resource": method.monitored_resource(call.resource, call.project),
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "serviceName": method.service,
            "methodName": method.name,
            "resourceName": call.resource,
            "authenticationInfo": {"principalEmail": call.member.partition(":")[2]},
            "authorizationInfo": [
                {
                    "resource": call.resource,
                    "permission": method.permission,
                    "granted": call.granted,
                    "permissionType": method.permission_type,
                }
            ],
            "requestMetadata": {
                "callerIp": "127.0.0.1",
                "callerSuppliedUserAgent": call.user_agent,
            },
            "status": dict(call.status),
            **({"metadata": dict(call.metadata)} if call.metadata else {}),
        },
    }


def _severity(log_name: str, status: Mapping[str, Any]) -> str:
    if status:
        return "ERROR"
    return "NOTICE" if log_name.endswith(ACTIVITY) else "INFO"


def _operation(name: str, service: str, *, first: bool) -> Entry:
    return {
        "insertId": _insert_id(name, first=first),
        "operation": {"id": name, "producer": service, ("first" if first else "last"): True},
    }


def _insert_id(operation: str, *, first: bool) -> str:
    return f"{operation.rpartition('/')[2]}-{'first' if first else 'last'}"
