"""Who calls: the verified identity in a token of Identity-Aware Proxy or of an OIDC provider.

Documented: https://cloud.google.com/iap/docs/signed-headers-howto (header, algorithm, claims) and
https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation.
"""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import jwt
from starlette.requests import Request

from workloads.gateway.errors import RefusedError
from workloads.gateway.keys import Keys, KeysUnavailableError
from workloads.gateway.roles import Caller

IAP_HEADER = "x-goog-iap-jwt-assertion"
IAP_ISSUER = "https://cloud.google.com/iap"
IAP_KEYS = "https://www.gstatic.com/iap/verify/public_key-jwk"
LEEWAY_SECONDS = 30
"""Between the clocks of the provider and of the gateway."""
MAX_TOKEN_BYTES = 8_192
_MAX_REMEMBERED = 10_000


@dataclass(frozen=True)
class Provider:
    """An identity provider.

    Attributes:
        issuer: the claim `iss` of its tokens
        audience: the claim `aud` of tokens for this gateway
        keys_url: of its key set
        algorithms: of its signatures
        is_iap: whether tokens come in the header of Identity-Aware Proxy
    """

    issuer: str
    audience: str
    keys_url: str
    algorithms: tuple[str, ...]
    is_iap: bool


class Identities:
    """Verifies the tokens of requests.

    A verified token is remembered until it expires, by its hash.

    Args:
        provider: who signs them
        keys: of the provider
    """

    def __init__(self, provider: Provider, keys: Keys) -> None:
        self._provider = provider
        self._keys = keys
        self._verified: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    async def caller(self, request: Request) -> Caller:
        """Return the caller of a request.

        Raises:
            RefusedError: 401 without a valid token, 503 while the provider's keys can't be had
        """
        token = self._token(request)
        digest = hashlib.sha256(token.encode()).digest()
        expiry, caller = self._verified.get(digest, (0.0, None))
        if caller and time.time() < expiry:
            return caller
        expiry, caller = await self._verify(token)
        self._verified[digest] = expiry, caller
        if len(self._verified) > _MAX_REMEMBERED:
            self._verified.popitem(last=False)
        return caller

    def _token(self, request: Request) -> str:
        if self._provider.is_iap:
            values = request.headers.getlist(IAP_HEADER)
            if len(values) != 1:
                raise self._refusal("The request did not come through Identity-Aware Proxy.")
            token = values[0]
        else:
            values = request.headers.getlist("authorization")
            scheme, _, token = (values[0] if len(values) == 1 else "").partition(" ")
            if scheme.lower() != "bearer" or not token:
                raise self._refusal("The request has no header Authorization: Bearer ID_TOKEN.")
        if len(token) > MAX_TOKEN_BYTES:
            raise self._refusal("The token is too long.")
        return token.strip()

    async def _verify(self, token: str) -> tuple[float, Caller]:
        provider = self._provider
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.get(key_id) if isinstance(key_id, str) else None
            if key is None:
                raise self._refusal("The token is signed by none of the provider's keys.")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(provider.algorithms),
                audience=provider.audience,
                issuer=provider.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "aud", "iss", "email"]},
            )
        except KeysUnavailableError:
            raise RefusedError(
                503, "The identity provider's keys can't be had: try again."
            ) from None
        except jwt.ExpiredSignatureError:
            raise self._refusal("The token has expired.") from None
        except (jwt.PyJWTError, ValueError):
            raise self._refusal("The token is not valid for this gateway.") from None
        email = claims["email"]
        if not (isinstance(email, str) and "@" in email):
            raise self._refusal("The token has no email address.")
        # Identity-Aware Proxy verifies the address itself, and has no such claim.
        if not (provider.is_iap or claims.get("email_verified") is True):
            raise self._refusal("The email address of the token is not verified.")
        return float(claims["exp"]) + LEEWAY_SECONDS, Caller(email.lower())

    def _refusal(self, message: str) -> RefusedError:
        challenge = {} if self._provider.is_iap else {"WWW-Authenticate": "Bearer"}
        return RefusedError(401, message, challenge)
