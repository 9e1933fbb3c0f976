"""Visitors of a gateway on the local Google Cloud: people who sign in, and programs with tokens."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from scripts.lib.errors import ScriptError

SIGN_IN = "/_gcp_iap/sign_in"
"""The page of the local Identity-Aware Proxy where a person chooses an account."""
ASSERTION = "X-Goog-IAP-JWT-Assertion"
FORGED = "eyJhbGciOiJub25lIn0.eyJlbWFpbCI6ImFuYUBob3NwaXRhbC5leGFtcGxlIn0."
"""A token without a signature."""
_TIMEOUT_SECONDS = 60.0


@contextmanager
def person(uri: str, email: str) -> Iterator[httpx.Client]:
    """Yield the browser of a person who has signed in.

    Args:
        uri: of the gateway
        email: of the person

    Raises:
        ScriptError: the proxy does not sign anyone in
    """
    with httpx.Client(base_url=uri, timeout=_TIMEOUT_SECONDS) as browser:
        answer = browser.post(SIGN_IN, data={"email": email})
        if answer.status_code != 303:
            raise ScriptError(f"{uri} does not let {email} sign in: HTTP {answer.status_code}.")
        yield browser


def program(uri: str, headers: Mapping[str, str]) -> httpx.Client:
    """Return the client of a program, which sends headers with each request."""
    return httpx.Client(base_url=uri, timeout=_TIMEOUT_SECONDS, headers=dict(headers))


def token(member: str) -> dict[str, str]:
    """Return the header with the access token of a member of the local Google Cloud."""
    return {"Authorization": f"Bearer local:{member}"}
