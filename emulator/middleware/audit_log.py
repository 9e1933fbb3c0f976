"""Middleware that writes the audit logs of all services."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.core import disk
from emulator.core.errors import RPC_CODES, STATUSES, ApiError
from emulator.core.method_table import AUDIT_METADATA, AuditedMethod, project_of
from emulator.core.settings import PROJECT
from emulator.services.iam import callers
from emulator.services.logging.audit import AuditedCall, AuditLog
from emulator.services.method_tables import method_of_call
from emulator.services.resourcemanager.models import Projects
from emulator.services.storage.models import Buckets

LOG = logging.getLogger(__name__)
MAX_KEPT_BYTES = 64 << 10
"""Of an answer that may name an error or an operation; both are short."""


class AuditLogMiddleware:
    """Writes an entry for each audited call before the last byte of its answer is sent."""

    def __init__(self, app: ASGIApp, audit: AuditLog, projects: Projects, buckets: Buckets) -> None:
        self._app = app
        self._audit = audit
        self._projects = projects
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, and log it."""
        method = method_of_call(scope) if scope["type"] == "http" else None
        if method is None or not method.name or not self._audit.may_audit(method):
            await self._app(scope, receive, send)
            return
        headers = Request(scope).headers
        member = callers.member_of(headers.get("authorization", ""))
        project = await run_in_threadpool(self._project, method, member)
        if project is None:
            await self._app(scope, receive, send)
            return
        agent = headers.get("user-agent", "")
        answer = _Answer()
        metadata: dict[str, Any] = {}
        scope[AUDIT_METADATA] = metadata

        async def sending(message: Message) -> None:
            answer.add(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                call = _call(method, project, member, agent, answer, metadata)
                await run_in_threadpool(self._write, call)
            await send(message)

        await self._app(scope, receive, sending)

    def _write(self, call: AuditedCall) -> None:
        try:
            self._audit.write(call)
        except disk.DISK_ERRORS as error:
            # The call is over, and its answer is true: only its entry is lost.
            LOG.error("no audit entry of %s on %s: %s", call.method, call.resource, error)

    def _project(self, method: AuditedMethod, member: str) -> str | None:
        """Return the id of the project whose log has the call; None if it is not logged."""
        collection, _, name = method.resource.partition("/")
        try:
            if collection == "b":
                # Before the call, which may delete the bucket.
                owner = self._buckets.project_of(name.partition("/")[0]) or PROJECT
            else:
                owner = project_of(method.resource)
            project = self._projects.id_of(owner)
        except ApiError:  # an invalid project, which the call's own answer names
            return None
        return project if self._audit.is_audited(project, method, member) else None


class _Answer:
    """The status of an answer, and the beginning of its JSON body."""

    def __init__(self) -> None:
        self.code = 0
        self._is_json = False
        self._body = b""

    def add(self, message: Message) -> None:
        """Take the next message of the answer."""
        if message["type"] == "http.response.start":
            self.code = message["status"]
            types = [value for name, value in message["headers"] if name == b"content-type"]
            self._is_json = any(b"application/json" in value for value in types)
        elif self._is_json and len(self._body) < MAX_KEPT_BYTES:
            self._body += message.get("body", b"")

    def json(self) -> Mapping[str, Any]:
        """Return the JSON object of the body; empty if it is another one."""
        try:
            body = json.loads(self._body)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    def status(self) -> dict[str, Any]:
        """Return the google.rpc.Status of the answer; empty for a success."""
        if self.code < HTTPStatus.BAD_REQUEST:
            return {}
        error = self.json().get("error", {})
        status = error.get("status", "") if isinstance(error, dict) else ""
        status = status or STATUSES.get(self.code, "UNKNOWN")
        return {"code": RPC_CODES.get(status, RPC_CODES["UNKNOWN"]), "message": _text(error)}


def _text(error: Any) -> str:
    return str(error.get("message", "")) if isinstance(error, dict) else ""


def _call(
    method: AuditedMethod,
    project: str,
    member: str,
    user_agent: str,
    answer: _Answer,
    metadata: Mapping[str, Any],
) -> AuditedCall:
    body = answer.json()
    status = answer.status()
    name = str(body.get("name", ""))
    is_start = "/operations/" in name and "Operations." not in method.name
    parts = method.named_resource({} if status else body).split("/")
    # A project may be named by its number, and is not in the names of buckets.
    owner = parts[1] if parts[1] == "_" else project
    return AuditedCall(
        method=method,
        project=project,
        resource="/".join([parts[0], owner, *parts[2:]]),
        member=member,
        status=status,
        granted=answer.code != HTTPStatus.FORBIDDEN,
        user_agent=user_agent,
        operation=name if is_start else "",
        metadata=metadata,
    )
