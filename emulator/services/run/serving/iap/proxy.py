"""Who passes the proxy, and what it adds to a request.

Documented: https://cloud.google.com/iap/docs/identity-howto, the headers;
https://cloud.google.com/iap/docs/managing-access, the permission;
https://cloud.google.com/run/docs/securing/identity-aware-proxy-cloud-run, the proxy's own account,
which needs to be an invoker of the service; and
https://cloud.google.com/iap/docs/authentication-howto, the header `Proxy-Authorization`. A program
is known by its token as for every other call; a person by the cookie of the page to sign in.
"""

from collections.abc import Callable
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from emulator.services.iam import callers, conditions
from emulator.services.iam.models import Policies
from emulator.services.iam.service_accounts import agent_email
from emulator.services.iap.names import audience, policy_name
from emulator.services.iap.service import API
from emulator.services.run.models import Resources
from emulator.services.run.serving.iap import sign_in
from emulator.services.run.serving.iap.tokens import HEADER, IapTokens, claims_of, user_id
from emulator.services.run.serving.invokers import Invokers

ACCESS = "iap.webServiceVersions.accessViaIAP"
_PREFIX = b"x-goog-"
_OWN, _PROXY = "authorization", "proxy-authorization"

Headers = list[tuple[bytes, bytes]]


class IapProxy:
    """The proxy before all services that ask for it.

    Args:
        policies: of all resources
        resources: the services
        invokers: decide whether the proxy's own account may call a service
        tokens: say who passed
        number_of: returns the number of a project
        is_enforced: whether callers are decided by roles at all
    """

    def __init__(
        self,
        policies: Policies,
        resources: Resources,
        invokers: Invokers,
        tokens: IapTokens,
        number_of: Callable[[str], str],
        *,
        is_enforced: bool,
    ) -> None:
        self._policies = policies
        self._resources = resources
        self._invokers = invokers
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
        return self._invokers.refusal_of(service, self._agent(service))

    def headers(self, service: str, request: Request, given: Headers) -> Headers:
        """Return the headers of a request that passes.

        Args:
            service: the full name
            request: the request
            given: its headers; those that only the proxy writes or reads are left out
        """
        email = _member(request).partition(":")[2]
        project = service.split("/")[1]
        claims = claims_of(email, audience(service, self._number_of(project)))
        read = (
            {_PROXY.encode()} if _has_token(request, _PROXY) else {_PROXY.encode(), _OWN.encode()}
        )
        passed = [
            (name, value)
            for name, value in given
            if not name.startswith(_PREFIX) and name not in read
        ]
        return [
            *passed,
            (HEADER, self._tokens.sign(claims).encode()),
            (b"x-goog-authenticated-user-email", f"accounts.google.com:{email}".encode()),
            (b"x-goog-authenticated-user-id", f"accounts.google.com:{user_id(email)}".encode()),
        ]

    def _allows(self, service: str, member: str) -> bool:
        project = "/".join(service.split("/")[:2])
        target = conditions.project(project)
        holders = [project, policy_name(service)]
        return any(
            self._policies.allows(holders, one, ACCESS, target)
            for one in (member, f"domain:{member.rpartition('@')[2]}")
        )

    def _agent(self, service: str) -> str:
        return f"serviceAccount:{agent_email(self._number_of(service.split('/')[1]), API)}"

    def _users(self, service: str) -> list[str]:
        """Return the users that a policy names, to choose from."""
        project = "/".join(service.split("/")[:2])
        members = {
            member
            for holder in (project, policy_name(service))
            for binding in self._policies.get(holder).get("bindings", [])
            for member in binding["members"]
        }
        return sorted(member.partition(":")[2] for member in members if member.startswith("user:"))


def _has_token(request: Request, header: str) -> bool:
    """Whether a header of a request has a token of the local Google Cloud.

    Another one would have to be verified, and no provider of identities is here that signs any.
    """
    scheme, _, token = request.headers.get(header, "").partition(" ")
    return scheme.lower() == "bearer" and callers.is_token(token)


def _member(request: Request) -> str:
    """Return the member of a request, as IAM writes it; empty without a signed-in user."""
    for header in (_PROXY, _OWN):
        if _has_token(request, header):
            return callers.member_of(request.headers[header])
    if _OWN in request.headers:
        return ""
    email = unquote(request.cookies.get(sign_in.COOKIE, ""))
    return f"user:{email}" if email else ""
