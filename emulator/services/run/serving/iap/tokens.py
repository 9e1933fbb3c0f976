"""Tokens that say who passed the proxy, and the public key that verifies them.

Documented: https://cloud.google.com/iap/docs/signed-headers-howto, the header, the algorithm and
the claims. The key is one of this process.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

HEADER = b"x-goog-iap-jwt-assertion"
KEYS_PATH = "/iap/verify/public_key-jwk"
"""As at https://www.gstatic.com."""
_ISSUER = "https://cloud.google.com/iap"
_LIFETIME_SECONDS = 600


class IapTokens:
    """Signs tokens."""

    def sign(self, claims: Mapping[str, Any], key_id: str = "") -> str:
        """Return a token.

        Args:
            claims: see `claims_of`
            key_id: that the token names; that of its key if not given
        """
        return jwt.encode(dict(claims), self._key, "ES256", {"kid": key_id or self.key_id})

    @property
    def key_id(self) -> str:
        """The id of the key."""
        return str(self._public["kid"])

    def key_set(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [self._public]}

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def _public(self) -> dict[str, Any]:
        key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key()))
        digest = hashlib.sha256(f"{key['x']}{key['y']}".encode()).hexdigest()[:6]
        return {**key, "kid": digest, "alg": "ES256", "use": "sig"}


def claims_of(email: str, audience: str) -> dict[str, Any]:
    """Return the claims of a token, from now on.

    Args:
        email: of the caller
        audience: /projects/NUMBER/locations/LOCATION/services/SERVICE
    """
    now = int(time.time())
    return {
        "iss": _ISSUER,
        "aud": audience,
        "sub": f"accounts.google.com:{user_id(email)}",
        "email": email,
        "iat": now,
        "exp": now + _LIFETIME_SECONDS,
    }


def user_id(email: str) -> str:
    """Return the numeric id of an account, always the same one."""
    return str(int(hashlib.sha256(email.encode()).hexdigest()[:16], 16))
