"""Access tokens: for the keys of service accounts, and for those who act as one.

Documented: https://cloud.google.com/iam/docs/reference/credentials/rest and RFC 7523. A token says
whom it belongs to (`emulator.services.iam.callers`); it does not expire here.

Inferred (conformance: iam-token-missing-text): the text of a refusal.
"""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from emulator.core import timestamps
from emulator.core.discovery import api
from emulator.core.errors import bad_field, failed_precondition, not_found
from emulator.core.rest import Call, JsonResponse, limited_body
from emulator.core.timestamps import parse_duration
from emulator.services.iam import callers
from emulator.services.iam_api.service import IamApi

LIFETIME_SECONDS, MAX_LIFETIME_SECONDS = 3600, 43_200


def generate_access_token(call: Call[IamApi]) -> dict[str, Any]:
    """Return a token of a service account."""
    api("iamcredentials", "v1").check("GenerateAccessTokenRequest", call.body)
    account = call.service.accounts.find(call.path["account"])
    if account is None:
        raise not_found(f"Not found; Gaia id not found for email {call.path['account']}")
    if account.get("disabled"):
        raise failed_precondition(f"The service account {account['email']} is disabled.")
    if not call.body.get("scope"):
        raise bad_field("scope", "scope is required")
    text = call.body.get("lifetime") or f"{LIFETIME_SECONDS}s"
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise bad_field("lifetime", f"lifetime: {error}") from None
    if not 0 < seconds <= MAX_LIFETIME_SECONDS:
        raise bad_field("lifetime", f"lifetime {text}: at most {MAX_LIFETIME_SECONDS}s")
    expires = datetime.now(UTC) + timedelta(seconds=seconds)
    member = f"serviceAccount:{account['email']}"
    return {
        "accessToken": callers.token_of(member),
        "expireTime": timestamps.to_rfc3339(expires, "seconds"),
    }


async def exchange(service: IamApi, request: Request) -> Response:
    """Return the access token of a service-account key, for the JWT that it signed (RFC 7523).

    The emulator's own key, and a request without a JWT, belong to the owner.
    """
    form = parse_qs((await limited_body(request)).decode(errors="replace"))
    assertion = form.get("assertion", [""])[0]
    email = str(_claims(assertion).get("iss", "")) if assertion else ""
    account = service.accounts.find(email)
    token = callers.token_of(callers.OWNER)
    if account is not None:
        if account.get("disabled") or not _is_signed(service, account["email"], assertion):
            refusal = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
            return JsonResponse(refusal, status_code=400)
        token = callers.token_of(f"serviceAccount:{account['email']}")
    answer = {"access_token": token, "expires_in": LIFETIME_SECONDS, "token_type": "Bearer"}
    return JsonResponse(answer)


def _claims(assertion: str) -> dict[str, Any]:
    try:
        claims = json.loads(_decoded(assertion.split(".")[1]))
    except (ValueError, IndexError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _is_signed(service: IamApi, email: str, assertion: str) -> bool:
    """Whether one of an account's keys signed a JWT by RS256."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    signed, _, signature = assertion.rpartition(".")
    for key in service.accounts.keys(email):
        public = serialization.load_pem_public_key(base64.b64decode(key["publicKeyData"]))
        assert isinstance(public, rsa.RSAPublicKey)
        try:
            public.verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
