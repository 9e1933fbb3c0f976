"""Who may call a service: those with `run.routes.invoke`, if calls are decided by roles.

Documented: https://cloud.google.com/run/docs/authenticating/overview. A caller is named by an
access token of the local Google Cloud, or by the claim `email` of an OIDC token. Its signature is
not verified: there is no authentication here.
"""

import base64
import json
from dataclasses import dataclass

from starlette.responses import HTMLResponse, Response

from emulator.services.iam import callers, conditions
from emulator.services.iam.models import Policies
from emulator.services.run.models import Resources

INVOKE = "run.routes.invoke"
_ANONYMOUS = "allUsers"


@dataclass(frozen=True)
class Invokers:
    """Decides by the policies of the service and of its project.

    Attributes:
        policies: of all resources
        resources: the services
        is_enforced: whether calls are decided by roles at all
    """

    policies: Policies
    resources: Resources
    is_enforced: bool

    def refusal(self, service: str, authorization: str) -> Response | None:
        """Return the response to a caller that may not call a service; None for one that may.

        Args:
            service: the full name
            authorization: the header of the request
        """
        return self.refusal_of(service, member_of(authorization))

    def refusal_of(self, service: str, member: str) -> Response | None:
        """Return the response to a member that may not call a service; None for one that may."""
        if not self.is_enforced or self._allows(service, member):
            return None
        return HTMLResponse(
            "<html><head><title>403 Forbidden</title></head><body><h1>Error: Forbidden</h1>"
            "<h2>Your client does not have permission to get this URL from this server.</h2>"
            "</body></html>\n",
            403,
        )

    def _allows(self, service: str, member: str) -> bool:
        body = self.resources.find(service) or {}
        if body.get("invokerIamDisabled"):
            return True
        holders = ["/".join(service.split("/")[:2]), service]
        if member == _ANONYMOUS:
            return any(
                member in binding["members"]
                for holder in holders
                for binding in self.policies.get(holder).get("bindings", [])
                if INVOKE in self.policies.roles.permissions_of(binding["role"])
            )
        target = conditions.project(holders[0])
        return self.policies.allows(holders, member, INVOKE, target)


def member_of(authorization: str) -> str:
    """Return the member of a request, as IAM writes it; `allUsers` for one without a token."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return _ANONYMOUS
    email = _email(token)
    return f"serviceAccount:{email}" if email else callers.member_of(authorization)


def _email(token: str) -> str:
    """Return the address in an OIDC token; empty for another token."""
    parts = token.split(".")
    if len(parts) != 3:
        return ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return str(claims["email"])
    except (ValueError, KeyError, TypeError):
        return ""
