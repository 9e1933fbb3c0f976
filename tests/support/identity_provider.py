"""An identity provider on loopback that signs tokens for a gateway."""

import http.server
import json
import threading
import time
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

AUDIENCE = "/projects/1/locations/us-central1/services/gateway"
ISSUER = "https://cloud.google.com/iap"
HEADER = "X-Goog-IAP-JWT-Assertion"


class IdentityProvider:
    """Signs tokens as Identity-Aware Proxy does, and serves its public key.

    Attributes:
        fetches: how often the key was asked for
    """

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.fetches = 0
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.fetches += 1
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps({"keys": [provider.public]}).encode())

            def log_message(self, *_: Any) -> None:
                """Keep the output of tests clean."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/keys"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    @cached_property
    def public(self) -> dict[str, Any]:
        """The public key as JSON Web Key."""
        key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key()))
        return {**key, "kid": "one", "alg": "ES256", "use": "sig"}

    def token(self, email: str, key: Any = None, kid: str = "one", **claims: Any) -> str:
        """Sign a token; claims of None are left out."""
        now = int(time.time())
        whole = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": f"accounts.google.com:{email}",
            "email": email,
            "iat": now,
            "exp": now + 600,
            **claims,
        }
        present = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(present, key or self._key, "ES256", {"kid": kid})

    def headers(self, email: str, **claims: Any) -> dict[str, str]:
        """Return the headers of a request that came through Identity-Aware Proxy."""
        return {HEADER: self.token(email, **claims)}
