"""Paths of Cloud KMS (https://cloud.google.com/kms/docs/reference/rest)."""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.core import rest
from emulator.services.iam.responses import policy_routes
from emulator.services.kms import encryption_responses, responses
from emulator.services.kms.service import Kms

_RINGS = "/projects/{project}/locations/{location}/keyRings"
_RING = f"{_RINGS}/{{ring:id}}"
_KEYS = f"{_RING}/cryptoKeys"
_KEY = f"{_KEYS}/{{key:id}}"
_VERSIONS = f"{_KEY}/cryptoKeyVersions"
_VERSION = f"{_VERSIONS}/{{version:id}}"


def routes(kms: Kms) -> Iterator[Route]:
    """Yield every route of the service."""
    route = partial(rest.routes, kms)
    policies = partial(policy_routes, kms.iam, kms)
    yield from policies(_KEY, responses.key, responses.exists, "cloudkms")
    yield from policies(_RING, responses.ring, responses.exists, "cloudkms")
    yield from route("POST", _RINGS, responses.create_ring)
    yield from route("GET", _RINGS, responses.list_rings)
    yield from route("GET", _RING, responses.get_ring)
    yield from route("POST", _KEYS, responses.create_key)
    yield from route("GET", _KEYS, responses.list_keys)
    yield from route("GET", _KEY, responses.get_key)
    yield from route("PATCH", _KEY, responses.patch_key)
    yield from route("POST", _VERSIONS, responses.create_version)
    yield from route("GET", _VERSIONS, responses.list_versions)
    yield from route("GET", _VERSION, responses.get_version)
    yield from route("POST", f"{_KEY}:encrypt", encryption_responses.encrypt)
    yield from route("POST", f"{_VERSION}:encrypt", encryption_responses.encrypt)
    yield from route("POST", f"{_KEY}:decrypt", encryption_responses.decrypt)
    yield from route("POST", f"{_VERSION}:destroy", responses.destroy_version)
