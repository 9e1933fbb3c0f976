"""Middleware that decides every call by the roles of its caller (`--enforce-iam`)."""

import json
import re
from collections.abc import Iterable
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.access import bigquery_statements, refusals, rules
from emulator.access.decisions import Decisions
from emulator.access.rules import BIGQUERY, LOGGING, PROJECTS, Requirement
from emulator.core.discovery import whole_path
from emulator.core.errors import ApiError
from emulator.core.method_table import PERMITS
from emulator.core.rest import JsonResponse, limited_body, parse_json
from emulator.services.iam import callers
from emulator.services.method_tables import method_of_call
from emulator.services.storage.errors import no_bucket

_OPEN = re.compile(
    r"/_(?:console|emulator)/.*|/token|/iap/verify/public_key-jwk|/\$discovery/rest|/discovery/.*|/batch/storage/v1"
)
"""Calls that need no permission; the parts of a batch are not decided."""
_UNDECIDED = re.compile(
    r"/v1(beta1)?/roles(/.*)?|/v1(beta1)?/projects/[^/]+/locations(/[^/]+)?|.*/iam/testPermissions"
    r"|/compute/v1/projects/cos-cloud/global/images/.*"
)
_TEST = re.compile(r"/v(?:1|1beta1|2)/(projects/[^:]+):testIamPermissions")
_JOBS = re.compile(r"/bigquery/v2/projects/([^/]+)/(queries|jobs)")
_ENTRIES = re.compile(r"/v2/entries:(list|write)")


class EnforceIamMiddleware:
    """Refuses calls whose caller lacks a permission; a call without a rule needs an owner."""

    def __init__(self, app: ASGIApp, decisions: Decisions) -> None:
        self._app = app
        self._decisions = decisions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or refuse it."""
        if scope["type"] != "http" or _OPEN.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        member = callers.member_of(request.headers.get("authorization", ""))
        scope[PERMITS] = partial(self._permits, member)
        try:
            if match := _TEST.fullmatch(scope["path"]):
                receive = await self._held(request, member, match[1])
            else:
                needed, receive = await _needed(request, receive)
                await run_in_threadpool(self._require, member, needed)
        except ApiError as refused:
            answer = JsonResponse(refused.body(), status_code=refused.code)
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _held(self, request: Request, member: str, resource: str) -> Receive:
        """Return a request that tests only those of its permissions that the caller has."""
        body = parse_json((await _read(request))[0])
        asked = body.get("permissions")
        held = asked
        if isinstance(asked, list):
            held = await run_in_threadpool(self._allowed, member, resource, asked)
        return _received(json.dumps({**body, "permissions": held}).encode())

    def _allowed(self, member: str, resource: str, permissions: list[str]) -> list[str]:
        return [each for each in permissions if self._permits(member, str(each), resource)]

    def _permits(self, member: str, permission: str, resource: str) -> bool:
        """Whether a member has a permission on a resource, for parts of a call."""
        needed = Requirement(permission.partition(".")[0], permission, resource)
        return self._decisions.allows(member, needed)

    def _require(self, member: str, needed: Iterable[Requirement]) -> None:
        """Refuse a call whose caller lacks one of the permissions.

        Raises:
            ApiError: 403 in the words of the service; 404 for a bucket that does not exist.
                Observed in https://github.com/SygniaLabs/ScallOps/issues/23.
        """
        for each in needed:
            if not self._decisions.allows(member, each):
                if self._decisions.is_missing(each):
                    raise no_bucket()
                raise refusals.refusal(member, each)


async def _needed(request: Request, receive: Receive) -> tuple[list[Requirement], Receive]:
    """Return what a call needs, and its body to be received again if it was read.

    Raises:
        ApiError: the body can't be read
    """
    verb, path = request.method, whole_path(request.url.path)
    if _UNDECIDED.fullmatch(path):
        return [], receive
    if match := _ENTRIES.fullmatch(path):
        body, receive = await _read(request)
        return _of_entries(body, match[1]), receive
    method = method_of_call(request.scope)
    if method is None:
        return [_without_rule(path)], receive
    found = rules.requirement(method)
    match = _JOBS.fullmatch(path) if verb == "POST" else None
    if match is None or found.service != BIGQUERY:
        return [found], receive
    body, receive = await _read(request)
    return [found, *bigquery_statements.requirements(parse_json(body), match[1])], receive


def _of_entries(body: bytes, verb: str) -> list[Requirement]:
    request = parse_json(body)
    permission = f"logging.logEntries.{'list' if verb == 'list' else 'create'}"
    names = [*request.get("resourceNames", []), request.get("logName", "")]
    names += [entry.get("logName", "") for entry in request.get("entries", [])]
    projects = sorted({name.split("/")[1] for name in names if name.startswith("projects/")})
    return [Requirement(LOGGING, permission, f"projects/{project}") for project in projects]


def _without_rule(path: str) -> Requirement:
    """Return what a call without a rule needs: to own its project."""
    project = re.search(r"projects/([^/:]+)", path)
    resource = f"projects/{project[1] if project else '-'}"
    return Requirement(PROJECTS, "resourcemanager.projects.setIamPolicy", resource)


async def _read(request: Request) -> tuple[bytes, Receive]:
    body = await limited_body(request)
    return body, _received(body)


def _received(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
