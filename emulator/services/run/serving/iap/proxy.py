"""Who passes the proxy, and what it adds to a request.

Documented: https://cloud.google.com/iap/docs/identity-howto, the headers, and
https://cloud.google.com/iap/docs/managing-access, the permission. A program is known by its token
as for every other call; a person by the cookie of the page to sign in.
"""

from collections.abc import Callable
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from emulator.services.iam import conditions
from emulator.services.iam.models import Policies
from emulator.services.run.models import Resources
from emulator.services.run.serving.iap import sign_in
from emulator.services.run.serving.iap.tokens import HEADER, IapTokens, user_id
from emulator.services.run.serving.invokers import member_of

ACCESS = "iap.webServiceVersions.accessViaIAP"
_PREFIX = b"x-goog-"
_HIDDEN = frozenset({b"authorization"})
"""Not for the service: the token of a caller is for the proxy."""

Headers = list[tuple[bytes, bytes]]


class IapProxy:
    """The proxy before all services that ask for it.

    Args:
        policies: of all resources
        resources: the services
        tokens: say who passed
        number_of: returns the number of a project
        is_enforced: whether callers are decided by roles at all
    """

    def __init__(
        self,
        policies: Policies,
        resources: Resources,
        tokens: IapTokens,
        number_of: Callable[[str], str],
        *,
        is_enforced: bool,
    ) -> None:
        self._policies = policies
        self._resources = resources
        self._tokens = tokens
        self._number_of = number_of
        self._is_enforced = is_enforced

    def is_before(self, service: str) -> bool:
        """Whether a service asks for the proxy."""
        return bool((self._resources.find(service) or {}).get("iapEnabled"))

    async def own_response(self, service: str, request: Request) -> Response | None:
        """Return the response to a request for a page of the proxy; None for another request."""
        path = request.scope["path"]
        if path == sign_in.CLEAR_PATH:
            return sign_in.cleared()
        if path != sign_in.PATH:
            return None
        if request.method == "POST":
            return await sign_in.signed_in(request)
        return sign_in.page(request, self._users(service))

    def refusal(self, service: str, request: Request) -> Response | None:
        """Return the response to a request that does not pass; None for one that does."""
        member = _member(request)
        if not member:
            if "text/html" in request.headers.get("accept", "") and request.method == "GET":
                return sign_in.redirection(request)
            return PlainTextResponse("Invalid IAP credentials: empty token", 401)
        if self._is_enforced and not self._allows(service, member):
            return HTMLResponse("<h1>Access denied</h1>You don't have access\n", 403)
        return None

    def headers(self, service: str, request: Request, given: Headers) -> Headers:
        """Return the headers of a request that passes.

        Args:
            service: the full name
            request: the request
            given: its headers; those that only the proxy writes are left out
        """
        email = _member(request).partition(":")[2]
        _, project, _, location, _, id_ = service.split("/")
        audience = f"/projects/{self._number_of(project)}/locations/{location}/services/{id_}"
        passed = [
            (name, value)
            for name, value in given
            if not name.startswith(_PREFIX) and name not in _HIDDEN
        ]
        return [
            *passed,
            (HEADER, self._tokens.signed(email, audience).encode()),
            (b"x-goog-authenticated-user-email", f"accounts.google.com:{email}".encode()),
            (b"x-goog-authenticated-user-id", f"accounts.google.com:{user_id(email)}".encode()),
        ]

    def _allows(self, service: str, member: str) -> bool:
        project = "/".join(service.split("/")[:2])
        target = conditions.project(project)
        return self._policies.allows([project, _holder(service)], member, ACCESS, target)

    def _users(self, service: str) -> list[str]:
        """Return the users that a policy names, to choose from."""
        project = "/".join(service.split("/")[:2])
        members = {
            member
            for holder in (project, _holder(service))
            for binding in self._policies.get(holder).get("bindings", [])
            for member in binding["members"]
        }
        return sorted(member.partition(":")[2] for member in members if member.startswith("user:"))


def _holder(service: str) -> str:
    """Return the name under which the policy of the proxy before a service is kept."""
    _, project, _, location, _, id_ = service.split("/")
    return f"projects/{project}/iap_web/cloud_run-{location}/services/{id_}"


def _member(request: Request) -> str:
    """Return the member of a request, as IAM writes it; empty without a signed-in user."""
    if "authorization" in request.headers:
        return member_of(request.headers["authorization"])
    email = unquote(request.cookies.get(sign_in.COOKIE, ""))
    return f"user:{email}" if email else ""
