"""Callers: the member that an access token names.

There is no authentication here. The token `local` belongs to the owner of every project; a token
`local:MEMBER`, such as `local:user:anna@example.com`, to that member.
"""

OWNER = "user:you@example.com"
OWNER_TOKEN = "local"  # noqa: S105 - opens nothing but this emulator
_PREFIX = f"{OWNER_TOKEN}:"


def token_of(member: str) -> str:
    """Return the access token of a member."""
    return OWNER_TOKEN if member == OWNER else f"{_PREFIX}{member}"


def is_token(token: str) -> bool:
    """Whether an access token is one of the local Google Cloud."""
    return token == OWNER_TOKEN or token.startswith(_PREFIX)


def member_of(authorization: str) -> str:
    """Return the member of a request, as IAM writes it, by its header Authorization."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.startswith(_PREFIX):
        return OWNER
    return token.removeprefix(_PREFIX).strip() or OWNER
