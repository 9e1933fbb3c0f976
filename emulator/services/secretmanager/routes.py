"""Paths of Secret Manager (https://cloud.google.com/secret-manager/docs/reference/rest)."""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.core import rest
from emulator.services.iam.responses import policy_routes
from emulator.services.secretmanager import secret_responses as secrets
from emulator.services.secretmanager import version_responses as versions
from emulator.services.secretmanager.service import SecretManager

_PARENTS = ("/projects/{project}", "/projects/{project}/locations/{location}")


def routes(manager: SecretManager) -> Iterator[Route]:
    """Yield every route of the service: those of global secrets, and of regional ones."""
    route = partial(rest.routes, manager)
    for parent in _PARENTS:
        collection = f"{parent}/secrets"
        secret = f"{collection}/{{secret:id}}"
        version = f"{secret}/versions/{{version:id}}"
        yield from policy_routes(
            manager.iam,
            manager,
            secret,
            secrets.policy_name,
            secrets.exists,
            "secretmanager",
        )
        yield from route("POST", collection, secrets.create)
        yield from route("GET", collection, secrets.list_secrets)
        yield from route("GET", secret, secrets.get)
        yield from route("PATCH", secret, secrets.patch)
        yield from route("DELETE", secret, secrets.delete)
        yield from route("POST", f"{secret}:addVersion", versions.add)
        yield from route("GET", f"{secret}/versions", versions.list_versions)
        yield from route("GET", version, versions.get)
        yield from route("GET", f"{version}:access", versions.access)
        yield from route("POST", f"{version}:enable", versions.enable)
        yield from route("POST", f"{version}:disable", versions.disable)
        yield from route("POST", f"{version}:destroy", versions.destroy)
