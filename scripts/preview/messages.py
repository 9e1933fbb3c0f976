"""Messages of the engine, the providers and the program, without secrets."""

import re

_COLOR = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*[A-Za-z]")
_PREFIX = re.compile(r"^(error|warning|info):\s*")
# A refused value is in braces: it may be a secret of the program.
_REFUSED = re.compile(r"(\bvalue )\{.*?\}(?= has a problem|\s|$)", re.DOTALL)
_KEYS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\bya29\.[\w.-]+|\bAIza[\w-]{20,}|\beyJ[\w-]+\.[\w-]+\.[\w-]+"
    r"|(?<=[Bb]earer )[\w.~+/-]+=*",
    re.DOTALL,
)
_MAX_LENGTH = 600


def tidy(message: str) -> str:
    """Return a message in one line: no colors, no trace, no refused values, no keys."""
    text = _PREFIX.sub("", _COLOR.sub("", message).strip())
    text = _KEYS.sub("[secret]", _REFUSED.sub(r"\1{not shown}", _without_trace(text)))
    text = " / ".join(line.strip() for line in text.splitlines() if line.strip())
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}..."


def _without_trace(text: str) -> str:
    """Drop a Python traceback, which quotes the program; keep the exception."""
    if "Traceback (most recent call last)" not in text:
        return text
    lines = text.splitlines()
    last = max((i for i, line in enumerate(lines) if re.match(r'\s+File "', line)), default=-1)
    raised = last + 1
    while raised < len(lines) and (not lines[raised].strip() or lines[raised][0].isspace()):
        raised += 1
    return "\n".join(lines[raised:]) or "the program failed"
