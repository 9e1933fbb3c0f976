"""Placeholders for what differs by nature: identifiers, times, etags, addresses, accounts.

They also keep project ids and accounts out of reports and recordings.
"""

import re
from collections.abc import Callable
from typing import Any

from conformance.check import Lab
from conformance.cloud_project import ROOTS

_BY_KEY = {
    "ackId": "{ack id}",
    "etag": "{etag}",
    "insertId": "{insert id}",
    "messageId": "{message id}",
    "message_id": "{message id}",
    "logsUrl": "{URL}",
    "selfLink": "{URL}",
    "requestId": "{request id}",
    "revisionId": "{revision id}",
    "versionId": "{version id}",
}
"""Fields whose every value differs -> the placeholder."""
_EDGE = r"(?<![\w-]){}(?![\w-])"
"""A whole identifier: the id of a project may be a word of a text."""
_AGENT = "gcp-sa-"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_HTTP_TIME = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
"""A time as in RFC 1123."""
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_OPERATION = re.compile(r"/operations/(\d+)")
_VERSION = re.compile(r"(?<![\w-])MT[\w-]{20,}")
"""The id of a version of a FHIR resource."""
_OBJECT = re.compile(r"(?<=-result-)\d{15,20}|(?<=/rollback-)\d{15,20}|\d{15,20}(?=_history_)")
"""The number in the name of an object that an operation writes."""
_REVISION = re.compile(r"(?<=[0-9a-f]{12}@)[0-9a-f]{8}")
"""The id of a revision of a consent."""
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PAGE_TOKEN = re.compile(r"(?<=[?&]_page_token=)[\w%.~-]+")
"""That of the next page, in a link of a FHIR bundle."""


def normaliser(lab: Lab) -> Callable[[Any], Any]:
    """Return the function that normalises answers of a lab."""
    names = lab.names
    literals = [
        *((re.escape(root), "{root}") for root in (lab.cloud.root, *ROOTS.values()) if root),
        (re.escape(names.run), "{run}"),
        (_EDGE.format(re.escape(lab.cloud.project)), "{project}"),
        (rf"(?<!\d){re.escape(lab.number)}(?!\d)", "{number}"),
        (_EDGE.format(re.escape(lab.cloud.location)), "{location}"),
    ]
    patterns = [(re.compile(pattern), placeholder) for pattern, placeholder in literals]

    def text(value: str) -> str:
        # First: the id of the project is a part of the addresses of its service accounts.
        value = _EMAIL.sub(lambda found: _account(found[0]), value)
        for pattern, placeholder in patterns:
            value = pattern.sub(placeholder, value)
        value = _HTTP_TIME.sub("{HTTP time}", _TIME.sub("{time}", value))
        value = _PAGE_TOKEN.sub("{page token}", _VERSION.sub("{version id}", value))
        value = _OBJECT.sub("{object}", _REVISION.sub("{revision id}", value))
        return _OPERATION.sub("/operations/{operation}", _UUID.sub("{uuid}", value))

    def normalise(value: Any) -> Any:
        if isinstance(value, str):
            return text(value)
        if isinstance(value, list):
            return [normalise(one) for one in value]
        if isinstance(value, dict):
            return {
                text(key): _BY_KEY.get(key) or normalise(one) for key, one in sorted(value.items())
            }
        return value

    return normalise


def _account(email: str) -> str:
    """Return a placeholder for an account; a service agent stays."""
    return email if _AGENT in email else "{account}"
