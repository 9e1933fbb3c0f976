"""Paths of Cloud KMS (https://cloud.google.com/kms/docs/reference/rest)."""

from collections.abc import Iterator

from starlette.routing import Route

from emulator.http import routes as versions
from emulator.iam.responses import policy_routes
from emulator.kms import responses, usage

_RINGS = "/projects/{project}/locations/{location}/keyRings"
_RING = f"{_RINGS}/{{ring:id}}"
_KEYS = f"{_RING}/cryptoKeys"
_KEY = f"{_KEYS}/{{key:id}}"
_VERSIONS = f"{_KEY}/cryptoKeyVersions"
_VERSION = f"{_VERSIONS}/{{version:id}}"


def routes() -> Iterator[Route]:
    """Every route of the service."""
    yield from policy_routes(_KEY, responses.key, responses.exists, "cloudkms")
    yield from policy_routes(_RING, responses.ring, responses.exists, "cloudkms")
    yield from versions("POST", _RINGS, responses.create_ring)
    yield from versions("GET", _RINGS, responses.list_rings)
    yield from versions("GET", _RING, responses.get_ring)
    yield from versions("POST", _KEYS, responses.create_key)
    yield from versions("GET", _KEYS, responses.list_keys)
    yield from versions("GET", _KEY, responses.get_key)
    yield from versions("PATCH", _KEY, responses.patch_key)
    yield from versions("POST", _VERSIONS, responses.create_version)
    yield from versions("GET", _VERSIONS, responses.list_versions)
    yield from versions("GET", _VERSION, responses.get_version)
    yield from versions("POST", f"{_KEY}:encrypt", usage.encrypt)
    yield from versions("POST", f"{_VERSION}:encrypt", usage.encrypt)
    yield from versions("POST", f"{_KEY}:decrypt", usage.decrypt)
    yield from versions("POST", f"{_VERSION}:destroy", responses.destroy_version)
