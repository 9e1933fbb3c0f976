"""OIDC tokens of push deliveries, which say on whose behalf a message comes.

Documented (https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions): the claims. The
token is signed by a key of this process, which no certificate of Google vouches for.
"""

import base64
import json
import time
from functools import cache
from typing import Any

from emulator.services.iam import key_file
from emulator.services.pubsub.subscriptions import Subscription

_LIFETIME_SECONDS = 3600
_ISSUER = "https://accounts.google.com"


def authorization(subscription: Subscription) -> dict[str, str]:
    """Return the header of a push with the token that its configuration asks for, if any."""
    config = subscription["pushConfig"]
    asked = config.get("oidcToken")
    if not asked:
        return {}
    now = int(time.time())
    email = asked["serviceAccountEmail"]
    claims = {
        "iss": _ISSUER,
        "aud": asked.get("audience") or config["pushEndpoint"],
        "sub": email,
        "email": email,
        "email_verified": True,
        "iat": now,
        "exp": now + _LIFETIME_SECONDS,
    }
    head = {"alg": "RS256", "typ": "JWT", "kid": "local"}
    signed = f"{_encoded(json.dumps(head).encode())}.{_encoded(json.dumps(claims).encode())}"
    return {"authorization": f"Bearer {signed}.{_encoded(_signature(signed.encode()))}"}


def _signature(data: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    signature: bytes = _key().sign(data, padding.PKCS1v15(), hashes.SHA256())
    return signature


@cache
def _key() -> Any:
    return key_file.new_private_key()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
