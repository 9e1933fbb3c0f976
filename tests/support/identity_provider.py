"""An identity provider on loopback that signs tokens for a gateway."""

import http.server
import json
import threading
from typing import Any

from emulator.services.run.serving.iap.tokens import IapTokens, claims_of

AUDIENCE = "/projects/1/locations/us-central1/services/gateway"
HEADER = "X-Goog-IAP-JWT-Assertion"


class IdentityProvider:
    """Signs tokens as the Identity-Aware Proxy of the emulator does, and serves its public key.

    Attributes:
        tokens: sign
        fetches: how often the key was asked for
    """

    def __init__(self) -> None:
        self.tokens = IapTokens()
        self.fetches = 0
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.fetches += 1
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(provider.tokens.key_set()).encode())

            def log_message(self, *_: Any) -> None:
                """Keep the output of tests clean."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/keys"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def token(
        self, email: Any, signer: IapTokens | None = None, kid: str = "", **claims: Any
    ) -> str:
        """Sign a token; claims of None are left out.

        Args:
            email: of the caller
            signer: signs in the place of this provider, whose key the token names
            kid: the key that the token names in place of this provider's
            claims: in place of the right ones
        """
        whole = {**claims_of(str(email), AUDIENCE), "email": email, **claims}
        present = {name: value for name, value in whole.items() if value is not None}
        return (signer or self.tokens).sign(present, kid or self.tokens.key_id)

    def headers(self, email: str, **claims: Any) -> dict[str, str]:
        """Return the headers of a request that came through Identity-Aware Proxy."""
        return {HEADER: self.token(email, **claims)}
